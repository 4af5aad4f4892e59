"""Attacks: closed forms on linear objectives, parity of PGD with torchattacks, and what every registered
attack must keep.
"""

from dataclasses import replace

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from engine import registry
from engine.attacks.budget import NORMS, Budget
from engine.attacks.fgsm import FGSM
from engine.attacks.noise import Noise
from engine.attacks.pgd import PGD
from engine.attacks.protocols import AttackSettings, answer
from engine.models.protocols import ABILITIES
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.move_embedding import MoveEmbedding
from engine.objectives.protocols import Objective
from tests.engine.tiny import SIZE, Tiny, images

PIXEL_ATTACKS = [
    name
    for name in registry.names("attack")
    if not registry.find("attack", name).fitted
    and registry.find("attack", name).space == "pixels"
    and not registry.find("attack", name).only_for  # has a file of its own
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


FEWER: dict[str, dict[str, int]] = {"minmax_penalty": {"prices": 2}}
"""Of an attack that repeats itself: fewer rounds than usual."""


def linear(seed: int = 1) -> tuple[Objective, Tensor]:
    weight = torch.randn(SIZE, generator=rng(seed))
    return Objective(lambda flat: flat @ weight), weight


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", PIXEL_ATTACKS)
def test_every_attack_answers_inside_its_budget_the_same_for_the_same_seed(name: str, norm: str) -> None:
    clean, attack = images(6), registry.find("attack", name)(**FEWER.get(name, {}))
    budget = Budget(norm, torch.tensor([0.0, 0.05, 0.1, 0.2, 0.4, 0.8]))
    objective = LeaveCluster().bind(Tiny(), clean)
    iterates = list(attack.perturb(clean.flat(), objective, budget, rng()))
    assert len(iterates) <= attack.iterates_for(objective)  # fewer where samples fall early
    assert iterates[-1].step == attack.iterates_for(objective) - 1
    for iterate in iterates:
        assert budget.holds(iterate.x, clean.flat()).all()
        assert torch.equal(iterate.x[0], clean.flat()[0])  # ε = 0, bit by bit
        torch.testing.assert_close(iterate.value, objective(iterate.x))
    assert torch.equal(answer(attack.perturb(clean.flat(), objective, budget, rng())).x, iterates[-1].x)


@pytest.mark.parametrize("name", PIXEL_ATTACKS)
def test_every_attack_leaves_locked_numbers_alone(name: str) -> None:
    clean, mask = images(4), torch.arange(SIZE) % 3 == 0
    objective, budget = LeaveCluster().bind(Tiny(), clean), Budget("linf", 0.3, mask=mask)
    attack = registry.find("attack", name)(**FEWER.get(name, {}))
    path = list(attack.perturb(clean.flat(), objective, budget, rng()))
    assert all(torch.equal(moved.x[:, ~mask], clean.flat()[:, ~mask]) for moved in path)
    assert any(not torch.equal(moved.x[:, mask], clean.flat()[:, mask]) for moved in path)


def test_fgsm_on_a_linear_objective_is_the_closed_form() -> None:
    objective, weight = linear()
    x = images(5).flat()
    for norm, direction in (("linf", weight.sign()), ("l2", weight / weight.norm())):
        found = answer(FGSM().perturb(x, objective, Budget(norm, 0.1), rng())).x
        torch.testing.assert_close(found, (x + 0.1 * direction).clamp(0, 1))


@pytest.mark.parametrize("attack", [PGD(), PGD(random_start=False), PGD(restarts=3, steps=10)])
def test_pgd_reaches_the_corner_of_a_linear_objective(attack: PGD) -> None:
    objective, weight = linear()
    x = images(5).flat()
    torch.testing.assert_close(
        answer(attack.perturb(x, objective, Budget("linf", 0.1), rng())).x,
        (x + 0.1 * weight.sign()).clamp(0, 1),
    )


@pytest.mark.parametrize("settings", [{}, {"stop": True}, {"restarts": 3}, {"step_size": 0.1}])
def test_pgd_without_a_step_answers_its_start(settings: dict[str, object]) -> None:
    objective, _ = linear()
    x = images(5).flat()
    for epsilon in (0.0, 0.1):
        attack, budget = PGD(steps=0, **settings), Budget("linf", epsilon)
        path = list(attack.perturb(x, objective, budget, rng()))
        assert len(path) == attack.iterates == 1
        torch.testing.assert_close(path[0].value, objective(path[0].x))
        assert (path[0].x - x).abs().max() <= epsilon + 1e-6 and torch.equal(path[0].x, x) == (epsilon == 0)
    still = answer(PGD(steps=0, random_start=False).perturb(x, objective, Budget("linf", 0.1), rng())).x
    assert torch.equal(still, x)


def test_pgd_in_l2_reaches_the_optimum_of_a_linear_objective() -> None:
    objective, weight = linear()
    x = torch.full((3, SIZE), 0.5)  # away from the box
    best = objective(x + 0.2 * weight / weight.norm())
    torch.testing.assert_close(
        answer(PGD(random_start=False).perturb(x, objective, Budget("l2", 0.2), rng())).value, best
    )
    gain = answer(PGD().perturb(x, objective, Budget("l2", 0.2), rng())).value - objective(x)
    assert (gain > 0.95 * (best - objective(x))).all()  # from a random start it has turned nearly all the way


class Probe(nn.Module):
    """A linear classifier of flat images."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(SIZE, 3)
        with torch.no_grad():
            self.layer.weight.copy_(torch.randn(3, SIZE, generator=rng(3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(1))


@pytest.mark.parametrize(
    ("peer", "norm", "epsilon", "step"),
    [
        (torchattacks.PGD, "linf", 0.1, 0.02),
        (torchattacks.PGD, "linf", 0.03, 0.01),
        (torchattacks.PGDL2, "l2", 0.5, 0.1),
    ],
)
def test_pgd_equals_torchattacks_on_a_linear_probe(
    peer: type, norm: str, epsilon: float, step: float
) -> None:
    """Same loss (cross-entropy), step, number of steps and start: the same images."""
    probe, clean = Probe().eval(), images(8, seed=5)
    labels = probe(clean[0]).argmax(1)
    theirs = peer(probe, eps=epsilon, alpha=step, steps=7, random_start=False)(clean[0], labels)
    objective = Objective(lambda flat: nn.functional.cross_entropy(probe(flat), labels, reduction="none"))
    ours = answer(
        PGD(steps=7, step_size=step, random_start=False).perturb(
            clean.flat(), objective, Budget(norm, epsilon), rng()
        )
    ).x
    assert (ours - clean.flat()).abs().amax() > epsilon / 4
    torch.testing.assert_close(ours, theirs.flatten(1), rtol=0, atol=2e-6)


def test_rows_without_a_gradient_stay() -> None:
    """The second row's objective is flat: PGD from the clean sample leaves it bit by bit, and moves the
    first.
    """
    x = images(2).flat()
    objective = Objective(lambda flat: torch.stack([flat[0].sum(), 0 * flat[1].sum()]))
    for attack in (PGD(random_start=False), FGSM()):
        for norm in NORMS:
            moved = answer(attack.perturb(x, objective, Budget(norm, 0.1), rng())).x
            assert torch.equal(moved[1], x[1])
            assert not torch.equal(moved[0], x[0])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("attack", [FGSM(), PGD(random_start=False), PGD()])
def test_a_stationary_objective_is_left_by_a_small_random_start(attack: AttackSettings, norm: str) -> None:
    clean = images(5)
    objective = MoveEmbedding().bind(Tiny(), clean)
    assert (answer(attack.perturb(clean.flat(), objective, Budget(norm, 0.1), rng())).value > 1e-4).all()


def test_pgd_answers_with_the_best_point_it_saw() -> None:
    """A far too long step runs over the top; the answer is the best iterate, and no later one is worse than
    it.
    """
    top = torch.full((SIZE,), 0.53)
    objective = Objective(lambda flat: -(flat - top).square().sum(1))
    x = torch.full((4, SIZE), 0.5)
    iterates = list(PGD(steps=9, step_size=0.09).perturb(x, objective, Budget("linf", 0.1), rng()))
    values = torch.stack([iterate.value for iterate in iterates])
    assert torch.equal(values[-1], values.amax(0))
    assert not torch.equal(values[-2], values[-1])


def test_more_starts_are_never_worse_and_the_first_is_the_same() -> None:
    clean = images(20)
    objective = LeaveCluster().bind(Tiny(), clean)
    attacks, budget = [PGD(steps=3, restarts=restarts) for restarts in (1, 6)], Budget("linf", 0.1)
    one, many = (answer(attack.perturb(clean.flat(), objective, budget, rng())).value for attack in attacks)
    assert (many >= one).all()
    assert (many > one).any()


def test_a_given_start_is_where_the_path_begins() -> None:
    clean = images(3)
    objective, start = LeaveCluster().bind(Tiny(), clean), clean.flat() + 0.02
    budget = Budget("linf", 0.05)
    for attack in (PGD(), FGSM(), Noise()):
        assert torch.equal(
            next(iter(attack.perturb(clean.flat(), objective, budget, rng(), start))).x,
            budget.project(start, clean.flat()),
        )


def test_the_step_is_two_and_a_half_epsilon_over_steps() -> None:
    objective, weight = linear()
    x = torch.full((2, SIZE), 0.5)
    path = list(
        PGD(steps=10, random_start=False).perturb(
            x, objective, Budget("linf", torch.tensor([0.1, 0.2])), rng()
        )
    )
    torch.testing.assert_close(path[1].x - x, torch.tensor([[0.025], [0.05]]) * weight.sign())


def test_attacking_leaves_the_model_as_it_was() -> None:
    model, clean = Tiny(), images(4)
    model.requires_grad_(True)
    before = [parameter.clone() for parameter in model.parameters()]
    answer(PGD().perturb(clean.flat(), LeaveCluster().bind(model, clean), Budget("linf", 0.1), rng()))
    assert all(
        torch.equal(old, new) and new.grad is None
        for old, new in zip(before, model.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", registry.names("attack"))
def test_every_attack_says_along_what_it_can_be_followed(name: str) -> None:
    owner = registry.find("attack", name)
    assert owner.axes
    on_pixels = {"epsilon", "path", "lambda", "compressed"}
    assert set(owner.axes) <= ({"nu"} if owner.space == "embedding" else on_pixels)
    assert "compressed" not in owner.axes or len(owner().variants("compressed")) > 1
    assert not owner.fitted or "path" not in owner.axes, "one forward pass has no path"
    assert set(owner.needs) <= set(ABILITIES)


@pytest.mark.parametrize("norm", NORMS)
def test_stopping_at_success_finds_the_same_samples_with_fewer_rows(norm: str) -> None:
    """On the tiny model every sample's path is its own, so stopping others changes nothing for it."""
    clean, model, asked = images(40), Tiny(), []
    bound = LeaveCluster().bind(model, clean)

    def counted(objective: Objective) -> Objective:
        def measure(flat: Tensor) -> Tensor:
            asked.append(len(flat))
            return objective.measure(flat)

        return replace(objective, measure=measure, bind_rows=lambda index: counted(bound.rows(index)))

    budget, passes = Budget(norm, 0.3 if norm == "linf" else 1.5), {}
    reached = {}
    for stop in (False, True):
        asked.clear()
        found = answer(PGD(stop=stop).perturb(clean.flat(), counted(bound), budget, rng()))
        passes[stop], reached[stop] = sum(asked), bound(found.x) > 0
        assert budget.holds(found.x, clean.flat()).all()
        torch.testing.assert_close(found.value, bound(found.x))
    assert torch.equal(reached[True], reached[False])
    assert reached[True].float().mean() > 0.5  # else nothing would have left the batch
    assert passes[True] < 0.7 * passes[False]


def test_an_objective_without_a_mark_takes_every_step() -> None:
    clean = images(6)
    objective, budget = MoveEmbedding().bind(Tiny(), clean), Budget("linf", 0.1)
    stopped, full = (
        answer(PGD(stop=stop).perturb(clean.flat(), objective, budget, rng())) for stop in (True, False)
    )
    assert torch.equal(stopped.x, full.x)


def test_a_budget_of_some_rows_keeps_their_epsilon() -> None:
    index = torch.tensor([2, 0])
    assert Budget("linf", torch.tensor([0.1, 0.2, 0.3])).rows(index).epsilon.tolist() == pytest.approx(
        [0.3, 0.1]
    )
    assert Budget("linf", 0.1).rows(index).epsilon == 0.1
