"""`minmax`: the most dissimilar sample that a model handles as well, or the most similar one that it errs on.

    min over δ, max over c ≥ 0 of    c · f⁺(x + δ) − s · I(x, x + δ),    ‖δ‖ ≤ ε,  x + δ in the box
    δ ← Π( δ − α g ),   g = c ∇f⁺ − s ∇I;      c ← max(0, (1 − β t^(−a)) c + β f⁺)

f = κ − the objective's value, f⁺ = max(0, f); s is the direction (−1: least alike, +1: most alike), I the
likeness of x and x + δ: per-sample MINE, its closed form, or −‖δ‖² (L2-UAE). The answer is, of all iterates
where f ≤ 0 and δ is not smaller than `smallest`, the best by `accept_by`; where there is none, x itself,
which is no success. f, I and the point belong together: all three are taken at the new δ.

Source: Hsu, Chen, Lu, Liu and Yu, "Adversarial examples can be effective data augmentation for unsupervised
machine learning", AAAI 2022, arXiv:2103.01895; where its supplement and its code differ, the settings name
both.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.accepted import Accepted
from engine.attacks.along_k import LikenessAlongK
from engine.attacks.budget import Budget
from engine.attacks.likeness import Likeness, LikenessAttack
from engine.attacks.own_draws import forked
from engine.attacks.protocols import SCORE, AttackSettings, Iterate
from engine.nets import mine
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

COMPRESSED = (2, 4, 8, 16, 32, 64, 96, 128)
"""K of a ladder over it."""


@register
class MinMax(LikenessAttack):
    """Descent on δ, ascent on the price c of failing the objective, and on the bound I."""

    name: ClassVar[str] = "minmax"
    title: ClassVar[str] = "MinMax"
    summary: ClassVar[str] = (
        "Looks for the least similar sample that the model still handles as well, or for the most similar one"
        " that it does not; how similar is estimated anew for every sample while it is moved."
    )
    equation: ClassVar[str] = r"\min_\delta \max_{c \ge 0}\; c\, f^+(x + \delta) - s\, I(x, x + \delta)"
    axes: ClassVar[tuple[str, ...]] = ("path", "epsilon", "compressed")
    traces: ClassVar[Mapping[str, str]] = {
        "f": "criterion, met below 0",
        "c": "price of failing it",
        "I": "similarity, a score",
        "I₀": "what MINE estimates of random projections: closed form, nats",
    }
    presets = {
        "paper": {
            "compressed": 500,
            "inner_steps": 20,
            "compress_by": "projections",
            "network": "published",
            "rate": 1.5e-5,
        },
        "supervised": {"direction": 1, "steps": 1000, "inner_steps": 1},
        "visible": {
            "step": "normalised",
            "step_size": 0.025,
            "start_width": 0.086,
            "first_price": 1.0,
            "accept_by": "closed_form",
            "positive": False,
            "compressed": 64,
            "size": 32,
        },
    }

    dual_step: float = knob(
        0.1, "Step of the price", "Of c.", symbol="β", source="supplement and code", gt=0, le=1, log=True
    )
    decay: float = knob(
        0.25,
        "Decay of the price",
        "The exponent a of t.",
        symbol="a",
        source="supplement (code: 0.5 where pairs are contrasted)",
        ge=0,
        le=2,
        advanced=True,
    )

    def variants(self, axis: str) -> Mapping[float, AttackSettings]:
        """The same attack with other numbers of compressed samples."""
        return {float(k): self.model_copy(update={"compressed": k}) for k in COMPRESSED}

    def in_one(self, axis: str, n: int) -> AttackSettings | None:
        """All of them for n samples, those of a sample one after the other; None where pairs are made by
        other means, which K changes.
        """
        return AlongK(**self.values(), each=COMPRESSED * n) if self.compress_by == "pairs" else None

    @property
    def iterates(self) -> int:
        """The start, every step, and the answer."""
        return self.steps + 2

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """Every iterate of δ, then the accepted one of each row, or the row itself. `rng` stays as it is."""
        rng = forked(rng)
        point = self.begun(x, objective, budget, rng) if start is None else budget.project(start, x)
        at = self.judged(objective, point)
        price = torch.full((len(x),), self.first_price, device=x.device)
        likeness, best = self.likeness(x, objective, rng), Accepted(self, x, objective)
        traces = self._traced(x, point, at.failing, price, likeness.now(point))
        yield Iterate(point, at.value, 0, traces | {SCORE: best.score})
        for t in range(1, self.steps + 1):
            point = self.moved(point, x, price, at, likeness, budget)
            likeness.fit(point)
            at, now = self.judged(objective, point), likeness.now(point)
            price = (1 - self.dual_step / t**self.decay) * price + self.dual_step * at.failing.clamp_min(0)
            price = price.clamp_min(0)
            best.take(point, at, now)
            traces = self._traced(x, point, at.failing, price, now)
            yield Iterate(point, at.value, t, traces | {SCORE: best.score})
        traces = self._traced(x, best.x, best.failing, price, best.similarity)
        yield Iterate(best.x, best.value, self.steps + 1, traces | {SCORE: best.score})

    def _traced(
        self, x: Tensor, point: Tensor, failing: Tensor, price: Tensor, now: Tensor
    ) -> dict[str, Tensor]:
        """What an iterate traces, (n,) each; the closed form has none where nothing moved."""
        told = mine.closed_form(x, point, self.size)
        moved = (point != x).any(dim=1)
        return {"f": failing, "c": price, "I": now, "I₀": torch.where(moved, told, torch.nan)}


class AlongK(MinMax):
    """The same attack with a number K of its own for every row. It is not chosen by name."""

    each: tuple[int, ...] = knob((), "Compressed samples of every row", symbol="K")

    def likeness(self, x: Tensor, objective: Objective, rng: torch.Generator) -> Likeness:
        """That of every row by its own K."""
        return LikenessAlongK(self, x, objective, rng, self.each)
