"""FID and KID against closed forms, against scipy's matrix root, and where there is nothing to compare."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from engine.metrics.frechet import fid, kid

RNG = np.random.default_rng(0)


def drawn(n: int, shift: float = 0.0, d: int = 6) -> np.ndarray:
    mix = np.random.default_rng(1).normal(size=(d, d))
    return RNG.normal(size=(n, d)) @ mix + shift


def test_fid_is_its_formula() -> None:
    one, two = drawn(300), 1.5 * drawn(200, 0.4)
    own, other = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    expected = np.square(one.mean(0) - two.mean(0)).sum() + np.trace(
        own + other - 2 * sqrtm(own @ other).real
    )
    assert fid(one, two) == pytest.approx(expected, rel=1e-6)
    assert fid(two, one) == pytest.approx(expected, rel=1e-6)
    assert fid(one, one) == pytest.approx(0, abs=1e-3)
    assert fid(one, one + 2) == pytest.approx(6 * 4, rel=1e-6)  # a shift alone


def test_fid_holds_with_fewer_samples_than_features() -> None:
    one = drawn(5, d=6)
    assert fid(one, one) == pytest.approx(0, abs=1e-3)


def test_kid_is_its_sums() -> None:
    one, two = drawn(7), drawn(5, 0.3)

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 6 + 1) ** 3)

    within = [
        np.mean([k(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j])
        for rows in (one, two)
    ]
    across = np.mean([k(a, b) for a in one for b in two])
    assert kid(one, two) == pytest.approx(sum(within) - 2 * across, rel=1e-9)


def test_kid_of_two_halves_is_zero_but_for_chance() -> None:
    found = np.array([kid(rows[:100], rows[100:]) for rows in (drawn(200) for _ in range(40))], float)
    assert abs(found.mean()) < 3 * found.std(ddof=1) / np.sqrt(len(found))
    assert float(kid(drawn(100), drawn(100, 4.0)) or 0) > 2 * np.abs(found).max()


def test_where_there_is_nothing_to_compare_there_is_no_number() -> None:
    rows = drawn(4)
    broken = rows.copy()
    broken[0, 0] = np.nan
    for measure in (fid, kid):
        assert measure(rows[:1], rows) is None and measure(rows, broken) is None
