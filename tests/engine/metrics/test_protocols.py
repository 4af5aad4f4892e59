"""The one loop over metrics: what is measured where, and that a new metric needs no other line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import registry
from engine.errors import MetricError
from engine.metrics.protocols import AttackedSamples, CleanSamples, measure, watched
from engine.models.outputs import Outputs, outputs
from engine.models.protocols import ABILITIES
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.move_embedding import MoveEmbedding
from engine.registry import Metric, register_metric
from engine.running.attacking import Attack
from engine.running.sweeping import Sweep
from tests.engine.tiny import Desk, Tiny, TinyClassifier, TinyEncoder, blobs, centred, done, images

PRESENT = {
    *ABILITIES,
    *(
        [
            "groups",
            "goal",
            "weight",
            "pixels",
            "embedding",
            "noise",
            "value",
            "recognised",
            "likeness",
            "reference",
            "inception",
            "extractor",
            "unseen",
            "selects",
        ]
    ),
}


def samples(model: torch.nn.Module, labelled: bool = True) -> AttackedSamples:
    labels = torch.arange(6) % 3 if labelled else None
    before, after = (outputs(model, images(6, seed), labels) for seed in (0, 1))
    return AttackedSamples(LeaveCluster(), torch.arange(6), before, after)


@pytest.fixture
def own_metric() -> Iterator[None]:
    """What a file of somebody's own declares."""
    register_metric(
        Metric(
            "darkest",
            "Darkest",
            "Smallest number of an attacked sample.",
            "made up",
            of="attack",
            needs=("pixels",),
            watched=True,
            measure=lambda seen: seen.attacked.x.amin(dim=1),
        ),
        Metric(
            "far",
            "Far",
            "Whether the embedding moved by more than 1.",
            "made up",
            of="attack",
            needs=("encodes",),
            measure=lambda seen: (seen.attacked.z - seen.clean.z).norm(dim=1) > 1,
        ),
        Metric(
            "labels_seen",
            "Labels",
            "How many labels.",
            "made up",
            labels=True,
            of="attack",
            measure=lambda _: 3,
        ),
    )
    yield
    for name in ("darkest", "far", "labels_seen"):
        del registry._metrics[name]


def test_a_new_metric_stands_in_results_tables_and_sweeps(own_metric: None, tmp_path: Path) -> None:
    data = blobs()
    desk = Desk(tmp_path, centred(data), data)
    found, _ = done(Attack(epsilon=0.1, n=20).work(desk))
    table, kept = desk.tables["samples"], desk.arrays["images"]["adversarial"]
    assert (table["darkest"] == kept.min(axis=1)).all()
    assert found["darkest"] == pytest.approx(kept.min(axis=1).mean(), abs=1e-6)
    assert found["far"] == table["far"].mean() and found["far_low"] <= found["far"] <= found["far_high"]
    assert found["labels_seen"] == 3 and "labels_seen" not in table
    swept, _ = done(Sweep(epsilons=(0.1,), n=20).work(Desk(tmp_path, centred(data), data)))
    assert swept["cells"][0]["metrics"]["darkest"] == found["darkest"]
    assert registry.catalogue()["metric"]["darkest"]["needs"] == ["pixels"]


def test_a_metric_is_absent_where_what_it_needs_is(own_metric: None) -> None:
    assert {"far", "darkest", "labels_seen"} <= set(measure("attack", samples(Tiny())).values)
    unlabelled = measure("attack", samples(Tiny(), labelled=False)).values
    assert "labels_seen" not in unlabelled and "darkest" in unlabelled
    encoder = measure("attack", samples(TinyEncoder())).values
    assert "far" in encoder and not {"flip_rate", "success_rate", "margin_mean"} & set(encoder)


def test_what_was_not_drawn_is_absent() -> None:
    found = measure("attack", samples(Tiny())).values
    assert not {"noise_flip_rate", "noise_success_rate", "objective_mean", "knn_acc_clean"} & set(found)


def test_success_is_absent_where_the_objective_has_no_such_notion() -> None:
    seen = samples(Tiny())
    moved = AttackedSamples(MoveEmbedding(), seen.index, seen.clean, seen.attacked)
    found = measure("attack", moved).values
    assert "flip_rate" in found and not {"success_rate", "n_success"} & set(found)


def test_watched_numbers_are_those_that_say_so(own_metric: None) -> None:
    found = watched(samples(Tiny()))
    declared = registry.metrics()
    assert "darkest" in found and "flip_rate" in found and "far" not in found
    assert all(declared[name].watched for name in found)


def test_the_model_itself_is_measured_by_the_same_loop() -> None:
    rows, labels = np.arange(6), torch.arange(6) % 3

    def found(model: torch.nn.Module, known: torch.Tensor | None = labels) -> set[str]:
        said = outputs(model, images(6), known)
        return set(measure("model", CleanSamples(said, rows[:known_rows], rows[known_rows:])).values)

    known_rows, apart = 4, {"reconstruction_mse_train", "reconstruction_mse_test"}
    assert found(Tiny()) == {"acc", "nmi", "ari", "purity", "silhouette", "reconstruction_mse"} | apart
    assert found(Tiny(), None) == {"silhouette", "reconstruction_mse"} | apart
    assert found(TinyEncoder()) == set()
    assert found(TinyClassifier()) == {"accuracy_train", "accuracy_test"}
    known_rows = 6  # nothing is left that it did not learn from
    assert found(Tiny(), None) == {"silhouette", "reconstruction_mse"}
    assert found(TinyClassifier()) == {"accuracy_train"}


@pytest.mark.parametrize("name", registry.names("metric"))
def test_every_metric_says_what_it_is_and_needs_what_there_can_be(name: str) -> None:
    metric = registry.metrics()[name]
    assert metric.title and metric.summary and metric.of in ("", "attack", "model", "training")
    assert set(metric.needs) <= PRESENT
    assert metric.measure is None or metric.of
    assert metric.headline is None or metric.headline > 0
    described = metric.describe()
    assert "measure" not in described and described["kind"] == "metric"


def test_rates_carry_intervals_and_means_do_not() -> None:
    found = measure("attack", samples(Tiny()))
    assert {"flip_rate", "flip_rate_low", "flip_rate_high"} <= set(found.values)
    assert "margin_mean_low" not in found.values
    assert found.columns["flipped"].dtype == bool
    assert np.array_equal(found.columns["flipped"], found.columns["margin_attacked"] < 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (lambda seen: np.zeros((seen.n, 2)), "an array of shape"),
        (lambda seen: float("nan"), "not JSON compliant"),
        (lambda seen: {1, 2}, "not JSON serializable"),
        (lambda seen: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_metric_that_breaks_is_named(
    found: Callable[[Any], Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Metric("wrong", "Wrong", "Wrong.", of="model", measure=found)
    monkeypatch.setitem(registry._metrics, "wrong", wrong)
    with pytest.raises(MetricError, match=f"^The metric wrong must give .*{said}"):
        measure("model", CleanSamples(Outputs(torch.zeros(3, 2)), np.arange(3), np.arange(0)))
