"""Ladders: monotone by construction, exact at level 0, and ε* against a closed form."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.attacks import ladder as ladders
from engine.attacks.budget import NORMS, Budget
from engine.attacks.fgsm import FGSM
from engine.attacks.ladder import Attempt, binding, reaching
from engine.attacks.noise import Noise
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.errors import BudgetError
from engine.models.outputs import Outputs
from engine.objectives import combine
from engine.objectives.go_to_cluster import GoToCluster
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.move_embedding import MoveEmbedding
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.objectives.reconstruction_change import ReconstructionChange
from tests.engine.tiny import SIZE, Tiny, TinyClassifier, images

LEVELS = torch.linspace(0, 0.4, 9)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flips(model: Tiny, clean: Views) -> ladders.Reached:
    """Leaving the cluster, worked out without the objective."""
    own = model.log_assign(clean).argmax(1)
    return lambda moved, index: model.log_assign(clean.like(moved)).argmax(1) != own[index]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from(NORMS),
    st.sampled_from([PGD(steps=4), PGD(steps=3, restarts=2), FGSM()]),
    st.sampled_from([LeaveCluster(), GoToCluster(cluster=1)]),
)
def test_a_ladder_is_monotone_and_who_has_left_stays_away(
    seed: int, norm: str, attack: PGD, objective: ObjectiveSettings
) -> None:
    model, clean = Tiny(seed, clusters=4), images(6, seed)
    ladder = ladders.over_epsilon(Attempt(binding(objective, model), clean, attack, norm), LEVELS, rng(seed))
    assert (ladder.value.diff(dim=1) >= 0).all()
    moved = ladder.reached(flips(model, clean)) if isinstance(objective, LeaveCluster) else ladder.value > 0
    assert (moved.int().diff(dim=1) >= 0).all()
    assert torch.equal(ladder.x[:, 0], clean.flat())
    for level in range(len(LEVELS)):
        assert Budget(norm, float(LEVELS[level])).holds(ladder.x[:, level], clean.flat()).all()


def test_independent_starts_would_not_be_monotone() -> None:
    """What the construction is for: the same attack level by level un-flips some samples."""
    model, clean = Tiny(clusters=6), images(300)
    judged = flips(model, clean)
    objective, budgets = LeaveCluster().bind(model, clean), [Budget("linf", float(level)) for level in LEVELS]
    answers = [
        answer(PGD(steps=2).perturb(clean.flat(), objective, budget, rng(seed))).x
        for seed, budget in enumerate(budgets)
    ]
    moved = torch.stack([judged(x, torch.arange(300)) for x in answers], dim=1)
    assert (moved.int().diff(dim=1) < 0).any()


def test_a_level_equals_the_attack_alone_where_that_is_the_best_so_far() -> None:
    model, clean = Tiny(), images(1)
    ladder = ladders.over_epsilon(Attempt(binding(LeaveCluster(), model), clean, PGD(), "linf"), [0.1], rng())
    alone = answer(PGD().perturb(clean.flat(), LeaveCluster().bind(model, clean), Budget("linf", 0.1), rng()))
    torch.testing.assert_close(ladder.x[:, 0], alone.x)
    torch.testing.assert_close(ladder.value[:, 0], alone.value)


def test_nested_takes_the_best_of_all_levels_up_to_each() -> None:
    x = torch.arange(4.0).reshape(1, 4, 1)
    found = ladders.nested(ladders.Ladder(torch.arange(4.0)[None], x, torch.tensor([[0.0, 3.0, 1.0, 4.0]])))
    assert found.x.flatten().tolist() == [0, 1, 1, 3]
    assert found.value.tolist() == [[0, 3, 3, 4]]


def test_noise_keeps_its_size_at_every_level() -> None:
    """A control is not chosen by the objective: one direction, scaled, and never the better noise of a lower
    level.
    """
    model, clean = Tiny(), Views([torch.full((3, 1, 3, 4), 0.5)])
    ladder = ladders.over_epsilon(
        Attempt(binding(LeaveCluster(), model), clean, Noise(), "linf"), LEVELS, rng()
    )
    delta = ladder.x - clean.flat()[:, None]
    torch.testing.assert_close(delta.abs(), LEVELS[None, :, None].expand_as(delta))
    assert torch.equal(delta[:, 1].sign(), delta[:, 8].sign())


def test_levels_may_differ_from_sample_to_sample() -> None:
    model, clean = Tiny(), images(2)
    levels = torch.tensor([[0.0, 0.1], [0.2, 0.3]])
    ladder = ladders.over_epsilon(
        Attempt(binding(LeaveCluster(), model), clean, PGD(), "linf"), levels, rng()
    )
    torch.testing.assert_close((ladder.x[0, 1] - clean.flat()[0]).abs().max(), torch.tensor(0.1))
    assert (ladder.x[1, 0] - clean.flat()[1]).abs().max() <= 0.2 + 1e-6


@pytest.mark.parametrize("levels", [[0.2, 0.1], [], [[0.1, 0.2]] * 3])
def test_levels_that_do_not_rise_are_refused(levels: list[float]) -> None:
    with pytest.raises(BudgetError, match="levels must rise"):
        ladders.over_epsilon(
            Attempt(binding(LeaveCluster(), Tiny()), images(2), PGD(), "linf"), torch.tensor(levels), rng()
        )


def test_a_path_shows_every_iterate_and_ends_in_the_answer() -> None:
    model, clean = Tiny(), images(3)
    attack, objective = PGD(steps=6), LeaveCluster().bind(model, clean)
    path = ladders.over_path(Attempt(binding(LeaveCluster(), model), clean, attack, "linf"), 0.2, rng())
    assert path.x.shape == (3, 7, SIZE)
    assert path.levels[0].tolist() == list(range(7))
    torch.testing.assert_close(path.value[:, -1], path.value.amax(1))
    assert torch.equal(
        path.x[:, -1], answer(attack.perturb(clean.flat(), objective, Budget("linf", 0.2), rng())).x
    )


def test_over_lambda_keeps_the_reconstruction_better_and_is_the_sum_at_each_weight() -> None:
    model, clean, weights = Tiny(), images(8), [0.0, 1.0, 30.0]
    wanted, penalty = binding(LeaveCluster(), model), binding(ReconstructionChange(), model)
    ladder = ladders.over_lambda(Attempt(wanted, clean, PGD(), "linf"), penalty, weights, 0.2, rng())
    for place, weight in enumerate(weights):
        objective = combine("leave_cluster", weight).bind(model, clean)
        torch.testing.assert_close(ladder.value[:, place], objective(ladder.x[:, place]))
        alone = answer(PGD().perturb(clean.flat(), objective, Budget("linf", 0.2), rng()))
        torch.testing.assert_close(alone.x, ladder.x[:, place])  # the same start for every λ
    change = ReconstructionChange().bind(model, clean)
    means = [float(change(ladder.x[:, place]).mean()) for place in range(3)]
    assert means[2] < means[0] / 2


class Halves(Tiny):
    """Two clusters split at the mean of an image's numbers: m < 0.5 and m > 0.5; ε* is |m − 0.5| in L∞."""

    def encode(self, x: Views) -> Tensor:
        return x.flat().mean(1, keepdim=True)

    def log_assign(self, x: Views) -> Tensor:
        z = self.encode(x)
        return torch.cat([0.5 - z, z - 0.5], dim=1).mul(20).log_softmax(1)

    def reconstruct(self, x: Views) -> Tensor:
        return self.encode(x).expand(-1, SIZE)


