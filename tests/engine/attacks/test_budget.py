"""Budgets: hand-worked projections, what holds for every point, and the sentences of what cannot be."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.attacks.budget import NORMS, Budget
from engine.errors import BudgetError

SEEDS = st.integers(0, 10_000)
NORM = st.sampled_from(NORMS)
EPSILON = st.sampled_from([0.0, 1e-4, 8 / 255, 0.1, 0.5, 1.0])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(seed: int, n: int = 5, d: int = 7) -> tuple[Tensor, Tensor]:
    """Clean rows with many pixels at the box's edges, as images have, and points anywhere around them."""
    x = (torch.rand(n, d, generator=rng(seed)) * 1.6 - 0.3).clamp(0, 1)
    return x, x + torch.randn(n, d, generator=rng(seed + 1))


def test_l2_scales_then_clips_by_hand() -> None:
    x = torch.tensor([[0.5, 0.5], [0.9, 0.5]])
    moved = torch.tensor([[0.8, 0.9], [1.9, 0.5]])  # δ = (0.3, 0.4) of length 0.5, and (1, 0)
    found = Budget("l2", torch.tensor([0.25, 0.3])).project(moved, x)
    torch.testing.assert_close(found, torch.tensor([[0.65, 0.7], [1.0, 0.5]]))


def test_linf_clips_to_ball_and_box_by_hand() -> None:
    found = Budget("linf", 0.1).project(
        torch.tensor([[0.9, 0.1, 1.4, -0.4]]), torch.tensor([[0.5, 0.5, 0.95, 0.02]])
    )
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.4, 1.0, 0.0]]))


@given(NORM, EPSILON, SEEDS)
def test_a_projection_lies_inside_and_stays(norm: str, epsilon: float, seed: int) -> None:
    x, moved = rows(seed)
    budget = Budget(norm, epsilon)
    inside = budget.project(moved, x)
    assert budget.holds(inside, x).all()
    torch.testing.assert_close(budget.project(inside, x), inside, rtol=0, atol=1e-6)


@given(NORM, SEEDS)
def test_zero_epsilon_gives_the_clean_rows_bit_by_bit(norm: str, seed: int) -> None:
    x, moved = rows(seed)
    assert torch.equal(Budget(norm, 0.0).project(moved, x), x)
    mixed = Budget(norm, torch.tensor([0.0, 0.3, 0.0, 0.3, 0.0])).project(moved, x)
    assert torch.equal(mixed[::2], x[::2])
    assert not torch.equal(mixed[1::2], x[1::2])


@given(NORM, SEEDS)
def test_rows_inside_come_back_bit_by_bit(norm: str, seed: int) -> None:
    x, _ = rows(seed)
    inside = (x + 0.01 * torch.randn(x.shape, generator=rng(seed))).clamp(0, 1)
    assert torch.equal(Budget(norm, 0.2).project(inside, x), inside)


@given(NORM, EPSILON, SEEDS)
def test_random_points_lie_inside(norm: str, epsilon: float, seed: int) -> None:
    x, _ = rows(seed)
    budget = Budget(norm, epsilon)
    assert budget.holds(budget.random_point(x, rng(seed)), x).all()
    assert budget.of(epsilon * 0.01).holds(budget.random_point(x, rng(seed), share=0.01), x).all()


@given(NORM, st.sampled_from([1e-3, 8 / 255, 0.1, 0.3]), SEEDS)
def test_noise_has_exactly_the_size_asked_for_though_the_box_cuts(
    norm: str, epsilon: float, seed: int
) -> None:
    x = torch.cat([rows(seed, d=60)[0], torch.zeros(2, 60), torch.ones(2, 60)])
    budget = Budget(norm, epsilon)
    noisy = budget.random_rim(x, rng(seed))
    torch.testing.assert_close(budget.size(noisy, x), torch.full((9,), epsilon), rtol=1e-4, atol=1e-6)
    assert ((noisy >= 0) & (noisy <= 1)).all()


def test_linf_noise_is_signs_times_epsilon() -> None:
    x = torch.full((4, 50), 0.5)
    steps = (Budget("linf", 0.2).random_rim(x, rng()) - x).abs()
    torch.testing.assert_close(steps, torch.full_like(x, 0.2))


