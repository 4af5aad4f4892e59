"""The house's doubts about hidden gradients speak for classifiers, too, and for AutoAttack."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.running.attacking import Attack
from tests.engine.tiny import Desk, blobs, done

DATA: Dataset = blobs(40, shape=(1, 8, 8))


class Centres(nn.Module):
    """Classifies by the nearest of three mean pictures; `steps` levels of grey hide its gradient, `sharp`
    saturates its softmax.
    """

    def __init__(self, steps: int = 0, sharp: float = 20.0) -> None:
        super().__init__()
        x, labels = DATA.views.all().flat(), torch.from_numpy(DATA.labels)
        self.centres = torch.stack([x[labels == label].mean(0) for label in range(3)])
        self.steps, self.sharp = steps, sharp

    def logits(self, x: Views) -> Tensor:
        flat = x.flat()
        seen = (flat * self.steps).round() / self.steps if self.steps else flat
        return -self.sharp * (seen[:, None] - self.centres).square().mean(2)


def attacked(folder: Path, model: nn.Module, **fields: Any) -> dict[str, Any]:
    attack = Attack(**{"objective": "misclassify", "epsilon": 0.3, "n": 40} | fields)
    return done(attack.work(Desk(folder, model, DATA)))[0]


def test_an_open_classifier_raises_no_doubt(tmp_path: Path) -> None:
    metrics = attacked(tmp_path, Centres())
    assert metrics["doubts"] == [] and metrics["masking_zero_gradient"] == 0
    assert metrics["masking_huge_reach"] == 1 and metrics["accuracy_clean"] == 1


@pytest.mark.parametrize(
    ("model", "objective"),
    [(Centres(steps=4), "misclassify"), (Centres(sharp=1e5), "cross_entropy")],
)
def test_a_hidden_gradient_is_doubted(tmp_path: Path, model: Centres, objective: str) -> None:
    """Grey levels are flat between their steps; a softmax of huge logits is exactly 0 or 1."""
    metrics = attacked(tmp_path, model, objective=objective)
    assert metrics["masking_zero_gradient"] > 0.9
    assert any("gradients vanish" in doubt for doubt in metrics["doubts"])


def test_autoattack_is_judged_by_what_it_reaches(tmp_path: Path) -> None:
    few = {"attack": "autoattack", "attack_settings": {"steps": 5, "queries": 30, "apgd_t": False}}
    metrics = attacked(tmp_path, Centres(), **few)
    assert metrics["masking_huge_reach"] == 1 and metrics["masking_noise_gain"] is None
    assert metrics["strongest_n"] == 40 and metrics["accuracy_attacked"] == 1 - metrics["success_rate"]


def test_accuracy_under_epsilon_0_is_the_clean_one(tmp_path: Path) -> None:
    metrics = attacked(tmp_path, Centres(), epsilon=0)
    assert metrics["accuracy_attacked"] == metrics["accuracy_clean"] == 1