def test_the_smallest_epsilon_is_an_upper_bound_close_to_the_truth() -> None:
    model, clean = Halves(), Views([torch.rand(40, 1, 3, 4, generator=rng(4)) * 0.5 + 0.25])
    bind = binding(LeaveCluster(), model)
    ladder = ladders.over_epsilon(Attempt(bind, clean, PGD(), "linf"), torch.linspace(0, 0.25, 9), rng())
    found = ladders.smallest_reaching(
        Attempt(bind, clean, PGD(), "linf"), ladder, flips(model, clean), rng(), rounds=3, splits=7
    )
    truth = (clean.flat().mean(1) - 0.5).abs()  # room enough on every side of the box
    assert (found.epsilon >= truth - 1e-6).all()
    assert (found.epsilon <= truth + 0.25 / 8 / 8**3 + 1e-6).all()
    assert flips(model, clean)(found.x, torch.arange(40)).all()
    assert Budget("linf", found.epsilon).holds(found.x, clean.flat()).all()


def test_what_is_never_reached_is_infinitely_far_and_stays_clean() -> None:
    model, clean = Halves(), Views([torch.stack([torch.full((1, 3, 4), 0.49), torch.full((1, 3, 4), 0.05)])])
    bind = binding(LeaveCluster(), model)
    ladder = ladders.over_epsilon(Attempt(bind, clean, PGD(), "linf"), [0.0, 0.05, 0.1], rng())
    found = ladders.smallest_reaching(Attempt(bind, clean, PGD(), "linf"), ladder, flips(model, clean), rng())
    assert found.epsilon[0] == pytest.approx(0.01, abs=2e-3)
    assert math.isinf(found.epsilon[1])
    assert torch.equal(found.x[1], clean.flat()[1])


