"""Per-sample MINE: how alike one sample and its attacked twin look to a small network, by a lower bound of
their mutual information.

    I(θ) = mean_k T(u_k, v_k) − log mean_k exp T(u_k, v_π(k))
    T(u, v) = w · relu(A(u) + B(v)),    ρ = ⟨x, x'⟩ / (‖x‖ ‖x'‖)

K pairs (u_k, v_k) of p numbers are made of the one pair (x, x'): K random projections of both, or the K maps
of the model's first convolution. Every sample has a network T of its own; those of a batch stand side by side
along the first axis, and no sample sees another's.

Of Gaussian projections the true value is known, −p/2 log(1 − ρ²): hundreds of nats. The estimate stays
between about 0 and 3. It is a score of likeness and no number of nats.

Sources: Belghazi et al., "Mutual information neural estimation", ICML 2018, arXiv:1801.04062; Hsu, Chen, Lu,
Liu and Yu, AAAI 2022, arXiv:2103.01895, whose published code the branches and the standardisation follow.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from engine.errors import SettingsError

UNITS = 10
"""Hidden numbers of T, where both branches meet."""
WIDE = 512
"""Width within a branch of the published network."""
ALIKE = 1 - 1e-6
"""The largest |ρ|: beyond it 1 − ρ² is rounding alone."""


class Branch(nn.Module):
    """B affine maps side by side, as one layer or as several without a ReLU between: (B, K, p) -> (B, K,
    q).
    """

    def __init__(self, batch: int, widths: Sequence[int], rng: torch.Generator) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            half = math.sqrt(6 / (inputs + outputs))  # Glorot and Bengio, 2010
            drawn = torch.empty(inputs, outputs).uniform_(-half, half, generator=rng)
            self.weights.append(nn.Parameter(drawn.expand(batch, -1, -1).clone()))
            self.biases.append(nn.Parameter(torch.zeros(batch, 1, outputs)))

    def forward(self, u: Float[Tensor, "b k p"]) -> Float[Tensor, "b k q"]:
        for weight, bias in zip(self.weights, self.biases, strict=True):
            u = torch.baddbmm(bias, u, weight)
        return u


class PatchBranch(nn.Module):
    """The published branch for maps: 16 filters of 2 x 2, then two affine maps: (B, K, h·w) -> (B, K, q)."""

    FILTERS = 16

    def __init__(self, batch: int, side: tuple[int, int], rng: torch.Generator) -> None:
        super().__init__()
        self.side = side
        patches = (side[0] - 1) * (side[1] - 1)
        self.patch = Branch(batch, (4, self.FILTERS), rng)
        self.rest = Branch(batch, (patches * self.FILTERS, WIDE, UNITS), rng)

    def forward(self, u: Float[Tensor, "b k p"]) -> Float[Tensor, "b k q"]:
        batch, k, _ = u.shape
        maps = u.reshape(batch, k, *self.side)
        patches = maps.unfold(2, 2, 1).unfold(3, 2, 1).reshape(batch, -1, 4)
        return self.rest(self.patch(patches).reshape(batch, k, -1))


class Statistics(nn.Module):
    """T for a batch of B samples, each with weights of its own that begin alike.

    `published` is the network of the paper's code: 512 wide, for maps behind 16 filters of 2 x 2; else each
    branch is one affine map, which can say the same and is some hundred times smaller. `size` is p, `side`
    the height and width of maps.
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

        def branch() -> nn.Module:
            if published and side is not None:
                return PatchBranch(batch, side, rng)
            return Branch(batch, (size, WIDE, UNITS) if published else (size, UNITS), rng)

        self.of_clean, self.of_attacked = branch(), branch()
        half = math.sqrt(6 / (UNITS + 1))
        drawn = torch.empty(UNITS).uniform_(-half, half, generator=rng)
        self.out = nn.Parameter(drawn.expand(batch, 1, -1).clone())

    def forward(
        self, u: Float[Tensor, "b k p"], v: Float[Tensor, "b k p"], order: Int[Tensor, "k"]
    ) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b k"]]:
        """T of the pairs (u_k, v_k), and of (u_k, v_order(k)): (B, K) each."""
        of_clean, of_attacked = self.of_clean(u), self.of_attacked(v)
        true = (of_clean + of_attacked).relu().mul(self.out).sum(dim=2)
        false = (of_clean + of_attacked[:, order]).relu().mul(self.out).sum(dim=2)
        return true, false


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


def cosine(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"]) -> Float[Tensor, "b"]:
    """ρ of every pair of rows, kept just inside (−1, 1), with a gradient there too: (B,)."""
    found = nn.functional.cosine_similarity(x, other, dim=1, eps=1e-12)
    return found * ALIKE


def closed_form(x: Float[Tensor, "b d"], other: Float[Tensor, "b d"], size: int) -> Float[Tensor, "b"]:
    """−p/2 log(1 − ρ²), the mutual information of `size` = p projected numbers of both: (B,) nats."""
    return -0.5 * size * torch.log1p(-cosine(x, other).square())


class Projections:
    """K compressed pairs of p numbers by random projection, drawn anew at every call.

    The p numbers of (M x, M x') are p draws of a bivariate normal with correlation ρ: drawn so (`exact`
    shortcut), or with the matrices M themselves. The draw is shared by the samples of a batch, so that a
    sample's pairs do not depend on its neighbours. Each vector is standardised over its p numbers.
    """

    def __init__(self, k: int, size: int, matrices: bool = False) -> None:
        if k < 2:
            raise SettingsError(
                f"Compressed samples (K) must be at least 2, for pairs are told from shuffled pairs; got {k}."
            )
        self.k, self.size, self.matrices = k, size, matrices

    def pairs(
        self, x: Float[Tensor, "b d"], other: Float[Tensor, "b d"], rng: torch.Generator
    ) -> tuple[Float[Tensor, "b k p"], Float[Tensor, "b k p"]]:
        """u and v of every sample: (B, K, p) each; `other` (B, d) may carry a gradient."""
        if self.matrices:
            drawn = torch.randn(self.k * self.size, x.shape[1], generator=rng).to(x) / math.sqrt(self.size)
            u, v = (rows @ drawn.T for rows in (x, other))
            return standardised(u.view(-1, self.k, self.size)), standardised(v.view(-1, self.k, self.size))
        one, two = torch.randn(2, 1, self.k, self.size, generator=rng).to(x)
        rho = cosine(x, other)[:, None, None]
        v = rho * one + (1 - rho.square()).sqrt() * two
        return standardised(one).expand(len(x), -1, -1), standardised(v)


def standardised(u: Float[Tensor, "b k p"]) -> Float[Tensor, "b k p"]:
    """Mean 0 and deviation 1 over the p numbers of every vector."""
    centred = u - u.mean(dim=2, keepdim=True)
    return centred / centred.square().mean(dim=2, keepdim=True).sqrt().clamp_min(1e-12)


def shuffled(k: int, rng: torch.Generator) -> Int[Tensor, "k"]:
    """A random order of K pairs, which may leave some in their place, as published: (K,)."""
    return torch.randperm(k, generator=rng)
