"""`minmax_penalty`: the likeness under a fixed price of failing, and a binary search over that price.

    min over δ of    c · f⁺(x + δ) − s · I(x, x + δ),    ‖δ‖ ≤ ε,  x + δ in the box

for one c after the other, each from a new start with new networks: after a success c is halved towards the
largest price that failed, after a failure it moves towards the least that succeeded, or is ten times as large
while none did. The answer is the best success of all. Beside `minmax` it takes as many times longer as it
tries prices.

Source: the penalty method of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895, after Carlini and
Wagner, "Towards evaluating the robustness of neural networks", S&P 2017, arXiv:1608.04644. Their estimator's
step moves δ too; here it does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.accepted import Accepted
from engine.attacks.budget import Budget
from engine.attacks.likeness import Likeness, LikenessAttack
from engine.attacks.own_draws import forked
from engine.attacks.protocols import SCORE, Iterate
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

HIGHEST = 1e10
"""A price that nothing has shown to be high enough."""


@register
class MinMaxPenalty(LikenessAttack):
    """Descent on δ at one price of failing, then at another."""

    name: ClassVar[str] = "minmax_penalty"
    title: ClassVar[str] = "Penalty method"
    summary: ClassVar[str] = (
        "What MinMax finds in one descent, by a binary search over the price of failing, one descent for"
        " each."
    )
    equation: ClassVar[str] = r"\min_c \min_\delta\; c\, f^+(x + \delta) - s\, I(x, x + \delta)"
    axes: ClassVar[tuple[str, ...]] = ("path", "epsilon")
    traces: ClassVar[Mapping[str, str]] = {
        "f": "criterion, met below 0",
        "c": "price of failing it",
        "I": "similarity",
    }
    slow: ClassVar[bool] = True
    presets = {
        "paper": {
            "steps": 1000,
            "compressed": 500,
            "inner_steps": 20,
            "compress_by": "projections",
            "network": "published",
            "rate": 2e-5,
        }
    }

    direction: Literal[-1, 1] = knob(
        1,
        "Direction",
        "+1: the most similar sample that is mistaken; −1: the least similar one that is handled as well.",
        symbol="s",
        source="code",
    )
    prices: int = knob(9, "Prices", "How many prices are tried.", source="code", ge=1, le=50)

    @property
    def iterates(self) -> int:
        """The start and every step of each price, and the answer."""
        return self.prices * (self.steps + 1) + 1

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """Every iterate at every price, then the accepted one of each row, or the row itself."""
        rng, best = forked(rng), Accepted(self, x, objective)
        search, step = _Search.begun(self.first_price, x), 0
        for _ in range(self.prices):
            point = self.begun(x, objective, budget, rng) if start is None else budget.project(start, x)
            at, likeness = self.judged(objective, point), Likeness(self, x, objective, rng)
            now, met = likeness.now(point), torch.zeros(len(x), dtype=torch.bool, device=x.device)
            for inner in range(self.steps + 1):
                if inner:
                    point = self.moved(point, x, search.price, at, likeness, budget)
                    likeness.fit(point)
                    at, now = self.judged(objective, point), likeness.now(point)
                    met |= best.take(point, at, now)
                score = best.score if inner else torch.full_like(best.score, -torch.inf)
                traces = {"f": at.failing, "c": search.price, "I": now, SCORE: score}
                yield Iterate(point, at.value, step, traces)
                step += 1
            search = search.after(met)
        traces = {"f": best.failing, "c": search.price, "I": best.similarity, SCORE: best.score}
        yield Iterate(best.x, best.value, step, traces)


@dataclass(frozen=True, eq=False)
class _Search:
    """The price of each row (n,), between the largest that failed and the least that succeeded."""

    price: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def begun(cls, price: float, x: Tensor) -> "_Search":
        column = torch.ones(len(x), device=x.device)
        return cls(price * column, 0 * column, HIGHEST * column)

    def after(self, met: Tensor) -> "_Search":
        """The next price of each row, where this one was high enough (n,) or was not."""
        high = torch.where(met, torch.minimum(self.high, self.price), self.high)
        low = torch.where(met, self.low, torch.maximum(self.low, self.price))
        return _Search(torch.where(met | (high < HIGHEST), (low + high) / 2, 10 * self.price), low, high)