def test_a_sample_that_is_there_already_needs_no_epsilon() -> None:
    model, clean = Halves(), Views([torch.full((1, 1, 3, 4), 0.8)])
    bind = binding(GoToCluster(cluster=1), model)
    ladder = ladders.over_epsilon(Attempt(bind, clean, PGD(), "linf"), [0.0, 0.1], rng())

    arrived = reaching(GoToCluster(cluster=1), model, clean)
    assert arrived is not None
    found = ladders.smallest_reaching(Attempt(bind, clean, PGD(), "linf"), ladder, arrived, rng())
    assert found.epsilon.tolist() == [0.0]
    assert torch.equal(found.x, clean.flat())


def test_whether_a_level_is_reached_is_asked_of_the_objective() -> None:
    model, clean = Tiny(), images(5)
    moved, index = images(10, seed=3).flat(), torch.arange(5).repeat(2)
    left = reaching(combine("leave_cluster", 2.0), model, clean)
    assert left is not None and torch.equal(left(moved, index), flips(model, clean)(moved, index))
    assert reaching(MoveEmbedding(), model, clean) is None


class Misread(ObjectiveSettings):
    """A stand-in for objectives about labels: a class other than the label wins."""

    needs_labels = True

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        def value(flat: Tensor) -> Tensor:
            log_p = model.logits(clean.like(flat)).log_softmax(1)  # type: ignore[operator]
            return -log_p.gather(1, labels[:, None])[:, 0]

        return value

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        return None if after.predicted is None else after.predicted != after.labels


def test_labels_follow_their_samples_into_every_level() -> None:
    model, clean = TinyClassifier(), images(12)
    labels = model.logits(clean).argmax(1)
    labels[::3] = (labels[::3] + 1) % 3  # read wrongly from the start
    bind, wrong = binding(Misread(), model, labels), reaching(Misread(), model, clean, labels)
    assert wrong is not None
    ladder = ladders.over_epsilon(Attempt(bind, clean, PGD(), "linf"), LEVELS, rng())
    found = ladders.smallest_reaching(Attempt(bind, clean, PGD(), "linf"), ladder, wrong, rng())
    assert (found.epsilon[::3] == 0).all()
    others = found.epsilon[torch.arange(12) % 3 != 0]
    assert torch.isfinite(others).any() and (others > 0).all()
    there = torch.isfinite(found.epsilon)
    assert torch.equal(model.logits(clean.like(found.x)).argmax(1) != labels, there)
