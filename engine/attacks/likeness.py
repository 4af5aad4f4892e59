"""What attacks that look at the likeness of x and x + δ have in common: I(x, x + δ) and its step.

I is per-sample MINE (`engine.nets.mine`), its closed form, or a negative distance. What is random about a
sample, its start as well as its pairs, does not depend on the samples beside it.
"""

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.own_draws import glorot_width, own_draws
from engine.attacks.protocols import AttackSettings, value_and_gradient, value_only
from engine.device import one_thread
from engine.errors import SettingsError
from engine.models.protocols import Qualifier
from engine.nets import mine
from engine.objectives.protocols import Objective, ObjectiveSettings
from engine.settings import knob

Draw = tuple[Tensor, Tensor]
"""What is random about an estimate: the projections, and the order of the shuffled pairs."""
UNMET = (
    "{} needs an objective that says when it is met; {} only has a value. Choose keep_reconstruction,"
    " misclassify or leave_cluster, without a λ."
)
MEMORY = 8e9
"""Bytes that the networks of samples that are attacked at once may take."""
BYTES = 16
"""Of a weight, with its gradient and what Adam keeps of it."""
FEW = 65
"""Samples whose networks are climbed sooner by one thread than by several: a ladder has no more."""
BESIDE = 1e-4
"""Where the clean sample has no gradient, "zero" begins so far beside it."""


