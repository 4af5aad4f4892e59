"""Standard and adversarial linear fine-tuning: the published steps by hand, a frozen encoder with two
normalisations, and accuracies that an own PGD finds too.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.cli import choosing
from engine.cli.computing import spec_of
from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.defences.adversarial_probe import AdversarialProbe
from engine.errors import DataError, Diverged, SettingsError
from engine.models.linear_probe import LinearProbe, check_descent, probe_of
from engine.models.simclr import SimCLR
from engine.models.state import State
from engine.nets.dual_norm import DualNorm, doubled
from engine.objectives.cross_entropy import CrossEntropy
from engine.objectives.misclassify import Misclassify
from tests.engine.models.small import how, rng
from tests.engine.tiny import blobs

SHAPE = (1, 8, 8)
DATA: Dataset = blobs(60, shape=SHAPE)
LABELS = torch.from_numpy(DATA.labels)
SIMCLR = SimCLR.presets["quick"] | {"projection": (16, 8)}
ENCODER = {"encoder": "simclr", "encoder_settings": SIMCLR}
QUICK = {"epochs": 25, "batch": 20, "rate": 0.1}
PUSHED = {"epsilon": 0.05, "attack_step": 0.02, "attack_steps": 4}


def state_of(settings: LinearProbe | AdversarialProbe, dual: bool = False) -> State:
    """A fresh state on an encoder with random statistics; `dual`: of two normalisations."""
    state = settings.skeleton(DATA.views, 3, rng(), how())
    probe = probe_of(state)
    if dual:
        probe.encoder = doubled(probe.encoder).eval().requires_grad_(False)
    drawn = rng(1)
    for name, weight in probe.encoder.state_dict().items():
        if name.endswith("running_var"):
            weight.copy_(0.5 + torch.rand(weight.shape, generator=drawn))
        elif name.endswith("running_mean"):
            weight.copy_(0.1 * torch.randn(weight.shape, generator=drawn))
    return state


def fit(settings: LinearProbe | AdversarialProbe, dual: bool = False) -> State:
    state = state_of(settings, dual)
    list(settings.train_on_labels(state, DATA.views, LABELS))
    return state


def test_the_published_protocol_by_hand() -> None:
    """Momentum 0.9, weight decay on weights and biases, the rate divided by 10 after 3/5 and 4/5 of it."""
    settings = LinearProbe(
        **ENCODER, protocol="published", epochs=5, batch=60, rate=0.2, decay=0.01, evaluate_every=1
    )
    state = state_of(settings)
    probe = probe_of(state)
    z = probe.encode(DATA.views.all()).double().numpy()
    weight = np.hstack([probe.head.weight.detach().numpy(), probe.head.bias.detach().numpy()[:, None]])
    weight, z1, speed = weight.astype(np.float64), np.hstack([z, np.ones((60, 1))]), 0.0
    for rate in (0.2, 0.2, 0.2, 0.02, 0.002):
        p = np.exp(z1 @ weight.T)
        p = p / p.sum(1, keepdims=True) - np.eye(3)[DATA.labels]
        speed = 0.9 * speed + p.T @ z1 / 60 + 0.01 * weight
        weight = weight - rate * speed
    list(settings.train_on_labels(state, DATA.views, LABELS))
    np.testing.assert_allclose(probe.head.weight.detach().numpy(), weight[:, :-1], atol=2e-4)
    np.testing.assert_allclose(probe.head.bias.detach().numpy(), weight[:, -1], atol=2e-4)
    assert torch.equal(probe.mean, torch.zeros_like(probe.mean)), "the embedding as it is"


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("kind", [LinearProbe, AdversarialProbe])
def test_the_encoder_stays_bit_identical_and_the_layer_learns(kind: type, dual: bool) -> None:
    more = {"protocol": "published"} if kind is LinearProbe else PUSHED
    settings = kind(**ENCODER, **QUICK, **more)
    before = {
        name: value.clone() for name, value in probe_of(state_of(settings, dual)).encoder.state_dict().items()
    }
    assert any("running_mean" in name for name in before)
    probe = probe_of(fit(settings, dual))
    after = probe.encoder.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert (probe.logits(DATA.views.all()).argmax(1) == LABELS).float().mean() > 0.9


def test_without_a_push_the_two_protocols_are_one() -> None:
    one = fit(LinearProbe(**ENCODER, **QUICK, protocol="published", decay=2e-4)).model.state_dict()
    other = fit(AdversarialProbe(**ENCODER, **QUICK, epsilon=0)).model.state_dict()
    for name, weight in one.items():
        torch.testing.assert_close(other[name], weight, atol=1e-4, rtol=1e-3)


def test_batches_are_pushed_within_the_budget_against_the_layer_as_it_is() -> None:
    settings = AdversarialProbe(**ENCODER, **QUICK, **PUSHED)
    state, x = state_of(settings), DATA.views.all()
    probe = probe_of(state)
    pushed = settings.pushed(state, x, LABELS)
    assert (pushed.flat() - x.flat()).abs().amax() <= 0.05 + 1e-6
    assert pushed.flat().min() >= 0 and pushed.flat().max() <= 1

    def error(views: Views) -> Tensor:
        return nn.functional.cross_entropy(probe.logits(views), LABELS, reduction="none")

    assert (error(pushed) > error(x)).float().mean() > 0.95


def test_one_of_two_normalisations_is_read() -> None:
    x, said = DATA.views.all(), {}
    for branch in ("clean", "adversarial"):
        probe = probe_of(state_of(LinearProbe(**ENCODER, branch=branch), dual=True))
        norms = [layer for layer in probe.encoder.modules() if isinstance(layer, DualNorm)]
        assert norms and all(norm.branch == "adversarial" for norm in norms)
        said[branch] = probe.encode(x)
        for norm in norms:
            norm.branch = branch
        torch.testing.assert_close(probe.encoder.encode(x), said[branch])
    assert (said["clean"] - said["adversarial"]).abs().amax() > 0.01
    plain = LinearProbe(**ENCODER)
    assert "branch" not in plain.values() and "protocol" not in plain.values(), "keys are what they were"
    assert plain.values().keys() >= {"encoder", "steps"}


def own_pgd(probe: nn.Module, x: Tensor, labels: Tensor, epsilon: float, step: float, steps: int) -> Tensor:
    """Whether each sample is still right after PGD on the cross-entropy from the sample itself: (n,)."""
    moved = x.clone()
    right = probe.logits(Views([moved])).argmax(1) == labels
    for _ in range(steps):
        moved.requires_grad_(True)
        loss = nn.functional.cross_entropy(probe.logits(Views([moved])), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moved)
        moved = moved.detach() + step * gradient.sign()
        moved = torch.minimum(torch.maximum(moved, x - epsilon), x + epsilon).clamp(0, 1)
    return right & (probe.logits(Views([moved])).argmax(1) == labels)


def test_robust_accuracy_is_what_an_own_pgd_finds_and_falls_with_epsilon() -> None:
    probe = probe_of(fit(LinearProbe(**ENCODER, **QUICK, protocol="published")))
    x = DATA.views.all()
    clean = (probe.logits(x).argmax(1) == LABELS).float().mean()
    shares, objective = [], CrossEntropy().bind(probe, x, LABELS)
    for epsilon in (0.0, 0.03, 0.06, 0.12):
        attack = PGD(steps=20, step_size=max(epsilon, 0.01) / 4, random_start=False)
        moved = answer(attack.perturb(x.flat(), objective, Budget("linf", epsilon), rng())).x
        right = probe.logits(x.like(moved)).argmax(1) == LABELS
        shares.append(float(right.float().mean()))
        theirs = own_pgd(probe, x[0], LABELS, epsilon, max(epsilon, 0.01) / 4, 20)
        assert abs(shares[-1] - float(theirs.float().mean())) <= 0.05
    assert shares[0] == float(clean) and shares[-1] < 0.5
    assert all(later <= earlier + 0.01 for earlier, later in zip(shares, shares[1:], strict=False))


def test_the_cross_entropy_and_the_margin_agree_on_who_is_reached() -> None:
    probe, x = probe_of(fit(LinearProbe(**ENCODER, **QUICK, protocol="published"))), DATA.views.all()
    budget, reached = Budget("linf", 0.06), {}
    for settings in (CrossEntropy(), Misclassify()):
        objective = settings.bind(probe, x, LABELS)
        moved = answer(PGD(steps=40).perturb(x.flat(), objective, budget, rng())).x
        wrong = probe.logits(x.like(moved)).argmax(1) != LABELS
        assert torch.equal(objective.reached(moved), wrong)
        reached[settings.name] = float(wrong.float().mean())
    assert abs(reached["cross_entropy"] - reached["misclassify"]) < 0.15


def test_a_rate_that_does_not_learn_is_said() -> None:
    for loss, ended in ((float("nan"), False), (float("inf"), False), (3.0, True)):
        with pytest.raises(Diverged, match="does not learn at a rate of 10"):
            check_descent(loss, 3, 10, ended)
    check_descent(50.0, 3, 10, False)  # on the way it may be
    check_descent(1.0, 3, 10, True)
    with torch.no_grad():
        state = state_of(settings := LinearProbe(**ENCODER, protocol="published", rate=10, epochs=1))
        probe_of(state).encoder.requires_grad_(False)
        for weight in probe_of(state).encoder.parameters():
            weight.mul_(30)
    with pytest.raises(Diverged, match="10 is for embeddings of small norm"):
        list(settings.train_on_labels(state, DATA.views, LABELS))


@pytest.mark.parametrize("kind", [LinearProbe, AdversarialProbe])
def test_one_class_is_not_learned(kind: type) -> None:
    settings = kind(**ENCODER)
    with pytest.raises(DataError, match="at least 2 of them; all training rows have one"):
        list(settings.train_on_labels(state_of(settings), DATA.views, torch.ones(60, dtype=torch.long)))


def test_a_run_in_place_of_an_encoder_is_the_base() -> None:
    def key(*words: str) -> str:
        return spec_of(choosing.typed("train", ["linear_probe", "--data", "digits", *words]).wanted).key

    assert key("--encoder", "digits/simclr") == key("--base", "digits/simclr") != key("--encoder", "adec")
    with pytest.raises(SettingsError, match="two runs to begin from; say one of them"):
        key("--encoder", "digits/simclr", "--base", "digits/adec")
