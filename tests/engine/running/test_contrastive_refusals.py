"""Robust contrastive encoders and their probes: what cannot be done is told in one sentence."""

from typing import Any

import pytest

from engine.errors import FeintError
from engine.events import Failed
from engine.running.runner import prepare, run
from tests.engine.models.small import how

SHORT = {"epochs": 1, "attack_steps": 1}


@pytest.mark.parametrize(
    ("name", "base", "data", "changes", "says"),
    [
        ("ncp_acl", "digits/simclr", None, {"clusters": 5000}, "5000 clusters .* has 1797 samples; ask for"),
        ("spherical_k_means", "digits/simclr", None, {"clusters": 1}, "greater than or equal to 2; got 1"),
        ("ncp_acl", "digits/acai", None, {}, "a contrastive encoder, such as a run of simclr; got acai"),
        ("acl", "digits/adec", None, {}, "begins from a contrastive encoder"),
        ("ncp_acl", "digits/simclr", None, {"padding": 8}, "these have 8 x 8. Choose a smaller padding"),
        ("ncp_acl", "digits/simclr", "noisy_digits", {}, "one picture a sample"),
        ("linear_probe", "digits/acai", "noisy_digits", {}, "takes samples of shape 1x8x8; noisy_digits has"),
        ("adversarial_probe", "digits/acai", "noisy_digits", {}, "takes samples of shape 1x8x8"),
        ("probe_with_centroids", "digits/simclr", None, {}, "needs a model that compares"),
    ],
)
def test_a_training_that_cannot_begin(
    name: str, base: str, data: str | None, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(FeintError, match=says):
        prepare("train", name, data, changes=changes, models={"base": base})


def test_a_neighbour_beyond_the_clusters() -> None:
    wanted = SHORT | {"clusters": 2, "neighbour": 3}
    spec = prepare("train", "ncp_acl", preset="quick", changes=wanted, models={"base": "digits/simclr"})
    last = list(run(spec, how=how()))[-1]
    assert isinstance(last, Failed) and "pushes towards neighbour 3, but looks for 2 clusters" in last.reason


@pytest.mark.parametrize(
    ("attack", "model", "changes", "says"),
    [
        ("pgd", "digits/simclr", {"objective": "ncp"}, "ncp needs a model that compares"),
        ("pgd", "digits/simclr", {"objective": "leave_teacher"}, "leave_teacher needs a model that imitates"),
        ("pgd", "digits/simclr", {"objective": "cross_entropy"}, "needs a model that classifies"),
        ("autoattack", "digits/simclr", {"objective": "misclassify"}, "needs a model that classifies"),
        ("autoattack", "digits/linear_probe", {}, "can only chase misclassify; got leave_cluster"),
        ("autoattack", "digits/linear_probe", {"objective": "misclassify", "norm": "l2"}, "moves in linf"),
    ],
)
def test_an_attack_that_cannot_be_made(attack: str, model: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FeintError, match=says):
        prepare("attack", attack, models={"model": model}, changes=changes)