@pytest.mark.parametrize("norm", NORMS)
def test_shared_rows_use_one_direction_scaled_by_their_epsilon(norm: str) -> None:
    x = torch.full((2, 20), 0.5).repeat_interleave(3, dim=0)
    budget = Budget(norm, torch.tensor([0.1, 0.2, 0.4] * 2), shared=3)
    for draw in (budget.random_point, budget.random_rim):
        delta = (draw(x, rng()) - x).reshape(2, 3, 20)
        torch.testing.assert_close(delta[:, 1], 2 * delta[:, 0], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(delta[:, 2], 4 * delta[:, 0], rtol=1e-4, atol=1e-6)
        assert not torch.allclose(delta[0], delta[1], atol=1e-3)


def test_steepest_is_the_sign_or_the_unit_vector_and_zero_stays_zero() -> None:
    gradient = torch.tensor([[3.0, -4.0], [0.0, 0.0], [3e-38, -4e-38]])
    torch.testing.assert_close(
        Budget("linf", 0.1).steepest(gradient), torch.tensor([[1.0, -1], [0, 0], [1, -1]])
    )
    torch.testing.assert_close(
        Budget("l2", 0.1).steepest(gradient),
        torch.tensor([[0.6, -0.8], [0, 0], [0.6, -0.8]]),
        rtol=1e-3,
        atol=0,
    )


@given(NORM, SEEDS)
def test_locked_numbers_never_move(norm: str, seed: int) -> None:
    x, moved = rows(seed)
    mask = torch.tensor([True, False, True, False, False, True, True])
    budget = Budget(norm, 0.3, mask=mask)
    for found in (
        budget.project(moved, x),
        budget.random_point(x, rng(seed)),
        budget.random_rim(x, rng(seed)),
    ):
        assert torch.equal(found[:, ~mask], x[:, ~mask])
        assert budget.holds(found, x).all()
    assert (budget.steepest(moved)[:, ~mask] == 0).all()


@pytest.mark.parametrize("mask", [None, torch.tensor([True, True, False, False, False])])
def test_random_points_fill_the_ball_evenly_also_where_numbers_are_locked(mask: Tensor | None) -> None:
    x, free = torch.full((20_000, 5), 0.5), 5 if mask is None else 2
    radius = Budget("l2", 0.3, mask=mask).size(Budget("l2", 0.3, mask=mask).random_point(x, rng()), x) / 0.3
    assert float((radius**free).mean()) == pytest.approx(0.5, abs=0.01), "in an even ball (r/ε)^d is uniform"


def test_a_row_outside_or_not_a_number_is_not_held() -> None:
    x = torch.full((4, 2), 0.5)
    moved = torch.tensor([[0.55, 0.5], [0.75, 0.5], [float("nan"), 0.5], [0.5, 0.5]])
    assert Budget("linf", 0.1).holds(moved, x).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (("linf", 8), "Budget.epsilon must be in [0, 1]; got 8. Samples are in [0, 1]: did you mean 8/255?"),
        (("linf", -0.1), "at least 0; got -0.1"),
        (("linf", float("nan")), "at least 0; got nan"),
        (("l2", float("inf")), "got inf"),
        (("l1", 0.1), "Budget.norm must be linf or l2; got 'l1'."),
        (("linf", torch.tensor([0.1, 3.0])), "in [0, 1]; got 3"),
        (("linf", torch.ones(2, 2)), "shape (2, 2)"),
    ],
)
def test_what_no_perturbation_can_satisfy_is_refused(given_: tuple[str, float], said: str) -> None:
    with pytest.raises(BudgetError) as error:
        Budget(*given_)
    assert said in str(error.value)


def test_l2_reaches_as_far_as_the_diagonal() -> None:
    x = torch.zeros(1, 16)
    assert torch.equal(Budget("l2", 4.0).project(torch.ones(1, 16), x), torch.ones(1, 16))
    with pytest.raises(BudgetError, match=r"in \[0, 4\]; got 4.5. This is the diagonal"):
        Budget("l2", 4.5).project(x, x)


def test_as_many_epsilons_as_rows() -> None:
    with pytest.raises(BudgetError, match="got 2 for 3 rows"):
        Budget("linf", torch.tensor([0.1, 0.2])).project(torch.zeros(3, 2), torch.zeros(3, 2))


def test_a_mask_that_locks_everything() -> None:
    with pytest.raises(BudgetError, match="every view is locked"):
        Budget("linf", 0.1, mask=torch.zeros(4, dtype=torch.bool))
