"""Per-sample MINE: how alike one sample and its attacked twin look to a small network, by a lower bound of
their mutual information.

    I(θ) = mean_k T(u_k, v_k) − log mean_k exp T(u_k, v_π(k))
    T(u, v) = w · relu(A(u) + B(v)),    ρ = ⟨x, x'⟩ / (‖x‖ ‖x'‖)

K pairs (u_k, v_k) of p numbers are made of the one pair (x, x'): K random projections of both, or the K maps
of the model's first convolution. Every sample has a network T of its own; those of a batch stand side by side
along the first axis, and no sample sees another's.

Of Gaussian projections the true value is known, −p/2 log(1 − ρ²): hundreds of nats. The estimate stays
between about 0 and 3. It is a score of likeness and no number of nats.

Before its only ReLU, T is affine: the published layers (512 wide, behind 16 filters of 2 x 2 for maps) say
nothing that one matrix a branch cannot, but learn at another pace. So whatever the layers, they are
multiplied into that matrix first, (B, q, p): a hundred times less than K samples through each of them.

Sources: Belghazi et al., "Mutual information neural estimation", ICML 2018, arXiv:1801.04062; Hsu, Chen, Lu,
Liu and Yu, AAAI 2022, arXiv:2103.01895, whose published code the branches and the standardisation follow.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from engine.errors import SettingsError

UNITS = 10
"""Hidden numbers of T, where both branches meet."""
WIDE = 512
"""Width within a branch of the published network."""
SCORE_STEPS, SCORE_RATE, SCORE_DRAWS = 200, 1e-3, 20
"""How a finished pair is scored: as many steps as the attack takes by default, at its rate."""
NEAREST = 1e-12
"""The least squared distance of two directions: below it, float32 knows nothing but rounding."""


class Compression(NamedTuple):
    """How many compressed pairs are made of one pair, and of how many numbers."""

    k: int
    size: int


class Affine(NamedTuple):
    """B affine maps of p numbers to q: one a sample."""

    weight: Float[Tensor, "b q p"]
    bias: Float[Tensor, "b q 1"]


@runtime_checkable
class Pairs(Protocol):
    """Pairs of compressed samples for each of B samples."""

    def through(
        self, of_clean: Affine, of_attacked: Affine
    ) -> tuple[Float[Tensor, "b q k"], Float[Tensor, "b q k"]]:
        """What T adds up before its ReLU: every u through one map, every v through the other."""
        ...


@dataclass(frozen=True, eq=False)
class Given:
    """Pairs that are there: u and v."""

    u: Float[Tensor, "b k p"]
    v: Float[Tensor, "b k p"]

    def through(
        self, of_clean: Affine, of_attacked: Affine
    ) -> tuple[Float[Tensor, "b q k"], Float[Tensor, "b q k"]]:
        """What T adds up: every u through one map, every v through the other."""
        u, v = (side.transpose(1, 2) for side in (self.u, self.v))
        return (
            torch.baddbmm(of_clean.bias, of_clean.weight, u),
            torch.baddbmm(of_attacked.bias, of_attacked.weight, v),
        )


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pairs u = g₁, v = ρ g₁ + √(1 − ρ²) g₂, standardised, of draws g₁ and g₂ that all samples share, or of
    each sample's own.

    No v is ever made: what a map makes of it is a sum of what it makes of g₁ and of g₂.
    """

    one: Float[Tensor, "*b k p"]  # both have mean 0
    two: Float[Tensor, "*b k p"]
    rho: Float[Tensor, "b"]
    across: Float[Tensor, "b"]  # √(1 − ρ²)

    def through(
        self, of_clean: Affine, of_attacked: Affine
    ) -> tuple[Float[Tensor, "b q k"], Float[Tensor, "b q k"]]:
        """What T adds up: every u through one map, every v through the other."""
        along, across = self.rho[:, None], self.across[:, None]  # (b, 1)
        first, second = self.one.square().mean(dim=-1), self.two.square().mean(dim=-1)
        both = (self.one * self.two).mean(dim=-1)
        variance = along.square() * first + 2 * along * across * both + across.square() * second
        scale = variance.rsqrt()  # (b, k), for the p numbers of v have mean 0 already
        u = of_clean.weight @ (self.one * first.rsqrt()[..., None]).mT
        of_one, of_two = of_attacked.weight @ self.one.mT, of_attacked.weight @ self.two.mT
        v = torch.addcmul((along * scale)[:, None] * of_one, (across * scale)[:, None], of_two)
        return u + (of_clean.bias + of_attacked.bias), v

    def explicit(self) -> Given:
        """The same pairs, made."""
        along, across = self.rho[:, None, None], self.across[:, None, None]
        v = standardised(along * self.one + across * self.two)
        return Given(standardised(self.one[None]).expand_as(v), v)