class LikenessAttack(AttackSettings):
    """The settings of an attack that moves δ along the likeness, and what its steps are made of."""

    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    needs_mark: ClassVar[bool] = True
    needs_room: ClassVar[bool] = True
    fills: ClassVar[bool] = False
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (Qualifier("similarity", " (L2-UAE)", "l2"),)

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
        "Pairs made of the one pair; at least 2, for true pairs are told from shuffled ones.",
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
    start: Literal["noise", "zero"] = knob(
        "noise",
        "Start",
        "noise: beside the clean sample; zero: the clean sample itself, which plain steps hardly leave.",
        source="code (noise), supplement (zero)",
    )
    start_width: float | None = knob(
        None,
        "Width of the start",
        "Largest change of a number by that noise, never beyond the budget; unless given Glorot's for the"
        " sample's shape, at most that of 28 x 28: on 8 x 8 it would be a third of the range.",
        unit="data unit",
        source="code (Glorot's: 0.086 for 28 x 28, 0.073 for 32 x 32 x 3)",
        gt=0,
        le=1,
        advanced=True,
    )
    step: Literal["plain", "sign", "normalised"] = knob(
        "plain",
        "Step",
        "plain: the gradient as it is; sign: its signs; normalised: the gradient as long as its signs.",
        source="supplement and code (plain)",
    )
    similarity: Literal["mine", "closed_form", "l2", "distance"] = knob(
        "mine",
        "Similarity",
        "mine: the estimate; closed_form: what it estimates; l2: −‖δ‖², the L2-UAE; distance: −‖δ‖.",
        source="supplement",
    )
    accept_by: Literal["similarity", "closed_form", "l2"] = knob(
        "similarity",
        "Accepted by",
        "By what the best of the iterates is chosen.",
        source="code (similarity)",
        advanced=True,
    )
    draws: int = knob(
        1,
        "Draws of the likeness",
        "1: the likeness of an iterate is estimated on one new draw; more: on the mean over so many that"
        " stay the same, which tells iterates apart better.",
        source="code (1)",
        ge=1,
        le=100,
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
        gt=0,
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
    failed: Literal["original", "nearest"] = knob(
        "original",
        "Answer to a failure",
        "original: the sample itself; nearest: the iterate that comes nearest to the objective.",
        source="supplement (code: nearest)",
        advanced=True,
        added_later=True,
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

    @model_validator(mode="after")
    def _has_a_first_step(self) -> Self:
        if self.start == "zero" and self.similarity in ("l2", "distance"):
            raise SettingsError(
                f"{self.name}.start must be noise where the similarity is {self.similarity}: a distance"
                " has no direction at the clean sample; got zero."
            )
        return self

    @property
    def compression(self) -> mine.Compression:
        """How the answers are scored: by as many pairs of as many numbers as they were found with."""
        return mine.Compression(self.compressed, self.size)

    @property
    def chases(self) -> Literal["success", "likeness"]:
        """Success, as near as can be; or, in the other direction, what is as unlike as can be."""
        return "success" if self.direction == 1 else "likeness"

    def check(self, objective: ObjectiveSettings) -> None:
        """Raises SettingsError for an objective that does not say when it is met."""
        if objective.reached_above is None:
            raise SettingsError(UNMET.format(self.name, objective.name))

    def at_once(self, x: Tensor, objective: Objective) -> int | None:
        """As many samples as have room for their networks."""
        if self.similarity != "mine":
            return None
        if self.compress_by != "convolution" or objective.maps is None:
            return self.fitting(self.size)
        with torch.no_grad():
            _, _, height, width = objective.maps(x[:1]).shape
        return self.fitting(height * width, (height, width))

    def fitting(self, size: int, side: tuple[int, int] | None = None) -> int:
        """The same for pairs of `size` numbers, or of maps of `side`: at least 1."""
        return max(1, int(MEMORY / BYTES / mine.parameters(size, self.network == "published", side)))

    def likeness(self, x: Tensor, objective: Objective, rng: torch.Generator) -> "Likeness":
        """What measures the likeness of rows (n, d) with what they become."""
        return Likeness(self, x, objective, rng)

    def begun(self, x: Tensor, objective: Objective, budget: Budget, rng: torch.Generator) -> Tensor:
        """Where δ begins, in the budget: (n, d)."""
        if self.start == "zero" and (self.similarity == "mine" and self.compress_by != "pairs"):
            return x
        width: Tensor | float = BESIDE
        if self.start == "noise":
            drawn = glorot_width(objective.shapes or ((x.shape[1],),))
            width = self.start_width or drawn.clamp_max(float(glorot_width(((1, 28, 28),))[0])).to(x)
        return budget.project(x + width * (2 * own_draws(torch.rand, x, rng) - 1), x)

    def mark(self, objective: Objective) -> float:
        """The value that the objective must have. Raises SettingsError for one that does not say so."""
        if objective.reached_above is None:
            raise SettingsError(UNMET.format(self.name, "this one"))
        return objective.reached_above + self.margin

    def judged(self, objective: Objective, point: Tensor) -> "Judged":
        """The objective at a point (n, d), with its gradient; the value in float32."""
        value, gradient = value_and_gradient(objective, point)
        if not objective.is_exact:
            value = value_only(objective, point)
        failing = self.mark(objective) - value
        met = failing <= 0 if objective.met_at_mark or self.margin > 0 else failing < 0
        return Judged(value, failing, -gradient * (failing > 0)[:, None], met)

    def moved(
        self, point: Tensor, x: Tensor, price: Tensor, at: "Judged", likeness: "Likeness", budget: Budget
    ) -> Tensor:
        """One step of δ: down c · f⁺ − s · I, and back into ball and box."""
        slope = price[:, None] * at.slope - self.direction * likeness.gradient(point)
        if self.step == "sign":
            slope = slope.sign()
        if self.step == "normalised":
            mean_square = slope.square().mean(dim=1, keepdim=True)
            slope = slope / mean_square.sqrt().clamp_min(torch.finfo(slope.dtype).tiny)
        return budget.project(point - self.step_size * slope, x)


@dataclass(frozen=True, eq=False)
class Judged:
    """The objective at a point: its value (n,), f (n,), the gradient of f⁺ (n, d), and whether it is met."""

    value: Tensor
    failing: Tensor
    slope: Tensor
    met: Tensor


class Likeness:
    """I(x, x + δ) of every row, and the networks that estimate it where they must."""

    def __init__(self, of: LikenessAttack, x: Tensor, objective: Objective, rng: torch.Generator) -> None:
        self.of, self.x, self.rng = of, x, rng
        self.maps = objective.maps if of.compress_by == "convolution" else None
        if of.similarity != "mine":
            return
        if of.compress_by == "convolution" and self.maps is None:
            raise SettingsError(
                "Compressed by convolution needs a model that begins with one; this one does not. Take pairs."
            )
        self.projections = mine.Projections(of.compressed, of.size, of.compress_by == "projections")
        self.k, size, side = of.compressed, of.size, None
        if self.maps is not None:
            with torch.no_grad():
                clean = self.maps(x)  # (n, K, h, w)
            self.k, side = clean.shape[1], (clean.shape[2], clean.shape[3])
            self.clean, size = clean.flatten(2), math.prod(side)
        self.network = self._network(size, side)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=of.rate, fused=True, maximize=True)
        self.fixed = [self._draw() for _ in range(of.draws)] if of.draws > 1 else []

    def now(self, point: Tensor) -> Tensor:
        """The likeness at a point (n, d), without a graph: (n,)."""
        with torch.no_grad():
            if self.of.similarity != "mine" or not self.fixed:
                return self.of_point(point)
            pairs = self._pairs(point)
            return torch.stack([self._bound(pairs, draw) for draw in self.fixed]).mean(dim=0)

    def of_point(self, point: Tensor) -> Tensor:
        """The likeness at a point (n, d): (n,)."""
        if self.of.similarity == "l2":
            return -(point - self.x).square().sum(dim=1)
        if self.of.similarity == "distance":
            return -(point - self.x).norm(dim=1)
        if self.of.similarity == "closed_form":
            return mine.closed_form(self.x, point, self.of.size)
        return self._bound(self._pairs(point), self._draw())

    def gradient(self, point: Tensor) -> Tensor:
        """Its gradient by the point: (n, d)."""
        with torch.enable_grad():
            moved = point.detach().requires_grad_(True)
            return torch.autograd.grad(self.of_point(moved).sum(), moved)[0]

    def fit(self, point: Tensor) -> None:
        """Adam steps of every network up its own bound; nothing else has a gradient taken."""
        if self.of.similarity != "mine":
            return
        weights = list(self.network.parameters())
        with torch.no_grad():
            pairs = self._pairs(point)
        few = self.x.device.type == "cpu" and len(self.x) <= FEW
        with one_thread() if few else nullcontext():
            self._climb(weights, pairs)

    def _climb(self, weights: list[nn.Parameter], pairs: mine.Pairing) -> None:
        for _ in range(self.of.inner_steps):
            with torch.enable_grad():
                bound = self._bound(pairs, self._draw()).sum()
                for weight, slope in zip(weights, torch.autograd.grad(bound, weights), strict=True):
                    weight.grad = slope
            self.adam.step()

    def _network(self, size: int, side: tuple[int, int] | None) -> mine.Statistics:
        """T of every sample. Raises SettingsError where they do not fit into memory."""
        n, most = len(self.x), self.of.fitting(size, side)
        if n > most:
            raise SettingsError(
                f"The networks of {n} samples do not fit into memory. Attack at most {most} at a time, or"
                " choose the collapsed network."
            )
        published = self.of.network == "published"
        return mine.Statistics(n, size, self.rng, published, side).to(self.x.device)

    def _draw(self) -> Draw:
        drawn = self.projections.drawn(self.x, self.rng) if self.maps is None else self.x[:0]
        return drawn, mine.shuffled(self.k, self.rng)

    def _pairs(self, point: Tensor) -> mine.Pairing:
        """What makes pairs of x and a point (n, d) from a draw; maps are as they are."""
        if self.maps is None:
            return self.projections.between(self.x, point)
        given = mine.Given(self.clean, self.maps(point).flatten(2))
        return lambda _: given

    def _bound(self, pairs: mine.Pairing, draw: Draw) -> Tensor:
        drawn, order = draw
        return mine.bound(*self.network(pairs(drawn), order.to(self.x.device)))
