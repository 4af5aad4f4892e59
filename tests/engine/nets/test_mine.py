"""Per-sample MINE against its definition in numpy, against explicit projections, and against mutual
information that is known.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.errors import SettingsError
from engine.nets import mine

SIDE = (5, 6)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layer(branch: mine.Branch, at: int, row: int) -> tuple[np.ndarray, np.ndarray]:
    weight, bias = list(branch.weights)[at], list(branch.biases)[at]
    return weight[row].detach().numpy(), bias[row, :, 0].detach().numpy()


def through(branch: mine.Branch | mine.PatchBranch, u: np.ndarray, row: int) -> np.ndarray:
    """One branch on samples u (K, p), layer after layer, patch after patch: (K, q)."""
    if isinstance(branch, mine.PatchBranch):
        (height, width), maps = branch.side, u.reshape(-1, *branch.side)
        weight, bias = layer(branch.patch, 0, row)
        found = [
            maps[:, top : top + 2, left : left + 2].reshape(len(u), 4) @ weight.T + bias
            for top in range(height - 1)
            for left in range(width - 1)
        ]
        return through(branch.rest, np.concatenate(found, axis=1), row)
    for at in range(len(branch.weights)):
        weight, bias = layer(branch, at, row)
        u = u @ weight.T + bias
    return u


def by_hand(t: mine.Statistics, u: np.ndarray, v: np.ndarray, order: np.ndarray, row: int) -> float:
    """The Donsker-Varadhan bound of one sample, sum by sum."""
    out = t.out[row, 0].detach().numpy()
    first, second = through(t.of_clean, u, row), through(t.of_attacked, v, row)
    true = np.maximum(first + second, 0) @ out
    false = np.maximum(first + second[order], 0) @ out
    return float(true.mean() - np.log(np.exp(false).mean()))


def shaken(t: mine.Statistics) -> mine.Statistics:
    """The same with every sample's weights and biases moved by themselves."""
    with torch.no_grad():
        for weight in t.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=rng(weight.numel()))
    return t


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("kind", ["drawn", "given", "maps"])
def test_the_bound_is_its_definition(kind: str, published: bool) -> None:
    side = SIDE if kind == "maps" else None
    size = 30 if side else 8
    t = shaken(mine.Statistics(3, size, rng(), published, side)).double()
    x, other = torch.rand(2, 3, 20, generator=rng(1)).double()
    pairs: mine.Pairs
    if kind == "drawn":
        projections = mine.Projections(12, size)
        pairs = projections.between(x, other)(projections.drawn(x, rng(2)))
        assert isinstance(pairs, mine.Drawn)
        given = pairs.explicit()
    else:
        pairs = given = mine.Given(*torch.rand(2, 3, 12, size, generator=rng(2)).double())
    order = mine.shuffled(12, rng(3))
    found = mine.bound(*t(pairs, order)).detach()
    for row in range(3):
        u, v = given.u[row].numpy(), given.v[row].numpy()
        assert by_hand(t, u, v, order.numpy(), row) == pytest.approx(float(found[row]), rel=1e-9)


@pytest.mark.parametrize(
    ("size", "side", "weights"),
    [
        (784, (28, 28), 11_955_390),
        (1024, (32, 32), 15_756_478),
        (676, (26, 26), 10_251_454),
        (900, (30, 30), 13_790_398),
        (128, None, 142_366),
    ],
)
def test_the_published_network_has_as_many_weights(
    size: int, side: tuple[int, int] | None, weights: int
) -> None:
    assert mine.parameters(size, True, side) == weights
    assert mine.parameters(784, False, None) == 15_710


def test_the_network_has_as_many_weights_as_is_said() -> None:
    for published, side in ((True, SIDE), (True, None), (False, None)):
        t = mine.Statistics(2, 30, rng(), published, side)
        assert sum(weight.numel() for weight in t.parameters()) == 2 * mine.parameters(30, published, side)


def test_a_constant_says_nothing_and_an_added_one_changes_nothing() -> None:
    true, false = torch.randn(2, 3, 16, generator=rng())
    assert mine.bound(torch.full((3, 16), 0.7), torch.full((3, 16), 0.7)) == pytest.approx(
        torch.zeros(3), abs=1e-6
    )
    torch.testing.assert_close(mine.bound(true + 5, false + 5), mine.bound(true, false))
    order = mine.shuffled(16, rng(1))
    torch.testing.assert_close(mine.bound(true[:, order], false), mine.bound(true, false))


