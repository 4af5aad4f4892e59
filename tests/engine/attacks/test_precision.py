"""Gradients in bf16: the same attack within its interval, chosen where it pays, and judged in float32."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine import data, registry
from engine.attacks.budget import Budget
from engine.attacks.fgsm import FGSM
from engine.attacks.pgd import PGD
from engine.attacks.precision import in_arithmetic, multiplications
from engine.attacks.protocols import AttackSettings, Iterate, answer, value_and_gradient, value_only
from engine.data.views import Views
from engine.device import How
from engine.models.protocols import Clusters, require
from engine.objectives.protocols import Objective
from engine.running.models import load_model
from engine.store.store import Store

FAST = How("cpu", "bfloat16", 2, torch.__version__, "")
EXACT = replace(FAST, precision="float32")


def bound(zoo: str, n: int = 200, name: str = "leave_cluster") -> tuple[Clusters, Views, Objective]:
    """A shipped model, n of its samples, and an objective bound to both."""
    run = Store().find(zoo)
    model = load_model(run, "cpu")
    clean = data.load(run.spec.data).views.rows(torch.arange(n))
    return require(model, Clusters, "a test"), clean, registry.find("objective", name)().bind(model, clean)


def attacked(attack: AttackSettings, objective: Objective, clean: Views, epsilon: float = 0.1) -> Iterate:
    """The attack's answer, from a fixed seed."""
    rng = torch.Generator().manual_seed(0)
    return answer(attack.perturb(clean.flat(), objective, Budget("linf", epsilon), rng))


@pytest.mark.long
@pytest.mark.parametrize("zoo", ["noisy_digits/comvc", "digits/adec", "digits/conv_ae"])
@pytest.mark.parametrize("epsilon", [0.01, 0.1])
def test_flip_rates_agree_within_their_interval(zoo: str, epsilon: float) -> None:
    model, clean, objective = bound(zoo)

    @torch.no_grad()
    def flips(how: How) -> float:
        moved = attacked(PGD(), replace(objective, how=how), clean, epsilon).x
        assert Budget("linf", epsilon).holds(moved, clean.flat()).all()
        return float((model.log_assign(clean.like(moved)).argmax(1) != own).float().mean())

    own = model.log_assign(clean).argmax(1)
    fast, exact = flips(FAST), flips(EXACT)
    assert abs(fast - exact) <= 1.96 * math.sqrt(max(exact * (1 - exact), 0.01) / clean.n)
    assert exact > 0


@pytest.mark.parametrize("attack", [PGD(), PGD(restarts=2, steps=5), FGSM()])
def test_values_of_answers_are_those_of_float32(attack: AttackSettings) -> None:
    _, clean, objective = bound("noisy_digits/comvc", 40)
    for how in (None, EXACT, FAST):
        found = attacked(attack, replace(objective, how=how), clean)
        assert torch.equal(found.value, value_only(objective, found.x))


def test_float32_is_the_same_with_and_without_a_how() -> None:
    _, clean, objective = bound("digits/adec", 60)
    told, plain = (attacked(PGD(), replace(objective, how=how), clean) for how in (EXACT, None))
    assert torch.equal(told.x, plain.x) and torch.equal(told.value, plain.value)


def test_gradients_are_taken_in_bf16_and_values_are_not() -> None:
    _, clean, objective = bound("noisy_digits/comvc", 40)
    fast, flat = replace(objective, how=FAST), clean.flat()
    rough, exact = value_and_gradient(fast, flat)[1], value_and_gradient(objective, flat)[1]
    assert rough.dtype == torch.float32 and not torch.equal(rough, exact)
    assert torch.nn.functional.cosine_similarity(rough, exact, dim=1).median() > 0.95
    assert torch.equal(value_only(fast, flat), value_only(objective, flat))
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(("zoo", "pays"), [("noisy_digits/comvc", True), ("digits/adec", False)])
def test_bf16_is_taken_where_it_pays(zoo: str, pays: bool) -> None:
    run = Store().find(zoo)
    _, clean, objective = bound(zoo, 10)
    model = load_model(run, "cpu")
    objective = registry.find("objective", "leave_cluster")().bind(model, clean)
    assert in_arithmetic(objective, model, clean.flat(), FAST).is_exact is not pays
    for how in (None, EXACT):
        assert in_arithmetic(objective, model, clean.flat(), how).is_exact


def test_multiplications_are_counted_for_one_sample() -> None:
    layer = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.Flatten(), torch.nn.Linear(3 * 36, 2))

    def measure(flat: Tensor) -> Tensor:
        return layer(flat.reshape(-1, 1, 8, 8)).sum(1)

    counted = multiplications(Objective(measure), layer, torch.rand(5, 64))
    assert counted == 36 * 3 * 9 + 3 * 36 * 2
    assert not layer[0]._forward_hooks
