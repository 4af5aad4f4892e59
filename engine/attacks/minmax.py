"""`minmax`: the most dissimilar sample that a model handles as well, or the most similar one that it errs on.

    min over δ, max over c ≥ 0 of    c · f⁺(x + δ) − s · I(x, x + δ),    ‖δ‖ ≤ ε,  x + δ in the box
    δ ← Π( δ − α g ),   g = c ∇f⁺ − s ∇I;      c ← max(0, (1 − β t^(−a)) c + β f⁺)

f = κ − the objective's value, f⁺ = max(0, f); s is the direction (−1: least alike, +1: most alike), I the
likeness of x and x + δ: per-sample MINE, its closed form, or −‖δ‖² (L2-UAE). The answer is, of all iterates
where f < 0 and δ is larger than `smallest`, the best by `accept_by`; where there is none, x itself, which is
no success. f, I and the point belong together: all three are taken at the new δ.

Source: Hsu, Chen, Lu, Liu and Yu, "Adversarial examples can be effective data augmentation for unsupervised
machine learning", AAAI 2022, arXiv:2103.01895; where its supplement and its code differ, the settings name
both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import SCORE, AttackSettings, Iterate, value_and_gradient, value_only
from engine.errors import SettingsError
from engine.nets import mine
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

COMPRESSED = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 500)
"""K of a ladder over it."""
MEMORY = 8e9
"""Bytes that the networks of a chunk of samples may take, with what Adam keeps of them."""


@register
class MinMax(AttackSettings):
    """Descent on δ, ascent on the price c of failing the objective, and on the bound I."""

    name: ClassVar[str] = "minmax"
    title: ClassVar[str] = "MinMax"
    summary: ClassVar[str] = (
        "Looks for the least similar sample that the model still handles as well, or for the most similar one"
        " that it does not; how similar is estimated anew for every sample while it is moved."
    )
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"\min_\delta \max_{c \ge 0}\; c\, f^+(x + \delta) - s\, I(x, x + \delta)"

    axes: ClassVar[tuple[str, ...]] = ("path", "epsilon", "compressed")
    traces: ClassVar[Mapping[str, str]] = {
        "f": "criterion, met below 0",
        "c": "price of failing it",
        "I": "similarity",
    }

    direction: Literal[-1, 1] = knob(
        -1,
        "Direction",
        "−1: the least similar sample that is handled as well; +1: the most similar one that is mistaken.",
        symbol="s",
        source="supplement (+1), code (−1 where nothing is labelled)",
    )
    steps: int = knob(40, "Steps", "Steps of δ.", symbol="T", source="supplement and code", ge=1, le=5000)
    compressed: int = knob(
        96,
        "Compressed samples",
        "Pairs made of the one pair.",
        symbol="K",
        source="supplement, table 5",
        ge=2,
        le=2000,
    )
    inner_steps: int = knob(
        5,
        "Steps of the estimate",
        "Adam steps of each sample's network after every step of δ.",
        symbol="T_I",
        source="Feint (code: 20, or 1 where labels are used)",
        ge=1,
        le=200,
    )
    step_size: float = knob(
        0.01, "Step size", "Of δ.", symbol="α", source="supplement and code", gt=0, le=10, log=True
    )
    dual_step: float = knob(
        0.1, "Step of the price", "Of c.", symbol="β", source="supplement and code", gt=0, le=1, log=True
    )
    start: Literal["noise", "zero"] = knob(
        "noise",
        "Start",
        "noise: beside the clean sample; zero: the clean sample itself, which plain steps hardly leave.",
        source="code (noise), supplement (zero)",
    )
    start_width: float = knob(
        0.086,
        "Width of the start",
        "Largest change of a number by that noise; never beyond the budget.",
        unit="data unit",
        source="code (Glorot's: 0.086 for 28 x 28, 0.073 for 32 x 32 x 3)",
        gt=0,
        le=1,
        advanced=True,
    )
    step: Literal["plain", "sign", "normalised"] = knob(
        "plain",
        "Step",
        "plain: the gradient as it is; sign: its signs; normalised: at length 1.",
        source="supplement and code (plain)",
    )
    similarity: Literal["mine", "closed_form", "l2"] = knob(
        "mine",
        "Similarity",
        "mine: the estimate; closed_form: what it estimates; l2: −‖δ‖², the L2-UAE.",
        source="supplement",
    )
    accept_by: Literal["similarity", "closed_form", "l2"] = knob(
        "similarity",
        "Accepted by",
        "By what the best of the iterates is chosen.",
        source="code (similarity)",
        advanced=True,
    )
    positive: bool = knob(
        True,
        "Positive estimates alone",
        "An estimate below zero is noise of the estimator, and no answer.",
        source="code",
        advanced=True,
    )
    smallest: float = knob(
        1e-3,
        "Smallest δ",
        "In L2; what moves less is no success.",
        source="Feint",
        ge=0,
        le=10,
        advanced=True,
    )
    margin: float = knob(
        0.0,
        "Margin",
        "By how much the objective must be met.",
        symbol="κ",
        source="supplement",
        ge=0,
        le=100,
        advanced=True,
    )
    first_price: float = knob(
        1e-3,
        "First price",
        "c before the first step.",
        symbol="c₀",
        source="code (supplement: 0)",
        ge=0,
        le=1000,
        advanced=True,
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
    compress_by: Literal["pairs", "projections", "convolution"] = knob(
        "pairs",
        "Compressed by",
        "projections: random matrices; pairs: the same law drawn at once; convolution: the maps of the"
        " model's first convolution.",
        source="supplement",
        advanced=True,
    )
    size: int = knob(
        128,
        "Numbers of a compressed sample",
        "Where projections make them.",
        symbol="d'",
        source="supplement",
        ge=2,
        le=2048,
        advanced=True,
    )
    network: Literal["collapsed", "published"] = knob(
        "collapsed",
        "Network of the estimate",
        "published: 512 wide; collapsed: the same functions by one affine map a branch.",
        source="code",
        advanced=True,
    )
    rate: float = knob(
        1e-3,
        "Learning rate",
        "Of the estimate's Adam.",
        source="Feint (code: 1.5e-5, for the wide network)",
        gt=0,
        le=1,
        log=True,
        advanced=True,
    )

    def variants(self, axis: str) -> Mapping[float, AttackSettings]:
        """The same attack with other numbers of compressed samples."""
        return {float(k): self.model_copy(update={"compressed": k}) for k in COMPRESSED}

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
        """Every iterate of δ, then the accepted one of each row, or the row itself."""
        if objective.reached_above is None:
            raise SettingsError(
                "minmax needs an objective that says when it is met; this one only has a value. Choose"
                " keep_reconstruction, misclassify or leave_cluster."
            )
        price = torch.full((len(x),), self.first_price, device=x.device)
        likeness = _Likeness(self, x, objective, rng)
        point = budget.project(self._begin(x, budget, rng) if start is None else start, x)
        failing, gradient = self._criterion(objective, point)
        best = _Accepted(self, x, objective)
        yield Iterate(point, -failing, 0, {"f": failing, "c": price, "I": likeness.now(point)})
        for t in range(1, self.steps + 1):
            dual = price[:, None] * gradient * (failing > 0)[:, None]
            slope = dual - self.direction * likeness.gradient(point)
            point = budget.project(point - self.step_size * self._stride(slope, budget), x)
            likeness.fit(point)
            failing, gradient = self._criterion(objective, point)
            now = likeness.now(point)
            price = (1 - self.dual_step / t**self.decay) * price + self.dual_step * failing.clamp_min(0)
            price = price.clamp_min(0)
            best.take(point, failing, now)
            yield Iterate(point, -failing, t, {"f": failing, "c": price, "I": now})
        traces = {"f": -best.value, "c": price, "I": best.similarity, SCORE: best.score}
        yield Iterate(best.x, best.value, self.steps + 1, traces)

    def _criterion(self, objective: Objective, point: Tensor) -> tuple[Tensor, Tensor]:
        """f (n,) in float32 and its gradient (n, d)."""
        mark = self.margin + (objective.reached_above or 0.0)
        value, gradient = value_and_gradient(objective, point)
        if not objective.is_exact:
            value = value_only(objective, point)
        return mark - value, -gradient

    def _stride(self, slope: Tensor, budget: Budget) -> Tensor:
        if self.step == "plain":
            return slope
        if self.step == "sign":
            return slope.sign()
        return slope / slope.norm(dim=1, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)

    def _begin(self, x: Tensor, budget: Budget, rng: torch.Generator) -> Tensor:
        if self.start == "zero":
            return x
        return replace(budget, norm="linf", epsilon=self.start_width).random_point(x, rng)


class _Likeness:
    """I(x, x + δ) of every row, and the networks that estimate it where they must."""

    def __init__(self, of: MinMax, x: Tensor, objective: Objective, rng: torch.Generator) -> None:
        self.of, self.x, self.rng = of, x, rng
        self.maps = objective.maps if of.compress_by == "convolution" else None
        if of.similarity != "mine":
            return
        if of.compress_by == "convolution" and self.maps is None:
            raise SettingsError(
                "Compressed by convolution needs a model that begins with one; this one does not. Take pairs."
            )
        self.projections = mine.Projections(of.compressed, of.size, of.compress_by == "projections")
        with torch.no_grad():
            clean = None if self.maps is None else self.maps(x[:1])  # (1, K, h, w)
        side = None if clean is None else (int(clean.shape[2]), int(clean.shape[3]))
        size = of.size if side is None else side[0] * side[1]
        published = of.network == "published"
        weights = mine.parameters(size, published, side)
        if 16 * weights * len(x) > MEMORY:
            raise SettingsError(
                f"The published network has {weights:,} weights a sample: {len(x)} samples do not fit."
                f" Attack at most {int(MEMORY / 16 / weights)}, or choose the collapsed one."
            )
        self.network = mine.Statistics(len(x), size, rng, published, side).to(x.device)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=of.rate, fused=True)

    def now(self, point: Tensor) -> Tensor:
        """The likeness at a point (n, d), without a graph: (n,)."""
        with torch.no_grad():
            return self.of_point(point)

    def of_point(self, point: Tensor) -> Tensor:
        """The likeness at a point (n, d): (n,)."""
        if self.of.similarity == "l2":
            return -(point - self.x).square().sum(dim=1)
        if self.of.similarity == "closed_form":
            return mine.closed_form(self.x, point, self.of.size)
        u, v = self._pairs(point)
        return mine.bound(*self.network(u, v, mine.shuffled(u.shape[1], self.rng)))

    def gradient(self, point: Tensor) -> Tensor:
        """Its gradient by the point: (n, d)."""
        with torch.enable_grad():
            moved = point.detach().requires_grad_(True)
            return torch.autograd.grad(self.of_point(moved).sum(), moved)[0]

    def fit(self, point: Tensor) -> None:
        """Adam steps of every network up its own bound."""
        if self.of.similarity != "mine":
            return
        with torch.enable_grad():
            for _ in range(self.of.inner_steps):
                self.adam.zero_grad(set_to_none=True)
                (-self.of_point(point.detach()).sum()).backward()
                self.adam.step()

    def _pairs(self, point: Tensor) -> tuple[Tensor, Tensor]:
        if self.maps is None:
            return self.projections.pairs(self.x, point, self.rng)
        with torch.no_grad():
            clean = self.maps(self.x).flatten(2)
        return clean, self.maps(point).flatten(2)


class _Accepted:
    """The best iterate so far that meets the objective, row by row; the row itself where there is none."""

    def __init__(self, of: MinMax, x: Tensor, objective: Objective) -> None:
        self.of, self.clean, self.x = of, x, x
        self.value = value_only(objective, x)
        self.score = torch.full((len(x),), -torch.inf, device=x.device)
        self.similarity = torch.full((len(x),), torch.nan, device=x.device)

    def take(self, point: Tensor, failing: Tensor, similarity: Tensor) -> None:
        """Keep the rows of an iterate that meet the objective and are better than those before."""
        delta = (point - self.clean).norm(dim=1)
        known = {
            "similarity": similarity,
            "closed_form": mine.closed_form(self.clean, point, self.of.size),
            "l2": -delta,
        }
        score = self.of.direction * known[self.of.accept_by]
        wins = (failing < 0) & (delta >= self.of.smallest) & (delta > 0) & (score > self.score)
        if self.of.positive and self.of.similarity == "mine":
            wins &= similarity > 0
        self.x = torch.where(wins[:, None], point, self.x)
        self.value = torch.where(wins, -failing, self.value)
        self.score = torch.where(wins, score, self.score)
        self.similarity = torch.where(wins, similarity, self.similarity)
