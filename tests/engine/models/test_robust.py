"""Robust deep clustering against its specification: losses, modules, the attack on the embedding, the
defence. Numbers R1 to R17 are the specification's.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import device
from engine.attacks.budget import Budget
from engine.attacks.latent_attack import LatentAttack
from engine.attacks.protocols import answer
from engine.data.dataset import Dataset
from engine.data.sets.digits import Digits
from engine.data.views import AtRest, Views
from engine.defences.latent_defence import LatentDefence
from engine.errors import AbilityError, DataError, SettingsError
from engine.events import Evaluate
from engine.metrics import clustering, embedding, robustness
from engine.metrics.protocols import AttackedSamples, measure
from engine.models.conv_ae import ConvAE
from engine.models.conv_ae_graph import ConvAEGraph
from engine.models.conv_ae_mie import ConvAEMIE
from engine.models.forward_pass import divergence, vae_of
from engine.models.state import State
from engine.models.variational import Variational
from engine.nets.information import dependence, derangement
from engine.nets.neighbourhood import affinity, orthonormal, smoothness
from engine.nets.variational import ClusteringVAE, head_gap, perturber
from engine.objectives.flip_and_keep import FlipAndKeep
from engine.objectives.protocols import LatentObjective
from engine.running.attacking import Attack
from engine.running.fitting import restored
from engine.running.judging import Judge
from engine.running.launching import ended, launch
from engine.running.models import load_model
from engine.store.store import Store
from tests.engine.tiny import Tiny, images

TINY: dict[str, Any] = {
    "embedding": 4,
    "form": "dense",
    "hidden": (16, 8),
    "head": (8,),
    "warm_steps": 6,
    "head_steps": 3,
    "joint_steps": 6,
    "batch": 32,
    "evaluate_every": 3,
}
SMALL_ATTACK = LatentAttack(hidden=(8,), steps=4, batch=32)
METHODS: dict[str, Variational] = {
    "conv_ae": ConvAE(**TINY),
    "conv_ae_mie": ConvAEMIE(**TINY, mie={"hidden": (8,)}),
    "conv_ae_graph": ConvAEGraph(**TINY),
}
NOWHERE = Budget("linf", 0.1)
HOW = device.choose("cpu", "float32", 1)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits(n: int = 64) -> Dataset:
    whole = Digits().load()
    assert whole.labels is not None
    return replace(whole, views=whole.views.subset(torch.arange(n)), labels=whole.labels[:n])


def fresh(settings: Any, data: AtRest, clusters: int = 10, seed: int = 0) -> State:
    return settings.skeleton(data, clusters, rng(seed), HOW)


def trained(settings: Variational, data: AtRest, seed: int = 0) -> State:
    state = fresh(settings, data, seed=seed)
    events = list(settings.train(state, data))
    assert isinstance(events[-1], Evaluate) and events[-1].step == events[-1].total == settings.total
    state.model.eval().requires_grad_(False)
    return state


def network(seed: int = 0, **changes: Any) -> ClusteringVAE:
    """An untrained network whose means lie apart."""
    model = ConvAE(**(TINY | changes)).drawn(((1, 8, 8),), 10, rng(seed))
    with torch.no_grad():
        model.centres.normal_(0, 1, generator=rng(seed + 1))
    return model.eval().requires_grad_(False)


def fitted(
    model: ClusteringVAE, data: AtRest, attack: LatentAttack, objective: FlipAndKeep, seed: int = 0
) -> torch.nn.Module:
    return ended(attack.fit(model, lambda x: objective.bind(model, x), data, NOWHERE, rng(seed), HOW))


def outcome(model: ClusteringVAE, data: Dataset, net: torch.nn.Module, **changes: Any) -> AttackedSamples:
    fields = {
        "attack": "latent_attack",
        "attack_settings": SMALL_ATTACK.values(),
        "objective": "flip_and_keep",
    }
    return ended(launch(Attack(**(fields | changes)).threat, Judge(model, data, "cpu"), 0, net))


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_r1_assignments_are_shares_and_agreement_lies_between_zero_and_one() -> None:
    model, x = network(), digits().views.all()
    y = model.log_assign(x).exp()
    assert torch.allclose(y.sum(1), torch.ones(64), atol=1e-6)
    other = y[torch.randperm(64, generator=rng())]
    agreed = (y * other).sum(1)
    assert bool(((agreed >= 0) & (agreed <= 1)).all())
    objective = FlipAndKeep(nu=0.001, weight=0.0).bind(model, x)
    assert torch.allclose(-objective(objective.z), y.square().sum(1), atol=1e-6)


def test_r2_the_divergence_is_that_of_the_gaussians() -> None:
    m, log_variance, means = (
        torch.tensor([[0.3, -1.2]]),
        torch.tensor([[0.4, -0.7]]),
        torch.tensor([[0.5, 0.1]]),
    )
    draws = m + (0.5 * log_variance).exp() * torch.randn(100_000, 2, generator=rng())
    log_p = torch.distributions.Normal(m, (0.5 * log_variance).exp()).log_prob(draws).sum(1)
    log_q = torch.distributions.Normal(means, 1.0).log_prob(draws).sum(1)
    closed = float(divergence(m, log_variance, means, torch.ones(1, 1)))
    assert closed == pytest.approx(float((log_p - log_q).mean()), rel=0.02) and closed > 0
    assert float(divergence(means, torch.zeros(1, 2), means, torch.ones(1, 1))) == pytest.approx(0, abs=1e-6)


def test_r3_the_best_assignment_is_the_softmax_of_the_distances() -> None:
    m, log_variance, means = (
        torch.randn(5, 3, generator=rng()),
        torch.randn(5, 3, generator=rng(1)),
        torch.randn(4, 3, generator=rng(2)),
    )
    y = F.softmax(-0.5 * torch.cdist(m, means).square(), dim=1).double().requires_grad_(True)
    loss = (divergence(m.double(), log_variance.double(), means.double(), y) + (y * y.log()).sum(1)).sum()
    (gradient,) = torch.autograd.grad(loss, y)
    assert float((gradient - gradient.mean(1, keepdim=True)).abs().max()) < 1e-5
    assert float(head_gap(m, y.detach().float().log(), means).abs().max()) < 1e-6


def test_r4_the_categorical_part_lies_between_minus_log_k_and_zero() -> None:
    data = digits().views
    parts, _ = METHODS["conv_ae"].parts(fresh(METHODS["conv_ae"], data), data.all())
    assert -math.log(10) <= float(parts["categorical"].detach()) <= 0


@pytest.mark.parametrize(("neighbours", "width"), [(3, None), (3, 1.97), (5, None)])
def test_r5_the_affinity_is_symmetric_sparse_and_follows_its_points(
    neighbours: int, width: float | None
) -> None:
    m = torch.randn(40, 6, generator=rng())
    w = affinity(m, neighbours, width)
    assert torch.allclose(w, w.T, atol=1e-6) and float(w.min()) >= 0 and float(w.diagonal().abs().max()) == 0
    near = torch.cdist(m, m).argsort(1)[:, 1:neighbours]
    own = torch.zeros(40, 40, dtype=torch.bool).scatter(1, near, True)
    assert torch.equal(w > 0, own | own.T)
    order = torch.randperm(40, generator=rng(1))
    assert torch.allclose(affinity(m[order], neighbours, width), w[order][:, order], atol=1e-6)


def test_r6_r7_orthonormal_assignments_and_the_laplacian_form() -> None:
    y = F.softmax(torch.randn(60, 5, generator=rng()), dim=1)
    flat = orthonormal(y)
    assert flat is not None and torch.allclose(flat.T @ flat / 60, torch.eye(5), atol=1e-3)
    w = affinity(torch.randn(60, 3, generator=rng(1)))
    laplacian = torch.diag(w.sum(1)) - w
    assert float(smoothness(w, flat)) * 60 == pytest.approx(
        2 * float(torch.trace(flat.T @ laplacian @ flat)), rel=1e-4
    )


def test_the_graph_is_left_out_where_a_cluster_is_empty() -> None:
    assert orthonormal(torch.tensor([[float("nan"), 0.0]]).expand(6, 2)) is None
    confident = F.one_hot(torch.arange(30) % 3, 5).float()
    flat = orthonormal(confident)
    assert flat is None or bool(torch.isfinite(flat).all())


def test_r8_a_critic_without_an_opinion_costs_two_log_two() -> None:
    constant = torch.nn.Linear(6, 1).requires_grad_(False)
    constant.weight.zero_()
    constant.bias.zero_()
    one, other = torch.randn(50, 4, generator=rng()), torch.randn(50, 2, generator=rng(1))
    assert float(dependence(constant, one, other, derangement(50, rng()))[0]) == pytest.approx(
        2 * math.log(2), abs=1e-6
    )
    opinion = torch.nn.Linear(6, 1).requires_grad_(False)
    pairs, strangers = torch.cat([one, other], 1), torch.cat([one, other[derangement(50, rng())]], 1)
    swapped = F.softplus(opinion(pairs)).mean() + F.softplus(-opinion(strangers)).mean()
    negated = torch.nn.Sequential(opinion, torch.nn.Identity())
    negated[1].forward = torch.neg  # type: ignore[method-assign]
    assert float(dependence(negated, one, other, derangement(50, rng()))[0]) == pytest.approx(
        float(swapped), abs=1e-6
    )


@pytest.mark.parametrize("n", [2, 3, 17, 256])
def test_no_sample_is_its_own_stranger(n: int) -> None:
    order = derangement(n, rng(n))
    assert sorted(order.tolist()) == list(range(n)) and not bool((order == torch.arange(n)).any())


def test_r9_without_weight_the_perturbation_vanishes() -> None:
    model, data = network(), digits().views
    attack, objective_settings = LatentAttack(hidden=(64, 32), batch=64), FlipAndKeep(nu=0.0)
    net = attack.drawn(64, 4, rng())
    for rate in (3e-3, 3e-4, 3e-5):  # at one rate Adam only circles the end
        optimiser = torch.optim.Adam(net.parameters(), lr=rate)
        for _ in range(900):
            attack.descend(
                net, optimiser, lambda x: objective_settings.bind(model, x), data.all(), rng(), HOW
            )
    assert float(net(data.all().flat()).detach().norm(dim=1).mean()) < 1e-3
    objective = FlipAndKeep(nu=0.0).bind(model, data.all())
    alone = answer(
        LatentAttack(variant="per_sample")
        .bound(torch.nn.Sequential(), data.all())
        .perturb(data.all().flat(), objective, NOWHERE, rng())
    ).x
    assert float((alone - objective.z).norm(dim=1).max()) < 1e-3


def test_r10_the_released_perturbation_is_affine_in_the_pixels() -> None:
    first, second = torch.rand(5, 64, generator=rng()), torch.rand(5, 64, generator=rng(1))
    net = perturber(64, (32, 16), 4, False, rng())
    assert torch.allclose(net((first + second) / 2), (net(first) + net(second)) / 2, atol=1e-5)
    bent = perturber(64, (32, 16), 4, True, rng())
    assert not torch.allclose(bent((first + second) / 2), (bent(first) + bent(second)) / 2, atol=1e-3)


def test_r13_a_sum_over_a_thousand_and_a_thousandfold_mean_are_one() -> None:
    model, data = network(), digits().views
    x = data.rows(torch.arange(1000) % 64)
    objective = FlipAndKeep(nu=0.04).bind(model, x)
    delta = (0.3 * torch.randn(objective.z.shape, generator=rng())).requires_grad_(True)
    (mean,) = torch.autograd.grad(-objective(objective.z + delta).mean(), delta)
    y, moved = model.log_assign(x).exp(), model.log_assign_embedding(objective.z + delta).exp()
    changed = (model.generate(objective.z + delta) - model.generate(objective.z)).square().sum(1).mean()
    (released,) = torch.autograd.grad(
        2.5 * changed + 0.04 * (y * moved).sum() + delta.square().sum(1).mean(), delta
    )
    assert torch.allclose(mean, released, atol=1e-6)


def test_r14_the_same_draw_on_both_sides() -> None:
    model, x = network(), digits().views.all()
    objective = FlipAndKeep(nu=0.0).bind(model, x)
    eta = objective.spread * torch.randn(objective.z.shape, generator=rng())
    assert torch.equal(objective.drawn(objective.z, eta), torch.zeros(64))
    assert float(objective.spread.min()) > 0


def test_the_weight_follows_the_size_of_a_sample() -> None:
    assert (
        FlipAndKeep().weight_of(64),
        FlipAndKeep().weight_of(784),
        FlipAndKeep(nu=0.02).weight_of(64),
    ) == (0.01, 0.04, 0.02)
    assert FlipAndKeep().weight_of(2000) / 2000 == pytest.approx(0.04 / 784), (
        "the agreement weighs as much beside the sum over a document's words"
    )


def test_r12_no_perturbation_no_harm() -> None:
    data = digits()
    model = network()
    net = perturber(64, (8,), 4, False, rng()).requires_grad_(False)
    for parameter in net.parameters():
        parameter.zero_()
    found = measure("attack", outcome(model, data, net)).values
    assert (
        found["d_abs"],
        found["d_rel"],
        found["d_tab"],
        found["delta_ratio_mean"],
        found["flip_rate"],
    ) == (0, 0, 0, 0, 0)
    assert found["acc_clean"] == found["acc_attacked"] and found["nmi_clean"] == found["nmi_attacked"]
    assert (
        not {"linf_max", "l2_mean", "l0_mean", "knn_acc_attacked"} & set(found)
        and found["noise_flip_rate"] == 0
    )
    defence = LatentDefence(base=ConvAE(**TINY), attack=SMALL_ATTACK)
    many = AtRest((data.views.tensors[0].repeat(40, 1, 1, 1),), data.views.divisors)
    state = fresh(defence, many)
    state.extra["attack"].load_state_dict(
        {name: torch.zeros_like(value) for name, value in state.extra["attack"].state_dict().items()}
    )
    parts, _ = defence.parts(state, many.all())
    assert float(parts["perturbed_code"].detach()) == pytest.approx(
        float(parts["clean_code"].detach()), abs=1e-2
    )


def test_r15_flips_know_no_names_and_matching_anew_only_hides() -> None:
    draw = np.random.default_rng(0)
    labels, clean, attacked = (draw.integers(0, 5, 200) for _ in range(3))
    names = draw.permutation(5)
    assert (clean != attacked).mean() == (names[clean] != names[attacked]).mean()
    for _ in range(20):
        attacked = np.where(draw.random(200) < 0.5, clean, draw.integers(0, 5, 200))
        fixed = (robustness.matched_labels(labels, clean, attacked) == labels).mean()
        assert fixed <= clustering.accuracy(labels, attacked)


def test_sizes_and_the_noise_control() -> None:
    z, delta = np.array([[1.0, 2.0], [3.0, -2.0]]), np.array([[0.1, 0.0], [0.3, 0.4]])
    assert embedding.relative_size(delta, z) == pytest.approx((0.4 / 4 + 0.4 / 4) / 2)
    assert embedding.table_size(delta, z) == pytest.approx(5.0)
    assert embedding.length_ratio(delta, z) == pytest.approx((0.1 / 5**0.5 + 0.5 / 13**0.5) / 2)
    assert embedding.active(z) == 2
    assert np.allclose(
        np.linalg.norm(embedding.random_directions(delta, 0), axis=1), np.linalg.norm(delta, axis=1)
    )
    assert embedding.table_size(delta, np.zeros((2, 2))) is None


def test_r11_the_attack_changes_only_itself_and_the_defence_never_the_attack() -> None:
    data = digits().views
    base = trained(METHODS["conv_ae"], data)
    before = weights(base.model)
    net = fitted(vae_of(base), data, SMALL_ATTACK, FlipAndKeep())
    assert same(before, weights(base.model))
    assert not same(weights(perturber(64, (8,), 4, False, rng())), weights(net))
    for changes in ({}, {"variant": "consistency"}, {"variant": "control"}, {"attack_steps": 2, "round": 2}):
        defence = LatentDefence(
            **({"base": ConvAE(**TINY), "attack": SMALL_ATTACK, "steps": 4, "batch": 32} | changes)
        )
        state = fresh(defence, data)
        defence.adopt(state, {"base": base.model, "attack": net})
        assert list(defence.train(state, data))
        assert same(weights(net), weights(state.extra["attack"])) and not same(before, weights(state.model))
        if "learning_attack" in state.extra:
            assert not same(weights(net), weights(state.extra["learning_attack"]))
    assert same(before, weights(base.model))


@pytest.mark.parametrize("name", METHODS)
def test_a_training_that_was_interrupted_goes_on_bit_by_bit(name: str) -> None:
    settings, data = METHODS[name], digits().views
    whole = trained(settings, data)
    state = fresh(settings, data)
    steps = settings.train(state, data)
    for event in steps:
        if event.step >= 10:  # type: ignore[union-attr]
            break
    steps.close()  # type: ignore[attr-defined]
    again = fresh(settings, data)
    again.model.load_state_dict(state.model.state_dict())
    again.restore(state.training_tensors(), state.counters)
    list(settings.train(again, data))
    assert same(weights(whole.model), weights(again.model))


def test_the_public_codes_critic_of_embeddings_never_learns() -> None:
    settings, data = ConvAEMIE(**TINY, mie={"variant": "zz"}), digits().views
    first = weights(fresh(settings, data).extra["critic"])
    assert same(first, weights(trained(settings, data).extra["critic"])) and first["0.weight"].shape == (4, 8)
    learning = ConvAEMIE(**TINY, mie={"hidden": (8,)})
    assert not same(
        weights(fresh(learning, data).extra["critic"]), weights(trained(learning, data).extra["critic"])
    )


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 8, 8), (3, 32, 32), (1, 9, 13), (1, 16, 16)])
def test_convolutions_give_back_the_shape_they_were_given(shape: tuple[int, ...]) -> None:
    model = ConvAE(embedding=6, filters=(4, 8), head=(8,)).drawn((shape,), 3, rng()).requires_grad_(False)
    x = Views([torch.rand(2, *shape, generator=rng())])
    assert (
        model.encode(x).shape == (2, 6)
        and model.reconstruct(x).shape == (2, math.prod(shape))
        and model.log_assign(x).shape == (2, 3)
    )
    assert float(model.reconstruct(x).min()) >= 0 and float(model.reconstruct(x).max()) <= 1


def test_the_published_network_has_the_published_sizes() -> None:
    model = ConvAE().network(((1, 28, 28),), 10)
    assert model.mean.weight.shape == (64, 3136) and model.log_variance.weight.shape == (64, 3136)
    assert [tuple(layer.weight.shape) for layer in model.head if isinstance(layer, torch.nn.Linear)] == [
        (1024, 64),
        (1024, 1024),
        (512, 1024),
        (10, 512),
    ]
    net = LatentAttack().drawn(784, 64, rng())
    assert [tuple(layer.weight.shape) for layer in net] == [(1024, 784), (512, 1024), (64, 512)]


def test_vectors_are_dense_and_words_stay_positive() -> None:
    words = AtRest((torch.rand(40, 30, generator=rng()).square(),), (1.0,))
    state = trained(ConvAE(**TINY, output="softplus", normalise="mean_square"), words)
    model = vae_of(state)
    assert float(model.reconstruct(words.all()).min()) >= 0 and float(
        (words.all().flat() * model.scale).square().mean()
    ) == pytest.approx(1, rel=1e-4)


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    pair = AtRest((torch.rand(40, 1, 8, 8), torch.rand(40, 1, 8, 8)), (1.0, 1.0))
    with pytest.raises(DataError, match="one view"):
        fresh(METHODS["conv_ae"], pair)
    with pytest.raises(DataError, match="at least 4x4"):
        ConvAE().network(((1, 2, 2),), 3)
    with pytest.raises(SettingsError, match="as many samples as clusters"):
        trained(METHODS["conv_ae"], digits(5).views)
    for changes, said in (
        ({"epsilon": 0.2}, "takes no epsilon"),
        ({"lam": 1.0}, "takes no lam"),
        ({"norm": "l2"}, "takes no norm"),
        ({"objective": "leave_cluster"}, "same space"),
    ):
        with pytest.raises(SettingsError, match=said):
            Attack(**({"attack": "latent_attack", "objective": "flip_and_keep"} | changes))
    with pytest.raises(SettingsError, match="same space"):
        Attack(attack="pgd", objective="flip_and_keep")
    with pytest.raises(AbilityError, match="decodes"):
        FlipAndKeep().bind(Tiny(), images(3))


TREND = {
    "embedding": 10,
    "form": "dense",
    "hidden": (64, 64),
    "head": (64, 64),
    "warm_steps": 500,
    "head_steps": 150,
    "joint_steps": 500,
    "batch": 128,
    "evaluate_every": 1000,
}
FITTING = LatentAttack(hidden=(64,), steps=250, batch=500, rate=3e-3)


@pytest.mark.long
def test_r16_flips_grow_with_nu() -> None:
    data, flips = digits(900), []
    for seed in range(3):
        base = vae_of(trained(ConvAE(**TREND), data.views, seed))
        nets = [fitted(base, data.views, FITTING, FlipAndKeep(nu=nu), seed) for nu in (0.001, 0.01, 0.04)]
        reached = [outcome(base, data, net, attack_settings=FITTING.values()).reached for net in nets]
        flips.append([float(one.float().mean()) for one in reached])
    assert (np.diff(np.mean(flips, axis=0)) > 0).all()


@pytest.mark.long
@pytest.mark.parametrize("name", ["digits/conv_ae", "digits/conv_ae_graph"])
def test_r17_the_defence_halves_the_flips_of_its_own_attack(name: str) -> None:
    """On what ships, with the settings of the defences that ship: where base and attack are trained for a
    shorter time, it depends on the seed.
    """
    base, attack, data = load_model(Store().find(name)), Store().find(f"{name}.attack"), Digits().load()
    net, threat = restored(attack, data.views.shapes), Attack(**attack.spec.settings).threat

    def flipped(model: Any) -> float:
        samples = ended(launch(threat, Judge(model, data, "cpu"), attack.spec.seed, net))
        return measure("attack", samples).values["flip_rate"]

    shipped = Store().find(f"{name}.defended")
    defence = LatentDefence(**shipped.spec.settings["model_settings"])
    for seed in range(2):
        state = fresh(defence, data.views, seed=seed)
        defence.adopt(state, {"base": base, "attack": net})
        list(defence.train(state, data.views))
        assert flipped(vae_of(state).eval().requires_grad_(False)) < flipped(base) / 2
    assert flipped(load_model(shipped)) < flipped(base) / 2


def test_the_objective_is_a_latent_one() -> None:
    objective = FlipAndKeep().bind(network(), digits().views.all())
    assert isinstance(objective, LatentObjective) and objective.z.shape == objective.spread.shape == (64, 4)
