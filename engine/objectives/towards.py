"""Towards one other group: what an attack that tries several targets makes large, group by group.

    f(x') = s_t(x') − s_c(x')

s are log q or class logits, c is the group to leave, t the other group that is the rank-th nearest to the
clean sample by s. Above zero the sample has left c, as t itself or another group beats it; against `max over
the others` the gradient never changes its mind. Source: the targeted loss of Croce and Hein, "Reliable
evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020,
arXiv:2003.01690 (there with a ratio of logits).
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.protocols import Classifies, Clusters, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.settings import knob

Scores = Callable[[Views], Tensor]


class Towards(ObjectiveSettings):
    """What both have; neither is offered by itself: `leave_cluster` and `misclassify` hand them out."""

    reached_above: ClassVar[float | None] = 0.0

    rank: int = knob(0, "Rank", "0 is the nearest other group of the clean sample.", ge=0)

    def _lead(self, scores: Scores, clean: Views, own: Tensor) -> Measure:
        with torch.no_grad():
            others = scores(clean).float().scatter(1, own[:, None], -torch.inf)
        pair = torch.stack([others.argsort(dim=1, descending=True)[:, self.rank], own], dim=1)  # (n, 2)

        def lead(flat: Tensor) -> Tensor:
            target, left = scores(clean.like(flat)).float().gather(1, pair).unbind(dim=1)
            return target - left

        return lead


class ToCluster(Towards):
    """Towards the rank-th nearest other cluster, in log q."""

    name: ClassVar[str] = "to_cluster"
    needs: ClassVar[tuple[str, ...]] = ("clusters",)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """Its lead over each sample's clean cluster."""
        log_assign = require(model, Clusters, self.name).log_assign
        with torch.no_grad():
            own = log_assign(clean).float().argmax(dim=1)
        return self._lead(log_assign, clean, own)


class ToClass(Towards):
    """Towards the rank-th nearest wrong class, in logits."""

    name: ClassVar[str] = "to_class"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    needs_labels: ClassVar[bool] = True

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        """Its lead over each sample's label."""
        return self._lead(require(model, Classifies, self.name).logits, clean, labels)


def groups(scores: Scores, clean: Views) -> int:
    """How many groups there are, by what is said of the first sample."""
    with torch.no_grad():
        return scores(clean.rows(torch.zeros(1, dtype=torch.long))).shape[1]
