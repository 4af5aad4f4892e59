"""What an attack along the likeness answers: the best of the iterates that it accepts; where it accepts none,
the sample itself, or the iterate that comes nearest to the objective.
"""

import torch
from torch import Tensor

from engine.attacks.likeness import Judged, LikenessAttack
from engine.attacks.protocols import value_only
from engine.nets import mine
from engine.objectives.protocols import Objective


class Accepted:
    """The best iterate so far that meets the objective, row by row; where there is none, as `failed` says."""

    def __init__(self, of: LikenessAttack, x: Tensor, objective: Objective) -> None:
        self.of, self.clean, self.x = of, x, x
        self.value = value_only(objective, x)
        self.failing = of.mark(objective) - self.value
        self.score = torch.full((len(x),), -torch.inf, device=x.device)
        self.similarity = torch.full((len(x),), torch.nan, device=x.device)

    def take(self, point: Tensor, at: Judged, similarity: Tensor) -> Tensor:
        """Keep the rows of an iterate that meet the objective and are better than those before; which of them
        count as a success: (n,) bool.
        """
        delta = (point - self.clean).norm(dim=1)
        known = {"similarity": similarity, "l2": -delta}
        if self.of.accept_by == "closed_form":
            known["closed_form"] = mine.closed_form(self.clean, point, self.of.size)
        score = self.of.direction * known[self.of.accept_by]
        counts = at.met & (delta >= self.of.smallest)
        if self.of.positive and self.of.similarity == "mine":
            counts &= similarity > 0
        wins = counts & (score > self.score)
        self.score = torch.where(wins, score, self.score)
        if self.of.failed == "nearest":
            wins |= (self.score == -torch.inf) & ~at.met & (at.failing < self.failing)
        self.x = torch.where(wins[:, None], point, self.x)
        self.value = torch.where(wins, at.value, self.value)
        self.failing = torch.where(wins, at.failing, self.failing)
        self.similarity = torch.where(wins, similarity, self.similarity)
        return counts
