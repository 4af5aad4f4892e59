"""Models with a single ability are attacked, judged and swept by every objective that fits them; what they
cannot be measured by is absent.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import registry
from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.errors import AbilityError, SettingsError
from engine.models.outputs import Outputs
from engine.models.protocols import ABILITIES, Classifies, Encodes, abilities, require
from engine.objectives.protocols import LatentObjective, Measure, Objective, ObjectiveSettings
from engine.running.attacking import Attack
from engine.running.judging import Judge
from engine.running.pairs import Pairs
from engine.running.sweeping import Sweep
from tests.engine.tiny import (
    Desk,
    Tiny,
    TinyAutoencoder,
    TinyClassifier,
    TinyDecoding,
    TinyEncoder,
    TinyFusing,
    TinySorter,
    blobs,
    centred,
    done,
)

ONE_ABILITY: dict[str, TinyEncoder | TinySorter | TinyAutoencoder | TinyClassifier] = {
    "encodes": TinyEncoder(),
    "clusters": TinySorter(),
    "reconstructs": TinyAutoencoder(),
    "classifies": TinyClassifier(),
}
for _model in ONE_ABILITY.values():
    _model.net = centred(blobs())  # so that all three groups are in use
MEASURED = {  # a number that only this ability gives
    "encodes": "embedding_move_mean",
    "clusters": "flip_rate",
    "reconstructs": "reconstruction_change_mean",
    "classifies": "class_flip_rate",
}
PIXELS = [
    name
    for name in registry.names("objective")
    if getattr(registry.find("objective", name), "space", "") == "pixels"
]


class Misread(ObjectiveSettings):
    """A stand-in for objectives about labels: a class other than the label wins."""

    name: ClassVar[str] = "misread"
    title: ClassVar[str] = "Misread"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    needs_labels: ClassVar[bool] = True

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        classifier = require(model, Classifies, self.name)

        def value(flat: Tensor) -> Tensor:
            log_p = classifier.logits(clean.like(flat)).log_softmax(1)  # (n, c)
            return -log_p.gather(1, labels[:, None])[:, 0]

        return value

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        return None if after.predicted is None or after.labels is None else after.predicted != after.labels


def fits(settings: ObjectiveSettings, model: nn.Module) -> bool:
    """Whether a model has all that an objective needs; a sum needs what its parts need."""
    try:
        settings.bind(model, blobs().views.rows(torch.arange(2)), torch.zeros(2, dtype=torch.long))
    except AbilityError:
        return False
    return True


CASES = [
    (ability, name)
    for ability, model in ONE_ABILITY.items()
    for name in PIXELS
    if fits(registry.find("objective", name)(), model)
]


def attacked(
    folder: Path, model: nn.Module, data: Dataset | None = None, **fields: Any
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    desk = Desk(folder, model, data or blobs())
    metrics, _ = done(Attack(n=20, **fields).work(desk))
    return metrics, desk.tables["samples"]


def test_the_tiny_models_have_one_ability_each() -> None:
    assert {ability: abilities(model) for ability, model in ONE_ABILITY.items()} == {
        ability: [ability] for ability in ONE_ABILITY
    }
    assert {ability for ability, _ in CASES} >= {"encodes", "clusters", "reconstructs"}


@pytest.mark.parametrize("attack", ["pgd", "fgsm", "noise"])
@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.2), ("l2", 0.6)])
@pytest.mark.parametrize(("ability", "objective"), CASES)
def test_every_objective_that_fits_is_judged(
    tmp_path: Path, ability: str, objective: str, norm: str, epsilon: float, attack: str
) -> None:
    model, target = ONE_ABILITY[ability], {"cluster": 1} if objective == "go_to_cluster" else {}
    metrics, table = attacked(
        tmp_path, model, attack=attack, objective=objective, norm=norm, epsilon=epsilon, **target
    )
    assert metrics["n"] == 20 and metrics[MEASURED[ability]] >= 0
    for other in set(ONE_ABILITY) - {ability}:
        assert MEASURED[other] not in metrics
    reaches = ability in ("clusters", "classifies") or objective == "keep_reconstruction"
    assert ("success_rate" in metrics) == ("reached" in table) == reaches
    sorts = ability == "clusters"
    assert {"cluster_clean", "flipped"} <= set(table) if sorts else "cluster_clean" not in table
    if attack != "noise":
        assert (metrics["masking_huge_reach"] is not None) == reaches
        assert metrics["masking_noise_gain"] is not None


def test_a_classifier_is_attacked_where_it_reads_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._settings, ("objective", "misread"), Misread)
    data = blobs()
    model = TinyClassifier()
    read = model.logits(data.views.all()).argmax(1).numpy()
    metrics, table = attacked(tmp_path, model, data, objective="misread", epsilon=0.3)
    label, after = table["label"], table["class_attacked"]
    assert (table["class_clean"] == read[table["id"]]).all()
    assert (table["reached"] == (after != label)).all()
    assert (table["counted"] == (table["class_clean"] == label)).all()
    assert (table["right"] == table["counted"]).all()
    assert metrics["accuracy_clean"] == pytest.approx((table["class_clean"] == label).mean())
    assert metrics["accuracy_attacked"] == pytest.approx((after == label).mean())
    assert metrics["n_success"] == table["counted"].sum()
    share = table["reached"][table["counted"]].mean() if table["counted"].any() else None
    assert metrics["success_rate"] == share
    assert metrics["class_flip_rate"] == table["class_flipped"].mean() > 0
    for control in ("noise_class_flip_rate", "other_delta_class_flip_rate"):
        assert 0 <= metrics[f"{control}_low"] <= metrics[control] <= metrics[f"{control}_high"] <= 1
    assert {"cluster_clean", "flipped"}.isdisjoint(table) and "acc_clean" not in metrics
    assert "other_delta_flip_rate" not in metrics
    assert ((table["margin_attacked"] < 0) == table["class_flipped"]).all()


def test_labels_that_are_missing_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._settings, ("objective", "misread"), Misread)
    with pytest.raises(Exception, match="misread needs the samples' labels; got none"):
        attacked(tmp_path, TinyClassifier(), blobs(labelled=False), objective="misread")


@pytest.mark.parametrize(
    ("ability", "objective"),
    [("encodes", "move_embedding"), ("reconstructs", "raise_reconstruction"), ("clusters", "leave_cluster")],
)
def test_a_model_with_one_ability_is_swept(tmp_path: Path, ability: str, objective: str) -> None:
    desk = Desk(tmp_path, ONE_ABILITY[ability], blobs())
    result, _ = done(Sweep(epsilons=(0.0, 0.1, 0.3), objective=objective, n=20).work(desk))
    values = [cell["metrics"]["objective_mean"] for cell in result["cells"]]
    assert len(values) == 3 and values == sorted(values)
    assert ("flip_rate" in result["cells"][0]["metrics"]) == (ability == "clusters")


def test_pairs_are_for_models_that_cluster(tmp_path: Path) -> None:
    with pytest.raises(AbilityError) as found:
        done(Pairs().work(Desk(tmp_path, TinyEncoder(), blobs())))
    assert str(found.value) == (
        "Who can become whom needs a model that clusters; this one (TinyEncoder) has: encodes. Choose another"
        " model."
    )


def test_a_penalty_on_the_reconstruction_needs_a_model_that_reconstructs(tmp_path: Path) -> None:
    with pytest.raises(AbilityError, match="reconstruction_change needs a model that reconstructs"):
        attacked(tmp_path, TinySorter(), lam=1.0)
    metrics, _ = attacked(tmp_path, Tiny(), lam=1.0)
    assert metrics["success_rate"] == metrics["flip_rate"]


def test_an_attack_for_the_embedding_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(AbilityError, match="Embedding attack needs a model that decodes"):
        attacked(tmp_path, Tiny(), attack="latent_attack", objective="flip_and_keep")


def test_a_fitted_attack_refuses_an_objective_about_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spread(Misread):
        needs: ClassVar[tuple[str, ...]] = ()

    monkeypatch.setitem(registry._settings, ("objective", "misread"), Spread)
    with pytest.raises(SettingsError, match="mv_gan is fitted without labels, and the objective misread"):
        attacked(tmp_path, TinyFusing(), attack="mv_gan", objective="misread")


def test_abilities_that_are_declared_exist() -> None:
    for kind in ("objective", "attack"):
        for name in registry.names(kind):
            assert set(registry.find(kind, name).needs) <= set(ABILITIES), name


def test_judging_a_model_without_clusters_asks_nothing_of_them() -> None:
    judge = Judge(TinyEncoder(), blobs(), "cpu")
    assert judge.outputs(judge.clean(torch.arange(4)).flat(), torch.arange(4)).present == {
        "encodes",
        "labels",
    }
    with pytest.raises(AbilityError, match="Counting clusters needs a model that clusters"):
        judge.clusters  # noqa: B018


class Shift(ObjectiveSettings):
    """A stand-in for objectives on the embedding other than the house's own: no weight, nothing to reach."""

    name: ClassVar[str] = "shift"
    title: ClassVar[str] = "Shift"
    needs: ClassVar[tuple[str, ...]] = ("encodes",)
    space: ClassVar[str] = "embedding"

    def bind(self, model: nn.Module, clean: Views, labels: Tensor | None = None) -> LatentObjective:
        z = require(model, Encodes, self.name).encode(clean)

        def value(rows: Tensor) -> Tensor:
            return rows[:, 0] - z[:, 0] - (rows - z).square().sum(1)

        return LatentObjective(
            value, z=z, spread=torch.zeros_like(z), drawn=lambda rows, eta: value(rows - eta)
        )


class Flat(Shift):
    """One that says that it is on the embedding and is not."""

    def bind(self, model: nn.Module, clean: Views, labels: Tensor | None = None) -> Objective:
        return Objective(lambda rows: rows.sum(1))


def test_another_objective_on_the_embedding_needs_no_other_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._settings, ("objective", "shift"), Shift)
    fields: dict[str, Any] = {"attack": "latent_attack", "attack_settings": {"variant": "per_sample"}}
    metrics, table = attacked(tmp_path, TinyDecoding(), objective="shift", **fields)
    assert table["delta"] == pytest.approx(np.full(20, 0.5), abs=1e-2)  # the best of δ₀ − ‖δ‖² is δ₀ = ½
    assert metrics["d_abs"] == pytest.approx(0.5 / 4, abs=1e-2)
    assert not {"nu", "success_rate", "linf_max"} & set(metrics) and metrics["flip_rate"] >= 0
    monkeypatch.setitem(registry._settings, ("objective", "shift"), Flat)
    with pytest.raises(SettingsError, match="needs an objective on the embedding; got one about pixels"):
        attacked(tmp_path, TinyDecoding(), objective="shift", **fields)
