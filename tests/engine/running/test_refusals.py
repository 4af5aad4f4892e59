"""Choices that could only fail are refused before a run begins, in one sentence, and leave no folder."""

from pathlib import Path

import numpy as np
import pytest

from engine import device
from engine.errors import AbilityError, DataError, FeintError, SettingsError
from engine.events import Finished
from engine.running.runner import prepare, run
from engine.store.store import Store

PROBE = {"steps": 40, "evaluate_every": 40}
PENALTY = {"parts": [[1.0, {"name": "misclassify"}], [-1.0, {"name": "move_embedding"}]]}
SILENT = {"parts": [[1.0, {"name": "leave_cluster"}], [0.0, {"name": "misclassify"}]]}


@pytest.fixture
def probe(home: Path) -> str:
    """The key of a model that classifies and does not cluster."""
    spec = prepare("train", "linear_probe", models={"base": "digits/adec"}, changes=PROBE)
    last = list(run(spec, how=device.choose("cpu", "float32", 1)))[-1]
    assert isinstance(last, Finished), last
    return spec.key


def refused(error: type[FeintError], says: str, action: str, name: str, model: str, **more: object) -> None:
    before = {run.key for run in Store().all()}
    with pytest.raises(error, match=says) as caught:
        prepare(action, name, **({"models": {"model": model}} | more))
    assert "\n" not in str(caught.value)
    assert {run.key for run in Store().all()} == before


@pytest.mark.parametrize(
    ("action", "name", "changes", "says"),
    [
        ("attack", "pgd", {"objective": "misclassify"}, "misclassify needs a model that classifies"),
        ("sweep", "pgd", {"objective": "misclassify"}, "misclassify needs a model that classifies"),
        (
            "attack",
            "pgd",
            {"objective": "weighted_sum", "objective_settings": PENALTY},
            "misclassify needs a model that classifies",
        ),
        ("attack", "mv_gan", {"objective": "leave_cluster"}, "needs a model that fuses"),
    ],
)
def test_what_a_clustering_cannot_do(action: str, name: str, changes: dict[str, object], says: str) -> None:
    refused(
        AbilityError,
        f"{says}; digits/adec .adec. has: encodes, clusters",
        action,
        name,
        "digits/adec",
        changes=changes,
    )


def test_a_part_of_no_weight_needs_nothing() -> None:
    changes = {"objective": "weighted_sum", "objective_settings": SILENT}
    assert prepare("attack", "pgd", models={"model": "digits/adec"}, changes=changes).name == "pgd"


def test_what_a_classifier_cannot_do(probe: str, tmp_path: Path) -> None:
    for action, name, changes, says in (
        ("attack", "pgd", {"objective": "leave_cluster"}, "leave_cluster needs a model that clusters"),
        ("sweep", "pgd", {"objective": "leave_cluster"}, "leave_cluster needs a model that clusters"),
        (
            "attack",
            "pgd",
            {"objective": "misclassify", "lam": 1.0},
            "reconstruction_change needs a model that",
        ),
        (
            "sweep",
            "pgd",
            {"objective": "misclassify", "lams": [0, 1.0]},
            "reconstruction_change needs a model",
        ),
        ("pairs", "pgd", {}, "Who can become whom needs a model that clusters"),
        (
            "attack",
            "latent_attack",
            {"objective": "flip_and_keep"},
            "Embedding attack needs a model that deco",
        ),
    ):
        refused(AbilityError, says, action, name, probe, changes=changes)
    assert (
        prepare("attack", "pgd", models={"model": probe}, changes={"objective": "misclassify"}).data
        == "digits"
    )
    x = np.random.default_rng(0).uniform(size=(60, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "plain.npz", x=x)
    plain = str(tmp_path / "plain.npz")
    for action in ("attack", "sweep"):
        changes = {"objective": "misclassify"}
        refused(
            DataError,
            "needs the samples' labels, and .* has none",
            action,
            "pgd",
            probe,
            data=plain,
            changes=changes,
        )


@pytest.mark.parametrize("action", ["attack", "sweep", "pairs"])
def test_a_model_is_a_run_that_trained_one(action: str) -> None:
    refused(
        SettingsError,
        "model must be a run that trained a model; .* is a run of attack",
        action,
        "pgd",
        "digits/conv_ae.attack",
    )
    refused(
        SettingsError,
        f"{action} needs a trained model; got none",
        action,
        "pgd",
        "",
        data="digits",
        models={},
    )


@pytest.mark.parametrize("action", ["attack", "sweep"])
def test_a_locked_view_is_one_of_the_data(action: str) -> None:
    says, changes = "locked must name views from 0 to 0; got 1", {"locked": [1], "objective": "leave_cluster"}
    refused(SettingsError, says, action, "pgd", "digits/adec", changes=changes)
    says, changes = "locked must name views from 0 to 1; got 2", {"locked": [0, 2], "objective": "mv_disrupt"}
    refused(SettingsError, says, action, "pgd", "noisy_digits/comvc", changes=changes)


def test_pairs_and_sweeps_take_nothing_fitted() -> None:
    refused(SettingsError, "need not be fitted; got mv_gan", "pairs", "mv_gan", "noisy_digits/comvc")
    fitted = {"model": "digits/conv_ae", "fitted": "digits/conv_ae.attack"}
    changes = {"objective": "leave_cluster"}
    refused(SettingsError, "sweep takes no fitted", "sweep", "pgd", "", models=fitted, changes=changes)
