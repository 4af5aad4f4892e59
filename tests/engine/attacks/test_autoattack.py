"""AutoAttack: what the library alone finds, inside the budget, from the given generator; and the sentences of
what it cannot attack.
"""

import subprocess
import sys

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from engine import registry
from engine.attacks.autoattack import AutoAttack, undisturbed
from engine.attacks.budget import Budget
from engine.attacks.ladder import Attempt, binding, over_epsilon
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.errors import BudgetError, DataError, SettingsError
from engine.models.declared import title_of
from engine.objectives import combine
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.misclassify import Misclassify
from engine.objectives.protocols import Objective
from engine.running.attacking import Attack
from tests.engine.tiny import Tiny, TinyClassifier, images

FEW = AutoAttack(steps=12, targets=3, queries=80)
EPSILON = 0.06


class Six(nn.Module):
    """Six classes of 8 x 8 pictures, by two dense layers with ReLU."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(1)
        self.first, self.second = torch.randn(64, 32, generator=rng), torch.randn(32, 6, generator=rng)

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.first / 8).relu() @ self.second

    def logits(self, x: Views) -> Tensor:
        return self(x[0])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bound(n: int = 40) -> tuple[Views, Tensor, Objective]:
    """Pictures, their labels, of which the first three are other classes than the model says, and the
    objective.
    """
    clean = Views([torch.rand(n, 1, 8, 8, generator=rng(2))])
    labels = Six().logits(clean).argmax(1)
    labels[:3] = (labels[:3] + 1) % 6
    return clean, labels, Misclassify().bind(Six(), clean, labels)


def test_it_finds_what_the_library_finds_alone() -> None:
    clean, labels, objective = bound()
    found = answer(FEW.perturb(clean.flat(), objective, Budget("linf", EPSILON), rng()))
    seed = int(torch.randint(2**31 - 1, (1,), generator=rng()))
    model = Six()
    model.place = nn.Parameter(torch.zeros(()))  # the library looks for a parameter's device
    same = {"norm": "Linf", "eps": EPSILON, "seed": seed}
    alone = torchattacks.MultiAttack(
        [
            torchattacks.APGD(model, steps=12, **same),
            torchattacks.APGDT(model, steps=12, n_classes=4, **same),
            torchattacks.FAB(model, steps=12, multi_targeted=True, n_classes=4, **same),
            torchattacks.Square(model, n_queries=80, **same),
        ]
    )
    with undisturbed(torch.device("cpu")):
        theirs = alone(clean[0][3:], labels[3:]).detach()
    wrong = model(theirs).argmax(1) != labels[3:]
    assert 5 < int(wrong.sum()) < 35
    assert torch.equal(found.value[3:] > 0, wrong)
    torch.testing.assert_close(found.x[3:][wrong], theirs[wrong].flatten(1), atol=2e-6, rtol=0)


def test_answers_stay_inside_and_the_robust_and_the_already_wrong_stay_where_they_are() -> None:
    clean, labels, objective = bound()
    budget = Budget("linf", torch.linspace(0, EPSILON, 2).repeat_interleave(20))
    path = list(FEW.perturb(clean.flat(), objective, budget, rng()))
    assert [iterate.step for iterate in path] == [0, 1, 2, 3]
    values = torch.stack([iterate.value for iterate in path])
    assert bool((values.diff(dim=0) >= 0).all()), "what one attack found, the next does not lose"
    last = path[-1]
    torch.testing.assert_close(last.value, objective(last.x))
    assert budget.holds(last.x, clean.flat()).all()
    moved = (last.x != clean.flat()).any(dim=1)
    assert not moved[:20].any(), "ε = 0 leaves everything, wrong or right"
    fooled = Six().logits(clean.like(last.x)).argmax(1) != labels
    assert torch.equal(moved[20:], fooled[20:]) and 0 < int(moved.sum()) < 20
    assert bool(fooled[:3].all()), "what was wrong before counts as failed"
    again = answer(FEW.perturb(clean.flat(), objective, budget, rng()))
    assert torch.equal(again.x, last.x)


def test_a_ladder_finds_the_first_level_that_each_level_by_itself_finds() -> None:
    clean, labels, _ = bound(8)
    grid = torch.linspace(0, 0.12, 7)
    alone = torch.stack(
        [
            answer(
                FEW.perturb(
                    clean.flat(),
                    Misclassify().bind(Six(), clean, labels),
                    Budget("linf", float(epsilon)),
                    rng(),
                )
            ).value
            > 0
            for epsilon in grid
        ],
        dim=1,
    )
    attempt = Attempt(binding(Misclassify(), Six(), labels), clean, FEW, "linf")
    found = over_epsilon(attempt, grid.tolist(), rng())
    fell = found.value > 0
    assert bool((fell.int().diff(dim=1) >= 0).all()), "who has fallen stays so"
    assert (fell != alone.cummax(dim=1).values).float().mean() < 0.05 and 0.2 < fell.float().mean() < 0.9
    for level, epsilon in enumerate(grid.tolist()):
        assert Budget("linf", epsilon).holds(found.x[:, level], clean.flat()).all()


def test_the_global_generator_is_left_as_it_was() -> None:
    clean, _, objective = bound(6)
    before = torch.get_rng_state()
    answer(FEW.perturb(clean.flat(), objective, Budget("linf", EPSILON), rng()))
    assert torch.equal(torch.get_rng_state(), before)


def test_it_is_at_least_as_strong_as_pgd() -> None:
    clean, _, objective = bound(100)
    budget = Budget("linf", EPSILON)
    ensemble = answer(AutoAttack(steps=30, queries=200).perturb(clean.flat(), objective, budget, rng()))
    pgd = answer(PGD(steps=20).perturb(clean.flat(), objective, budget, rng()))
    assert 0.2 < float((pgd.value > 0).float().mean()) < 0.9
    assert int((ensemble.value > 0).sum()) >= int((pgd.value > 0).sum())


def test_a_hundred_steps_of_apgd_reach_the_loss_of_twenty_of_pgd() -> None:
    clean, _, _ = bound(100)
    model = Six()
    labels = model.logits(clean).argmax(1)
    objective = Objective(
        lambda flat: nn.functional.cross_entropy(model(flat), labels, reduction="none"), labels=labels
    )
    model.place = nn.Parameter(torch.zeros(()))
    pgd = answer(PGD(steps=20).perturb(clean.flat(), objective, Budget("linf", EPSILON), rng()))
    with undisturbed(torch.device("cpu")):
        attack = AutoAttack()._library("apgd_ce", model, 6, EPSILON, 0)
        loss, _ = attack.perturb(clean[0], labels, best_loss=True)
    assert attack.steps == 100 and float(loss.mean()) >= float(pgd.value.mean())


def test_it_is_called_by_what_it_is() -> None:
    entry = registry.describe(AutoAttack)
    assert AutoAttack().is_standard and AutoAttack().in_words() == "AutoAttack" == title_of(entry, {})
    lite = AutoAttack.presets["lite"]
    assert title_of(entry, lite) == "AutoAttack (AA-lite)"
    words = "AA-lite (APGD-CE, APGD-T, Square; T = 25, 3 targets, 200 queries)"
    assert AutoAttack(**lite).in_words() == words
    assert (
        AutoAttack(**lite).in_words(()) == title_of(entry, lite) and AutoAttack().in_words(()) == "AutoAttack"
    )
    assert AutoAttack(square=False).in_words().startswith("AA-lite")


def test_wrong_choices_are_told_in_a_sentence() -> None:
    clean, labels, objective = bound(4)
    with pytest.raises(SettingsError, match="needs at least one of its attacks; got none"):
        AutoAttack(apgd_ce=False, apgd_t=False, fab_t=False, square=False)
    for norm, mask in (("l2", None), ("linf", torch.arange(64) < 9)):
        with pytest.raises(BudgetError, match="Choose norm linf without locks"):
            answer(FEW.perturb(clean.flat(), objective, Budget(norm, 0.1, mask=mask), rng()))
    tiny = images(4)
    unlabelled = LeaveCluster().bind(Tiny(), tiny)
    with pytest.raises(SettingsError, match="wrong classes alone"):
        answer(FEW.perturb(tiny.flat(), unlabelled, Budget("linf", 0.1), rng()))
    three = Misclassify().bind(TinyClassifier(), tiny, TinyClassifier().logits(tiny).argmax(1))
    with pytest.raises(SettingsError, match="at least 4 classes.*this model has 3. Leave APGD-T out"):
        answer(FEW.perturb(tiny.flat(), three, Budget("linf", 0.1), rng()))
    without = AutoAttack(steps=5, queries=20, apgd_t=False)
    assert (
        Budget("linf", 0.1)
        .holds(answer(without.perturb(tiny.flat(), three, Budget("linf", 0.1), rng())).x, tiny.flat())
        .all()
    )
    table = Views([clean.flat()])
    flat = Misclassify().bind(Six(), table, labels)
    with pytest.raises(DataError, match="pictures of one view"):
        answer(FEW.perturb(table.flat(), flat, Budget("linf", 0.1), rng()))


def test_an_action_refuses_it_before_anything_is_computed() -> None:
    with pytest.raises(SettingsError, match="can only chase misclassify; got leave_cluster"):
        Attack(attack="autoattack")
    with pytest.raises(SettingsError, match="can only chase misclassify; got weighted_sum"):
        Attack(attack="autoattack", objective="misclassify", lam=1.0)
    with pytest.raises(SettingsError, match="moves in linf; got norm l2"):
        Attack(attack="autoattack", objective="misclassify", norm="l2")
    assert combine("misclassify") == Attack(attack="autoattack", objective="misclassify").chosen_objective


def test_the_library_is_not_imported_before_it_attacks() -> None:
    code = (
        "import sys; from engine import registry; registry.catalogue(); sys.exit('torchattacks' in"
        " sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
