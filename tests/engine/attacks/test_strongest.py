"""The strongest attack: nothing that PGD reaches is lost, more is found, who fell is left alone."""

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from engine.attacks import ladder as ladders
from engine.attacks.budget import NORMS, Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import AttackSettings, answer
from engine.attacks.strongest import Strongest
from engine.data.views import Views
from engine.models.outputs import Outputs, outputs
from engine.objectives import combine
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.move_embedding import MoveEmbedding
from engine.objectives.mv_disrupt import MvDisrupt
from engine.objectives.protocols import Measure, Objective, ObjectiveSettings, added
from tests.engine.tiny import Tiny, TinyFusing, images

SMALL = Strongest(starts=2, steps=10)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def launched(attack: AttackSettings, model: Tiny, objective: ObjectiveSettings, budget: Budget) -> Tensor:
    clean = images(60)
    return answer(attack.perturb(clean.flat(), objective.bind(model, clean), budget, rng())).x


def fell(model: Tiny, objective: ObjectiveSettings, x: Tensor) -> Tensor:
    clean = images(60)
    found = objective.reached(outputs(model, clean), outputs(model, clean.like(x)))
    assert found is not None
    return found


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    "objective", [LeaveCluster(), MvDisrupt(), combine("leave_cluster", 0.5)], ids=lambda each: each.name
)
def test_what_pgd_reaches_is_reached_sample_by_sample(objective: ObjectiveSettings, norm: str) -> None:
    model, budget = TinyFusing(clusters=4), Budget(norm, 0.08 if norm == "linf" else 0.3)
    one, all_of_them = (fell(model, objective, launched(a, model, objective, budget)) for a in (PGD(), SMALL))
    assert 0 < one.sum() < len(one)
    assert (all_of_them | ~one).all()


def test_a_paper_s_own_objective_is_not_all_that_a_multi_view_model_is_tried_with() -> None:
    """PGD on mv_disrupt moves the embeddings, not always over the border."""
    model, budget = TinyFusing(clusters=4), Budget("linf", 0.08)
    one, more = (fell(model, MvDisrupt(), launched(a, model, MvDisrupt(), budget)) for a in (PGD(), SMALL))
    assert more.sum() > one.sum()


class Detour(ObjectiveSettings):
    """What is reached far from the clean sample, and worth most at it."""

    name: ClassVar[str] = "detour"
    stationary_at_clean: ClassVar[bool] = True

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """Largest at the clean sample."""
        return lambda flat: -(flat - clean.flat()).square().sum(1)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """As far off as a random start."""
        return (after.x - before.x).abs().mean(1) > 0.02


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_what_a_path_came_by_counts_where_no_value_says_so(penalty: float) -> None:
    model, clean, budget = Tiny(), images(20), Budget("linf", 0.1)
    bound = Detour().bind(model, clean)
    if penalty:
        still = Objective(lambda flat: flat.sum(1) * 0, bind_rows=lambda index: still)
        bound = added([(1.0, bound), (-penalty, still)])
    attack = Strongest(starts=1, steps=10)
    points = list(attack.perturb(clean.flat(), bound, budget, rng()))
    assert bound.reached is not None
    there = bound.reached(points[-1].x)
    walked = torch.stack([bound.reached(point.x) for point in points[: PGD().iterates]]).any(dim=0)
    assert there is not None and walked.all(), "every path begins at random, and farther off"
    assert bool(there.all()) == (penalty == 0.0), "under a penalty the best point is the answer"


def test_a_sample_that_pgd_reached_keeps_pgd_s_answer() -> None:
    model, budget = Tiny(clusters=4), Budget("linf", 0.08)
    one, other = (launched(attack, model, LeaveCluster(), budget) for attack in (PGD(), SMALL))
    there = fell(model, LeaveCluster(), one)
    assert torch.equal(other[there], one[there])


def test_without_a_notion_of_success_the_largest_value_of_all_starts_is_the_answer() -> None:
    clean, budget = images(20), Budget("linf", 0.1)
    bound = MoveEmbedding().bind(Tiny(), clean)
    one, all_of_them = (answer(a.perturb(clean.flat(), bound, budget, rng())).value for a in (PGD(), SMALL))
    assert (all_of_them >= one).all()
    assert (all_of_them > one).any()


def test_chunks_after_the_first_start_where_pgd_starts_them() -> None:
    clean, budget = images(20), Budget("linf", 0.05)
    bound, points = LeaveCluster().bind(Tiny(), clean), []
    for attack in (PGD(), SMALL):
        same = rng()
        answer(attack.perturb(clean.flat(), bound, budget, same))
        points.append(next(iter(attack.perturb(clean.flat(), bound, budget, same))).x)
    assert torch.equal(*points)


def test_each_alternative_aims_at_another_cluster_and_is_positive_only_where_the_own_is_left() -> None:
    model, clean = Tiny(clusters=4), images(40)
    bound = LeaveCluster().bind(model, clean)
    aims = bound.others(None)
    assert len(aims) == 3
    assert len(bound.others(2)) == 2
    moved = (clean.flat() + 0.3 * torch.randn(40, 12, generator=rng())).clamp(0, 1)
    values = torch.stack([aim(moved) for aim in aims])
    torch.testing.assert_close(values.amax(0), bound(moved))  # the best of all targets is the margin
    nearest = torch.stack([aim(clean.flat()) for aim in aims])
    assert (nearest.diff(dim=0) <= 0).all()  # the nearest first
    some = torch.tensor([3, 7])
    torch.testing.assert_close(aims[1].rows(some)(moved[some]), values[1][some])


def test_over_lambda_it_pays_the_penalty_at_every_weight() -> None:
    model, clean = Tiny(clusters=4), images(10)
    wanted, penalty = (
        ladders.binding(combine(name), model) for name in ("leave_cluster", "reconstruction_change")
    )
    for attack in (PGD(), SMALL):
        ladder = ladders.over_lambda(
            ladders.Attempt(wanted, clean, attack, "linf"), penalty, [0.0, 50.0], 0.2, rng()
        )
        moved = (ladder.x - clean.flat()[:, None]).norm(dim=2).mean(0)
        assert moved[1] < moved[0]
