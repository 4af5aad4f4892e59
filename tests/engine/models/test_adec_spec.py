"""The mathematics of DEC*, IDEC* and ADEC. T numbers are those of the method's specification."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import Tensor

from engine.data.views import AtRest, Views
from engine.events import Evaluate
from engine.metrics.gradient_angles import cosine, probe_angles, supervised_targets
from engine.models.acai import ACAI, autoencoder_loss, coefficients, critic_loss, forward, mixed
from engine.models.adec import (
    adversarial_loss,
    decoder_step,
    discriminator_loss,
    discriminator_step,
    encoder_step,
)
from engine.models.pace import descend
from engine.nets.augmentation import augmented, rotate_and_shift
from engine.nets.autoencoder import ClusteringAutoencoder
from engine.nets.layers import perceptron
from engine.nets.student_t import assignment_loss, log_assignment, squared_distances, target_distribution
from tests.engine.models.small import (
    DATA,
    METHODS,
    begun,
    changed,
    every_step,
    fresh,
    rng,
    same,
    trained,
    weights,
)

DOUBLE = torch.float64


def drawn(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=rng(seed)) * scale


def points(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """z (7, 3), μ (4, 3) and a target p (7, 4) that is not that of z."""
    return drawn(7, 3, seed=seed), drawn(4, 3, seed=seed + 1), torch.softmax(drawn(7, 4, seed=seed + 2), 1)


@hypothesis_settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
def test_t1_q_is_a_distribution_whose_top_is_the_nearest_centre(seed: int, scale: float) -> None:
    z, mu = drawn(9, 3, seed=seed, scale=scale), drawn(4, 3, seed=seed + 1, scale=scale)
    q = log_assignment(z, mu).exp()
    assert torch.allclose(q.sum(1), torch.ones(9, dtype=DOUBLE), atol=1e-6) and bool((q > 0).all())
    assert torch.equal(q.argmax(1), squared_distances(z, mu).argmin(1))


def test_t1_by_hand() -> None:
    q = log_assignment(
        torch.tensor([[0.0], [3.0]]), torch.tensor([[0.0], [2.0]])
    ).exp()  # s = 1, 1/5 and 1/10, 1/2
    assert torch.allclose(q, torch.tensor([[5 / 6, 1 / 6], [1 / 6, 5 / 6]]), atol=1e-6)


def test_t1_far_points_keep_finite_logs() -> None:
    log_q = log_assignment(torch.tensor([[1e15, 0.0]]), torch.tensor([[1e15, 0.0], [-1e15, 1.0]]))
    assert bool(torch.isfinite(log_q).all()) and float(log_q[0, 1]) < -60


def test_t2_target() -> None:
    q = torch.softmax(drawn(30, 4), 1)
    p = target_distribution(q)
    assert torch.allclose(p.sum(1), torch.ones(30, dtype=DOUBLE), atol=1e-6)
    uniform, onehot = torch.full((6, 4), 0.25), torch.eye(3)[torch.tensor([0, 1, 2, 1])]
    assert torch.allclose(target_distribution(uniform), uniform, atol=1e-6)
    assert torch.allclose(target_distribution(onehot), onehot, atol=1e-6)
    samples, clusters = torch.randperm(30, generator=rng()), torch.randperm(4, generator=rng())
    assert torch.allclose(target_distribution(q[samples]), p[samples], atol=1e-6)
    assert torch.allclose(target_distribution(q[:, clusters]), p[:, clusters], atol=1e-6)


def test_t2_by_hand() -> None:
    q = torch.tensor([[0.8, 0.2], [0.4, 0.6]])  # f = 1.2, 0.8; q²/f = .5333, .05 and .1333, .45
    assert torch.allclose(
        target_distribution(q), torch.tensor([[0.914286, 0.085714], [0.228571, 0.771429]]), atol=1e-6
    )


def test_t2_a_cluster_without_anybody_stays_at_zero() -> None:
    p = target_distribution(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert torch.equal(p, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))


def kl_pull(z: Tensor, mu: Tensor, p: Tensor) -> Tensor:
    """2 s_ij (p_ij − q_ij)(z_i − μ_j): (n, k, m), for the summed loss."""
    s, q = 1 / (1 + squared_distances(z, mu)), log_assignment(z, mu).exp()
    return 2 * (s * (p - q)).unsqueeze(2) * (z.unsqueeze(1) - mu)


def test_t3_gradient_of_kl_by_z() -> None:
    z, mu, p = points()
    moving = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(len(z) * assignment_loss(p, log_assignment(moving, mu)), moving)
    assert torch.allclose(gradient, kl_pull(z, mu, p).sum(1), atol=1e-9)
    for i, j in ((0, 0), (3, 2), (6, 1)):
        nudge = torch.zeros_like(z)
        nudge[i, j] = 1e-6
        up, down = (len(z) * assignment_loss(p, log_assignment(z + sign * nudge, mu)) for sign in (1, -1))
        assert float(gradient[i, j]) == pytest.approx(float((up - down) / 2e-6), abs=1e-6)


def test_t4_gradient_of_the_adversary_has_a_minus() -> None:
    g, d = perceptron((3, 8, 5), rng(1)).double(), perceptron((5, 8, 1), rng(2)).double()
    z = drawn(6, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(len(z) * adversarial_loss(d(g(z)), "saturating"), z)
    for i in range(len(z)):
        jacobian = torch.autograd.functional.jacobian(g, z[i])
        x_hat = g(z[i]).detach().requires_grad_()
        probability = d(x_hat).sigmoid()
        (of_d,) = torch.autograd.grad(probability.sum(), x_hat)
        by_hand = jacobian.T @ of_d / (1 - probability.detach())
        assert torch.allclose(gradient[i], -by_hand, atol=1e-9)
        assert float((gradient[i] - by_hand).norm()) > 1.9 * float(by_hand.norm()) > 1e-6


def test_losses_of_the_game_from_probabilities() -> None:
    real, fake = drawn(5), drawn(5, seed=3)
    value = real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean()
    assert float(discriminator_loss(real, fake)) == pytest.approx(-float(value), abs=1e-12)
    assert float(adversarial_loss(fake, "saturating")) == pytest.approx(
        float((1 - fake.sigmoid()).log().mean()), abs=1e-12
    )
    assert float(adversarial_loss(fake, "nonsaturating")) == pytest.approx(
        float(-fake.sigmoid().log().mean()), abs=1e-12
    )


def test_t5_gradient_of_kl_by_centres() -> None:
    z, mu, p = points()
    z, mu = z.requires_grad_(), mu.requires_grad_()
    by_z, by_mu = torch.autograd.grad(len(z) * assignment_loss(p, log_assignment(z, mu)), (z, mu))
    assert torch.allclose(by_mu, -kl_pull(z.detach(), mu.detach(), p).sum(0), atol=1e-9)
    assert torch.allclose(by_z.sum(0) + by_mu.sum(0), torch.zeros(3, dtype=DOUBLE), atol=1e-9)


def test_t6_invariant_under_rigid_motion_but_not_under_scaling() -> None:
    z, mu, p = points()
    turn, shift = torch.linalg.qr(drawn(3, 3, seed=9))[0], drawn(3, seed=10)
    moved, scaled = log_assignment(z @ turn + shift, mu @ turn + shift), log_assignment(2 * z, 2 * mu)
    assert torch.allclose(moved, log_assignment(z, mu), atol=1e-6)
    assert float(assignment_loss(p, moved)) == pytest.approx(
        float(assignment_loss(p, log_assignment(z, mu))), abs=1e-6
    )
    assert not torch.allclose(scaled, log_assignment(z, mu), atol=1e-2)


def test_kl_is_zero_exactly_at_its_target_and_bears_zeros() -> None:
    _, _, p = points()
    assert float(assignment_loss(p, p.log())) == pytest.approx(0, abs=1e-12)
    assert float(
        assignment_loss(torch.eye(2), torch.tensor([[0.5, 0.5], [0.5, 0.5]]).log())
    ) == pytest.approx(np.log(2), abs=1e-6)


def pair_sum(a: Tensor, b: Tensor) -> Tensor:
    return squared_distances(a, b).sum()


def theorem_1(encoder: Tensor, decoder: Tensor, x: Tensor, first: int) -> tuple[float, float]:
    """Gaps of L_k = J1 − J2/2 and of L_r = J1 + J3, for z = x Aᵀ and x̂ = z Bᵀ; the first `first` samples are
    cluster 1.
    """
    z = x @ encoder.T
    z_hat, mean = z @ decoder.T @ encoder.T, z.mean(0)
    c1, c2 = z[:first], z[first:]
    n, n1, n2 = len(z), len(c1), len(c2)
    j1 = pair_sum(c1, c2) / n + pair_sum(c1, c1) / (2 * n) + pair_sum(c2, c2) / (2 * n)
    j2 = (
        n1 * n2 / n * (2 * pair_sum(c1, c2) / (n1 * n2) - pair_sum(c1, c1) / n1**2 - pair_sum(c2, c2) / n2**2)
    )
    j3 = ((z_hat - mean).square() - 2 * (z - mean) * (z_hat - mean)).sum()
    within = (c1 - c1.mean(0)).square().sum() + (c2 - c2.mean(0)).square().sum()
    reconstruction = (x - z @ decoder.T).square().sum()
    return float((within - (j1 - j2 / 2)).abs()), float((reconstruction - (j1 + j3)).abs())


def test_t7_theorem_1() -> None:
    x = drawn(20, 6)
    orthogonal = torch.linalg.qr(drawn(6, 6, seed=4))[0]
    for_k, for_r = theorem_1(orthogonal, drawn(6, 6, seed=5), x, 8)
    assert for_k < 1e-9 and for_r < 1e-9
    for_k, for_r = theorem_1(drawn(3, 6, seed=6), drawn(6, 3, seed=7), x, 8)
    assert for_k < 1e-9 and for_r > 1


ALL = torch.arange(len(DATA))


def angles(state: object, index: Tensor = ALL) -> dict[str, float | None]:
    with torch.no_grad():
        clusters = state.model.log_assign(DATA.views.all()).argmax(1).numpy()  # type: ignore[attr-defined]
    return probe_angles(state, DATA.views, DATA.labels, clusters, index)  # type: ignore[arg-type]


def test_t8_angles_are_bounded_and_do_not_know_gamma() -> None:
    assert cosine(drawn(9), drawn(9)) == pytest.approx(1, abs=1e-9)
    assert cosine(drawn(9), -drawn(9)) == pytest.approx(-1, abs=1e-9)
    assert cosine(drawn(9) * 1e-25, drawn(9) * 1e25) == pytest.approx(1, abs=1e-9)
    assert cosine(drawn(9) * 1e-31, drawn(9)) is None
    small, large = (angles(begun(changed("idec_star", gamma=gamma))) for gamma in (0.01, 100.0))
    assert small["delta_fd"] == pytest.approx(large["delta_fd"], abs=1e-9)
    assert abs(small["delta_fr"] - large["delta_fr"]) > 1e-3
    assert all(
        -1 <= value[key] <= 1
        for value in (small, large)
        for key in ("delta_fr", "delta_fd", "cos_sup_pseudo")
    )


def test_t8_without_its_adversary_adec_is_dec() -> None:
    without, dec = angles(begun(changed("adec", adv_weight=0.0))), angles(begun(METHODS["dec_star"]))
    assert without["delta_fr"] == pytest.approx(dec["delta_fr"], abs=1e-9)
    assert (
        without["hypothetical"] == dec["hypothetical"] == 1
        and angles(begun(METHODS["adec"]))["hypothetical"] == 0
    )
    assert angles(begun(METHODS["idec_star"]))["hypothetical"] == 0


def test_t9_true_targets_have_no_randomness() -> None:
    state = begun(METHODS["dec_star"])
    with torch.no_grad():
        clusters = state.model.log_assign(DATA.views.all()).argmax(1).numpy()
    target = torch.from_numpy(supervised_targets(DATA.labels, clusters, 3))
    state.tensors["p"] = torch.nn.functional.one_hot(target, 3).float()
    assert angles(state)["delta_fr"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["dec_star", "idec_star", "adec"])
def test_t10_probing_changes_nothing(name: str) -> None:
    unprobed, _ = trained(METHODS[name])
    state, probes = fresh(METHODS[name]), 0
    for event in METHODS[name].train(state, DATA.views):
        if isinstance(event, Evaluate):
            assert angles(state, state.probe_rows(len(DATA)))
            assert all(weight.grad is None for weight in state.model.parameters())
            probes += 1
    assert probes == 5 and same(weights(unprobed), weights(state))


def test_probe_rows_are_a_fixed_subset_at_the_intervals_asked_for() -> None:
    method = changed("dec_star", probe=10, delta_every=10, iterations=22)
    state, seen = fresh(method), {}
    for event in method.train(state, DATA.views):
        if isinstance(event, Evaluate):
            seen[event.step] = state.probe_rows(len(DATA))
    assert [step for step, rows in seen.items() if rows is not None] == [
        0,
        12,
        22,
    ]  # 20 falls in the refresh that is the end
    assert torch.equal(seen[0], seen[12]) and len(seen[0].unique()) == 10


@pytest.mark.parametrize(
    "end",
    [{"iterations": 18}, {"iterations": 100, "delta_every": 90, "stop_at_tolerance": True, "tolerance": 1.0}],
)
def test_the_last_iterate_is_always_probed(end: dict[str, object]) -> None:
    method = changed("dec_star", **({"probe": 10, "delta_every": 10} | end))
    state, due = fresh(method), True
    for event in method.train(state, DATA.views):
        if isinstance(event, Evaluate):
            due = state.probe_rows(len(DATA)) is not None
    assert due, "a final angle is that of the final weights"


def parts(state: object) -> dict[str, dict[str, Tensor]]:
    model, extra = state.model, state.extra  # type: ignore[attr-defined]
    found = {
        "encoder": model.encoder.state_dict() | {"centres": model.centres.detach()},
        "decoder": model.decoder.state_dict(),
        "discriminator": extra["discriminator"].state_dict(),
    }
    return {name: {key: value.clone() for key, value in values.items()} for name, values in found.items()}


def test_t11_each_step_moves_its_own_part_only() -> None:
    state = begun(METHODS["adec"])
    x, p = state.model.units(DATA.views.all()), state.tensors["p"]
    steps = {
        "encoder": lambda: encoder_step(state, x, p, 1.0, "saturating"),
        "decoder": lambda: decoder_step(state, x),
        "discriminator": lambda: discriminator_step(state, x),
    }
    for name, step in steps.items():
        before = parts(state)
        step()
        after = parts(state)
        assert [part for part in before if not same(before[part], after[part])] == [name]
        assert not any(torch.equal(before[name][key], after[name][key]) for key in before[name])


def test_t12_half_of_the_iterations_move_the_encoder() -> None:
    for block, rounds in ((1, 5), (4, 3), (5, 2)):
        state, events = trained(changed("adec", block=block, iterations=2 * block * rounds))
        assert state.counters["encoder_updates"] == block * rounds
        assert events[-1].values["encoder_updates"] == block * rounds


def test_blocks_begin_with_the_decoder_alone() -> None:
    method = METHODS["adec"]
    assert [method.moves_encoder(step) for step in range(12)] == [False] * 4 + [True] * 4 + [False] * 4


def test_t13_no_stop_at_the_start_nor_while_the_encoder_stands_still() -> None:
    method = changed(
        "adec", block=10, interval=4, iterations=40, stop_at_tolerance=True, tolerance=1.0, rate=1e-6
    )
    state, events = trained(method)
    evaluated = [event for event in events if isinstance(event, Evaluate)]
    assert [event.step for event in evaluated] == [
        0,
        4,
        8,
        12,
    ]  # iterations 10 and 11 are the first that move the encoder
    assert [event.values["label_change"] for event in evaluated] == [None, None, None, 0.0]
    assert state.counters["settled"] and list(method.train(state, DATA.views)) == []


def test_tolerance_is_shown_where_it_does_not_stop() -> None:
    state, events = trained(changed("dec_star", tolerance=1.0, rate=1e-6))
    assert state.step == 24 and events[-1].values["label_change"] == 0.0


def test_t14_the_critic_learns_a_folded_alpha() -> None:
    state = fresh(changed("acai", rate=3e-3))
    state.model.encoder = state.model.decoder = (
        torch.nn.Identity()
    )  # frozen, and perfect: mixtures of corners of a simplex
    corners, losses = torch.eye(12), []
    for _ in range(600):
        batch = corners[torch.randint(12, (64,), generator=state.rng)]
        alpha, beta = coefficients(64, state.rng, fold=True), coefficients(1, state.rng, fold=True).squeeze()
        _, of_mixture, of_blend = forward(state, batch, alpha, beta)
        loss = critic_loss(of_mixture, alpha, of_blend)
        descend(state.optimisers["critic"], loss)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-100:]) < 1 / 48 < np.mean(losses[:20])


def test_alpha_folds_and_mixes_with_the_mirrored_batch() -> None:
    alpha = coefficients(4000, rng(), fold=True)
    assert (
        float(alpha.min()) >= 0
        and float(alpha.max()) <= 0.5
        and float(alpha.var()) == pytest.approx(1 / 48, rel=0.05)
    )
    assert float(coefficients(4000, rng(), fold=False).max()) > 0.9
    z = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    assert torch.allclose(
        mixed(z, torch.tensor([[0.1], [0.5], [0.0], [1.0]])), torch.tensor([[9.0], [1.5], [1.0], [10.0]])
    )


def test_losses_of_acai_by_hand() -> None:
    x, x_hat, c = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]), torch.tensor([0.2])
    assert float(autoencoder_loss(x, x_hat, c, 0.5)) == pytest.approx(2.5 + 0.5 * 0.04)
    assert float(critic_loss(c, torch.tensor([[0.5]]), torch.tensor([0.3]))) == pytest.approx(0.09 + 0.09)


def test_one_iteration_of_acai_equals_two_separate_steps() -> None:
    method = changed("acai", augment=False)
    ours, plain = fresh(method), fresh(method)
    x = ours.model.units(DATA.views.all())
    method.update(ours, x)
    alpha, beta = coefficients(len(x), plain.rng, True), coefficients(1, plain.rng, True).squeeze()
    model, critic = plain.model, plain.extra["critic"]
    z = model.encoder(x)
    x_hat, x_mixed = model.decoder(z), model.decoder(alpha * z + (1 - alpha) * z.flip(0))
    first = (x - x_hat).square().mean() + 0.5 * critic(x_mixed).mean(1).square().mean()
    blend = (beta * x + (1 - beta) * x_hat).detach()
    second = (critic(x_mixed.detach()).mean(1) - alpha.squeeze(1)).square().mean() + critic(blend).mean(
        1
    ).square().mean()
    for name, loss in (("autoencoder", first), ("critic", second)):
        descend(plain.optimisers[name], loss)
    a, b = weights(ours), weights(plain)
    assert all(torch.allclose(a[name].float(), b[name].float(), atol=2e-6) for name in a)


def test_t15_augmentation_without_range_is_the_identity() -> None:
    images = torch.rand(5, 2, 7, 9, generator=rng())
    assert torch.allclose(rotate_and_shift(images, rng(), 0, 0), images, atol=1e-5)


def test_augmentation_shifts_turns_and_fills_with_the_edge() -> None:
    images = torch.rand(400, 1, 10, 20, generator=rng())
    moved = rotate_and_shift(images, rng(), 0.0, 0.1)
    assert float(moved.min()) >= 0 and float(moved.max()) <= 1 and not torch.allclose(moved[0], moved[1])
    edge = torch.zeros(400, 1, 10, 20)
    edge[..., 0] = 1  # a bright left column: moved right by up to two pixels, it fills what it leaves
    share = rotate_and_shift(edge, rng(), 0.0, 0.1).sum((1, 2, 3)) / 10
    assert float(share.max()) == pytest.approx(3, abs=0.1) and float(share.min()) >= 0
    square = torch.zeros(1, 1, 9, 9)
    square[..., 4, 1:8] = 1  # a line through the middle
    turned = torch.cat([rotate_and_shift(square, rng(seed), 90.0, 0.0) for seed in range(200)])
    assert float(turned[:, 0, 1, 4].max()) > 0.8  # upright in some
    view = Views([torch.rand(3, 4), torch.rand(3, 1, 4, 4)])
    assert torch.equal(augmented(view, rng())[0], view[0]) and not torch.equal(
        augmented(view, rng())[1], view[1]
    )


def test_t17_a_huge_gamma_is_clustering_alone() -> None:
    state = begun(changed("idec_star", gamma=1e6))
    losses = state.losses(DATA.views.all(), ALL)
    weights_ = list(state.encoder.parameters())
    total, kl = (
        torch.cat(
            [g.flatten().double() for g in torch.autograd.grad(losses[name], weights_, retain_graph=True)]
        )
        for name in ("total", "pseudo")
    )
    assert cosine(total, kl) > 0.999


class Doubles(AtRest):
    """Data that stay in float64."""

    def rows(self, index: Tensor | slice) -> Views:
        return Views(tensor[index] for tensor in self.tensors)


def test_t18_at_a_stationary_point_drift_is_minus_one() -> None:
    state = begun(changed("idec_star", gamma=1.0))
    x = torch.rand(50, 6, dtype=DOUBLE, generator=rng())
    state.model = ClusteringAutoencoder(
        6, (), 2, 3, rng(1)
    ).double()  # linear: at a kink of ReLU no gradient vanishes
    with torch.no_grad():
        state.model.centres.copy_(drawn(3, 2, seed=3, scale=0.3))
        state.tensors["p"] = target_distribution(torch.softmax(drawn(50, 3, seed=4), 1))
    views, index, moving = Views([x]), torch.arange(50), list(state.model.encoder.parameters())
    search = torch.optim.LBFGS(
        moving,
        max_iter=3000,
        history_size=50,
        tolerance_grad=1e-9,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        search.zero_grad()
        loss = state.losses(views, index)["total"]
        loss.backward(inputs=moving)
        return loss

    search.step(closure)
    search.zero_grad()
    found = probe_angles(state, Doubles((x,), (1.0,)), None, np.zeros(50, dtype=int), index)
    assert found["norm_total"] < 1e-6 and found["norm_pseudo"] > 1e-3
    assert found["delta_fd"] < -0.99 and found["near_stationary"] == 1
    assert "delta_fr" not in found, "there are no labels"


def test_adec_tells_its_signs() -> None:
    _, events = trained(METHODS["adec"])
    told = [event.values for event in events if isinstance(event, Evaluate)]
    for values in told:
        assert 0 < values["d_real"] < 1 and 0 < values["d_fake"] < 1
        assert values["ratio_adv_kl"] == pytest.approx(values["norm_adv"] / values["norm_kl"])
        assert (
            values["alarm"] == float(values["ratio_adv_kl"] > 2)
            and values["smallest_cluster"] >= 0
            and values["z_std"] > 0
        )
    assert {values["block"] for values in told} == {0.0, 1.0}
    _, loud = trained(changed("adec", adv_weight=100.0))
    assert any(event.values.get("alarm") == 1 for event in loud)


def test_a_good_discriminator_ends_its_head_start_early(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    for accuracy, least, most in ((1.0, 60, 60), (0.6, 1, 59)):
        state = fresh(
            changed("adec", discriminator_steps=60, discriminator_rate=0.05, discriminator_accuracy=accuracy)
        )
        told = list(state.settings.prepare(state, DATA.views))
        assert least <= len(told) <= most and {event.phase for event in told} == {"discriminator"}
        assert (
            state.counters["head_start"] == 60
            and state.step == 0
            and list(state.settings.prepare(state, DATA.views)) == []
        )


def test_quick_is_the_reduced_setting() -> None:
    quick = type(METHODS["adec"]).preset("quick")
    assert (quick.interval, quick.block, quick.iterations, quick.stop_at_tolerance) == (20, 10, 3000, False)
    assert quick.base == ACAI.preset("quick") and quick.discriminator == quick.base.hidden == (128, 128, 256)