def test_the_algorithm_as_printed_is_never_above_zero() -> None:
    """Its first term has the shuffled pairs too: by Jensen it is at most 0, whatever the network."""
    for seed in range(20):
        t, order = shaken(mine.Statistics(4, 6, rng(seed))), mine.shuffled(9, rng(seed))
        _, false = t(mine.Given(*torch.randn(2, 4, 9, 6, generator=rng(seed))), order)
        assert bool((mine.bound(false, false) <= 1e-6).all())


def test_large_statistics_stay_finite() -> None:
    true, false = 1e4 * torch.randn(2, 3, 16, generator=rng())
    assert mine.bound(true, false).isfinite().all()


def test_one_compressed_sample_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be at least 2"):
        mine.Projections(1, 128)


def correlation(pairs: mine.Given) -> Tensor:
    u, v = pairs.u.flatten(1), pairs.v.flatten(1)
    return (u * v).mean(1) / (u.square().mean(1) * v.square().mean(1)).sqrt()


def test_projections_correlate_as_much_as_the_samples_are_alike() -> None:
    """By explicit matrices and by the shortcut alike, whatever the scale of x'."""
    x, delta = torch.rand(1, 50, generator=rng()), 0.4 * torch.randn(1, 50, generator=rng(1))
    cosine = mine.cosine(x, x + delta)
    assert 0.7 < float(cosine) < 0.95
    for matrices in (False, True):
        projections = mine.Projections(1600, 128, matrices)
        drawn = projections.drawn(x, rng(2))
        pairs = projections.between(x, x + delta)(drawn)
        given = pairs.explicit() if isinstance(pairs, mine.Drawn) else pairs
        assert isinstance(given, mine.Given)
        assert float(correlation(given)) == pytest.approx(float(cosine), abs=0.01)
        assert float(given.v.mean()) == pytest.approx(0, abs=1e-3)
        assert float(given.v.square().mean()) == pytest.approx(1, abs=1e-3)
        scaled = projections.between(x, 3.7 * (x + delta))(drawn)
        again = scaled.explicit() if isinstance(scaled, mine.Drawn) else scaled
        assert isinstance(again, mine.Given)
        torch.testing.assert_close(again.v, given.v, rtol=1e-4, atol=1e-4)


def test_the_closed_form_is_known_where_samples_are_nearly_the_same() -> None:
    """In float32 as in float64: 1 − ρ² would be rounding alone."""
    x = torch.rand(4, 784, generator=rng())
    other = x + torch.tensor([[1e-4], [1e-3], [1e-2], [1e-1]]) * torch.randn(4, 784, generator=rng(1))
    wide = torch.nn.functional.cosine_similarity(x.double(), other.double())
    expected = -64 * torch.log(1 - wide.square())
    torch.testing.assert_close(mine.closed_form(x, other, 128).double(), expected, rtol=2e-3, atol=0)
    assert mine.closed_form(x, x, 128).isfinite().all()


def fresh(n: int, d: int, rho: float, seed: torch.Generator) -> tuple[Tensor, Tensor]:
    one, two = torch.randn(2, n, d, generator=seed)
    return one, rho * one + (1 - rho**2) ** 0.5 * two


@pytest.mark.parametrize(("d", "rho", "least"), [(1, 0.5, 0.85), (1, 0.9, 0.85), (10, 0.7, 0.7), (1, 0.0, 0)])
def test_on_fresh_batches_the_bound_finds_known_information(d: int, rho: float, least: float) -> None:
    """A free network stands in for T: the bound, its permutation and its gradient are under test."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(2 * d, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
        torch.nn.Linear(64, 1),
    )  # fmt: skip
    adam, drawn = torch.optim.Adam(net.parameters(), lr=2e-3), rng(1)

    def estimate(n: int) -> Tensor:
        u, v = fresh(n, d, rho, drawn)
        shuffled = v[mine.shuffled(n, drawn)]
        true, false = (net(torch.cat([u, side], 1))[:, 0][None] for side in (v, shuffled))
        return mine.bound(true, false)[0]

    for _ in range({0.5: 250, 0.9: 400, 0.7: 500, 0.0: 100}[rho]):
        adam.zero_grad()
        (-estimate(256)).backward()
        adam.step()
    known = -d / 2 * float(np.log(1 - rho**2))
    with torch.no_grad():
        assert least * known - 0.05 * (rho == 0) <= float(estimate(20_000)) <= known + 0.1