class Branch(nn.Module):
    """B affine maps side by side, each as one layer or as several without a ReLU between."""

    def __init__(self, batch: int, widths: Sequence[int], rng: torch.Generator) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            half = math.sqrt(6 / (inputs + outputs))  # Glorot and Bengio, 2010
            drawn = torch.empty(outputs, inputs).uniform_(-half, half, generator=rng)
            self.weights.append(nn.Parameter(drawn.expand(batch, -1, -1).clone()))
            self.biases.append(nn.Parameter(torch.zeros(batch, outputs, 1)))

    def affine(self) -> Affine:
        """All layers as one map of p numbers to q."""
        weight, bias = self.weights[0], self.biases[0]
        for further, beside in zip(self.weights[1:], self.biases[1:], strict=True):
            weight, bias = further @ weight, torch.baddbmm(beside, further, bias)
        return Affine(weight, bias)


class PatchBranch(nn.Module):
    """The published branch for maps h x w: 16 filters of 2 x 2, then two affine layers, p = h · w."""

    FILTERS = 16

    def __init__(self, batch: int, side: tuple[int, int], rng: torch.Generator) -> None:
        super().__init__()
        self.side = side
        patches = (side[0] - 1) * (side[1] - 1)
        self.patch = Branch(batch, (4, self.FILTERS), rng)
        with torch.no_grad():  # Glorot's fans of a convolution: 4 numbers in, 4 places of each filter out
            self.patch.weights[0].mul_(math.sqrt((4 + self.FILTERS) / (4 + 4 * self.FILTERS)))
        self.rest = Branch(batch, (patches * self.FILTERS, WIDE, UNITS), rng)

    def affine(self) -> Affine:
        """All layers as one map of p numbers to q: what each patch adds lands where the patch was."""
        (filters, level), (weight, bias) = self.patch.affine(), self.rest.affine()
        weight = weight.unflatten(2, (-1, self.FILTERS))  # (b, q, patches, 16)
        bias = bias + (weight.sum(2) @ level)
        at_patches = (weight @ filters[:, None]).flatten(0, 1).transpose(1, 2)  # (b · q, 4, patches)
        landed = nn.functional.fold(at_patches, self.side, kernel_size=2)  # (b · q, 1, h, w)
        return Affine(landed.flatten(1).unflatten(0, (len(bias), -1)), bias)


