"""Gradient angles of losses whose gradients are known."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.metrics import gradient_angles
from engine.metrics.gradient_angles import probe_angles, supervised_loss, supervised_targets

ROWS = torch.arange(6)
DATA = AtRest((torch.arange(24.0).reshape(6, 4) / 24,), (1.0,))
LABELS = np.array([0, 0, 1, 1, 2, 2])


class Pulled:
    """An encoder whose losses pull its one layer along given directions; q is a softmax of what it gives."""

    def __init__(
        self, pseudo: list[float], own: list[float], weight: float = 1.0, trained: bool = True
    ) -> None:
        self.encoder = nn.Linear(4, 3, bias=False)
        with torch.no_grad():
            self.encoder.weight.copy_(torch.arange(12.0).reshape(3, 4).sin())
        self.pseudo, self.own, self.weight, self.trained = (
            torch.tensor(pseudo),
            torch.tensor(own),
            weight,
            trained,
        )

    def losses(self, x: Views, index: Tensor) -> dict[str, Tensor]:
        z = self.encoder(x.flat())
        pseudo, own = (z.mean(0) * self.pseudo).sum(), (z.mean(0) * self.own).sum()
        found = {
            "pseudo": pseudo,
            "self": own,
            "total": pseudo + self.weight * own,
            "q": z.softmax(1),
            "weighted:pseudo": pseudo,
        }
        return found | ({"weighted:self": self.weight * own} if self.trained else {})


def test_angle_of_known_gradients() -> None:
    found = probe_angles(Pulled([1.0, 0.0, 0.0], [1.0, 1.0, 0.0]), DATA, LABELS, LABELS, ROWS)
    mean = float(DATA.all().flat().mean(0).norm())
    assert found["delta_fd"] == pytest.approx(0.5**0.5, abs=1e-6)
    assert found["norm_pseudo"] == pytest.approx(mean, rel=1e-6) and found["norm_self"] == pytest.approx(
        2**0.5 * mean, rel=1e-6
    )
    assert found["norm_ratio"] == pytest.approx(2**0.5, rel=1e-6) and found["norm_total"] == pytest.approx(
        5**0.5 * mean, rel=1e-6
    )
    assert found["near_stationary"] == 0 and found["hypothetical"] == 0
    assert -1 < found["delta_fr"] < 1


def test_chunks_add_gradients_not_angles(monkeypatch: pytest.MonkeyPatch) -> None:
    state = Pulled([1.0, -0.3, 0.2], [0.1, 1.0, 0.5])
    whole = probe_angles(state, DATA, LABELS, LABELS, ROWS)
    monkeypatch.setattr(gradient_angles, "CHUNK", 4)  # chunks of four and of two
    assert probe_angles(state, DATA, LABELS, LABELS, ROWS) == pytest.approx(whole, abs=1e-6)


def test_cancelling_parts_are_near_stationary() -> None:
    assert (
        probe_angles(Pulled([1.0, 0.0, 0.0], [-1.0, 0.01, 0.0]), DATA, LABELS, LABELS, ROWS)[
            "near_stationary"
        ]
        == 1
    )
    assert (
        probe_angles(Pulled([1.0, 0.0, 0.0], [-1.0, 0.3, 0.0]), DATA, LABELS, LABELS, ROWS)["near_stationary"]
        == 0
    )


def test_what_is_not_trained_is_hypothetical() -> None:
    found = probe_angles(Pulled([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], trained=False), DATA, LABELS, LABELS, ROWS)
    assert (
        found["hypothetical"] == 1
        and found["norm_ratio"] is None
        and found["delta_fd"] == pytest.approx(0, abs=1e-6)
    )


def test_no_direction_without_a_gradient() -> None:
    found = probe_angles(Pulled([1.0, 0.0, 0.0], [0.0, 0.0, 0.0]), DATA, LABELS, LABELS, ROWS)
    assert found["delta_fd"] is None and found["norm_self"] == 0 and found["norm_ratio"] == 0
    tiny = probe_angles(Pulled([1.0, 0.0, 0.0], [1e-20, 0.0, 0.0]), DATA, LABELS, LABELS, ROWS)
    assert tiny["delta_fd"] == pytest.approx(1, abs=1e-6)


def test_without_labels_only_what_needs_them_is_missing() -> None:
    found = probe_angles(Pulled([1.0, 0.0, 0.0], [1.0, 1.0, 0.0]), DATA, None, LABELS, ROWS)
    assert not {"delta_fr", "cos_sup_pseudo"} & set(found)
    assert found["delta_fd"] is not None


def test_without_losses_nothing_is_told() -> None:
    class Silent(Pulled):
        def losses(self, x: Views, index: Tensor) -> dict[str, Tensor]:
            return {}

    assert probe_angles(Silent([1.0, 0, 0], [1.0, 0, 0]), DATA, LABELS, LABELS, ROWS) == {}


def test_classes_are_matched_on_the_whole_set_and_those_left_over_are_excluded() -> None:
    clusters = np.array([2, 2, 0, 0, 0, 1])
    assert np.array_equal(supervised_targets(LABELS, clusters, 3), [2, 2, 0, 0, 1, 1])
    assert np.array_equal(supervised_targets(LABELS, np.array([1, 1, 0, 0, 0, 0]), 2), [1, 1, 0, 0, -1, -1])
    q = torch.tensor([[0.2, 0.8], [0.5, 0.5]])
    assert float(supervised_loss(q, torch.tensor([1, -1]))) == pytest.approx(-np.log(0.8), abs=1e-6)


def test_probing_leaves_no_gradient_behind() -> None:
    state = Pulled([1.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    before = state.encoder.weight.detach().clone()
    probe_angles(state, DATA, LABELS, LABELS, ROWS[:3])
    assert state.encoder.weight.grad is None and torch.equal(before, state.encoder.weight)