class Statistics(nn.Module):
    """T for a batch of B samples, each with weights of its own that begin alike.

    `published` is the network of the paper's code: 512 wide, for maps behind 16 filters of 2 x 2; else each
    branch is one affine map, which can say the same and has some hundred times fewer weights. `size` is p,
    `side` the height and width of maps.
    """

    def __init__(
        self,
        batch: int,
        size: int,
        rng: torch.Generator,
        published: bool = False,
        side: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()

        def branch() -> Branch | PatchBranch:
            if published and side is not None:
                return PatchBranch(batch, side, rng)
            return Branch(batch, (size, WIDE, UNITS) if published else (size, UNITS), rng)

        self.of_clean, self.of_attacked = branch(), branch()
        half = math.sqrt(6 / (UNITS + 1))
        drawn = torch.empty(UNITS).uniform_(-half, half, generator=rng)
        self.out = nn.Parameter(drawn.expand(batch, 1, -1).clone())

    def forward(
        self, pairs: Pairs, order: Int[Tensor, "*b k"]
    ) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b k"]]:
        """T of the pairs (u_k, v_k), and of (u_k, v_order(k)): (B, K) each."""
        u, v = pairs.through(self.of_clean.affine(), self.of_attacked.affine())
        shuffled_v = v.gather(2, order.expand_as(v))  # its backward pass is faster than an index's
        true, false = (self.out @ (u + side).relu() for side in (v, shuffled_v))
        return true[:, 0], false[:, 0]


def parameters(size: int, published: bool, side: tuple[int, int] | None) -> int:
    """How many weights T has for one sample: p = `size` numbers, or maps of `side`."""
    if published and side is not None:
        inputs = (side[0] - 1) * (side[1] - 1) * PatchBranch.FILTERS
        return 2 * (5 * PatchBranch.FILTERS + (inputs + 1) * WIDE + (WIDE + 1) * UNITS) + UNITS
    if published:
        return 2 * ((size + 1) * WIDE + (WIDE + 1) * UNITS) + UNITS
    return 2 * (size + 1) * UNITS + UNITS


def bound(true: Float[Tensor, "b k"], false: Float[Tensor, "b k"]) -> Float[Tensor, "b"]:
    """The Donsker-Varadhan bound of each sample: (B,)."""
    return true.mean(dim=1) - (false.logsumexp(dim=1) - math.log(false.shape[1]))


def apart(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"]) -> Float[Tensor, "b"]:
    """‖x/‖x‖ − x'/‖x'‖‖² of every pair of rows, from which ρ = 1 − half of it is known to all its digits also
    where ρ is nearly 1: (B,).
    """
    first, second = (nn.functional.normalize(rows, dim=1) for rows in (x, other))
    return (first - second).square().sum(dim=1).clamp(NEAREST, 4 - NEAREST)


def cosine(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"]) -> Float[Tensor, "b"]:
    """ρ of every pair of rows: (B,)."""
    return 1 - apart(x, other) / 2


def mixture(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"]) -> tuple[Tensor, Tensor]:
    """ρ and √(1 − ρ²) of every pair of rows: of what v consists, (B,) each."""
    gap = apart(x, other)
    return 1 - gap / 2, (gap * (1 - gap / 4)).sqrt()


def closed_form(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"], size: int) -> Float[Tensor, "b"]:
    """−p/2 log(1 − ρ²), the mutual information of `size` = p projected numbers of both: (B,) nats."""
    gap = apart(x, other)
    return -0.5 * size * (gap * (1 - gap / 4)).log()


Pairing = Callable[[Tensor], Pairs]
"""What makes the pairs of every sample from a draw."""


class Projections:
    """K compressed pairs of p numbers by random projection, drawn anew at every call.

    The p numbers of (M x, M x') are p draws of a bivariate normal with correlation ρ: drawn so (the exact
    shortcut), or with the matrices M themselves. The draw is shared by the samples of a batch, so that a
    sample's pairs do not depend on its neighbours. Each vector is standardised over its p numbers.
    """

    def __init__(self, k: int, size: int, matrices: bool = False) -> None:
        if k < 2:
            raise SettingsError(
                f"Compressed samples (K) must be at least 2, for pairs are told from shuffled pairs; got {k}."
            )
        self.k, self.size, self.matrices = k, size, matrices

    def between(self, x: Float[Tensor, "b d"], other: Float[Tensor, "b d"]) -> Pairing:
        """What makes the pairs of every sample from a draw; `other` (B, d) may carry a gradient."""
        if self.matrices:
            return lambda drawn: Given(*(self._projected(rows, drawn) for rows in (x, other)))
        rho, across = mixture(x, other)

        def made(drawn: Tensor) -> Drawn:
            one, two = drawn - drawn.mean(dim=-1, keepdim=True)
            return Drawn(one, two, rho, across)

        return made

    def drawn(self, x: Float[Tensor, "b d"], rng: torch.Generator) -> Tensor:
        """What is random about them: g₁ and g₂ (2, K, p), or the matrices (K · p, d)."""
        if self.matrices:
            return torch.randn(self.k * self.size, x.shape[1], generator=rng).to(x) / math.sqrt(self.size)
        return torch.randn(2, self.k, self.size, generator=rng).to(x)

    def _projected(self, rows: Tensor, matrices: Tensor) -> Tensor:
        return standardised((rows @ matrices.T).view(-1, self.k, self.size))


def standardised(u: Float[Tensor, "b k p"]) -> Float[Tensor, "b k p"]:
    """Mean 0 and deviation 1 over the p numbers of every vector."""
    centred = u - u.mean(dim=2, keepdim=True)
    return centred / centred.square().mean(dim=2, keepdim=True).sqrt().clamp_min(1e-12)


def shuffled(k: int, rng: torch.Generator) -> Int[Tensor, "k"]:
    """A random order of K pairs, which may leave some in their place, as published: (K,)."""
    return torch.randperm(k, generator=rng)


def score(
    x: Float[Tensor, "b d"], other: Float[Tensor, "b d"], of: Compression, seed: int = 0
) -> Float[Tensor, "b"]:
    """The estimate for every pair of rows by networks of its own, trained by SCORE_STEPS steps of Adam and
    then asked SCORE_DRAWS times, on pairs by random projection: (B,). The same for the same rows and seed.
    """
    rng, projections = torch.Generator().manual_seed(seed), Projections(*of)
    network = Statistics(len(x), of.size, rng).to(x.device)
    adam = torch.optim.Adam(network.parameters(), lr=SCORE_RATE, fused=True, maximize=True)
    pairs = projections.between(x, other)

    def estimate() -> Tensor:
        order = shuffled(of.k, rng).to(x.device)
        return bound(*network(pairs(projections.drawn(x, rng)), order))

    with torch.enable_grad():
        for _ in range(SCORE_STEPS):
            adam.zero_grad(set_to_none=True)
            estimate().sum().backward()
            adam.step()
    with torch.no_grad():
        return torch.stack([estimate() for _ in range(SCORE_DRAWS)]).mean(dim=0)
