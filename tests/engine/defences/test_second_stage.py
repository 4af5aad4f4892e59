"""The second stage of robust contrastive learning: its objectives, its attack, its teacher, and its loop."""

import json
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.attacks.budget import Budget
from engine.data.views import AtRest, Views
from engine.defences.acl import ACL, contraster_of
from engine.defences.deacl import DeACL
from engine.defences.dynacl import DynACL, average_of
from engine.defences.dynacl_pp import DynACLPP, divergence
from engine.defences.imitating import Imitating, imitator_of
from engine.defences.ncp_acl import NCPACL
from engine.defences.second_stage import SecondStage, embedded, student_of
from engine.errors import AbilityError, DataError, SettingsError
from engine.events import Evaluate
from engine.models.protocols import abilities
from engine.models.simclr import SimCLR, network_of
from engine.nets.augmentation import shifted_and_flipped
from engine.nets.contrastive import nt_xent
from engine.objectives.ncp import neighbours, score
from tests.engine.defences.small import DATA, SHORT, STAGE_1, base, fresh
from tests.engine.models.small import BASE, every_step, how, rng, same, until, weights

EACH: dict[str, SecondStage] = {
    "ncp_acl": NCPACL(**SHORT),
    "ncp_acl, once an epoch": NCPACL(assign="epoch", strategy="toward", neighbour=3, **SHORT),
    "ncp_acl, one normalisation": NCPACL(dual_norm=False, **SHORT),
    "deacl": DeACL(**SHORT),
    "deacl, same loop": DeACL(lam=6, dual_norm=True, **SHORT),
    "acl": ACL(**SHORT),
    "dynacl": DynACL(**SHORT),
    "dynacl_pp": DynACLPP(
        **(SHORT | {"encoder_settings": DynACL(**SHORT).values(), "epochs": 3, "probe_epochs": 1})
    ),
}
NAMES = list(EACH)
IMITATING = [name for name in NAMES if isinstance(EACH[name], Imitating)]


def batch(n: int = 15) -> Views:
    return DATA.views.rows(slice(n))


@pytest.mark.parametrize("name", NAMES)
def test_trains_to_the_end_and_is_able(name: str) -> None:
    settings = EACH[name]
    state = fresh(settings)
    events = list(settings.train(state, DATA.views))
    told = [event for event in events if isinstance(event, Evaluate)]
    assert [event.step for event in told] == [2, 4, 6, 8] and told[-1].total == 8  # 2 batches in an epoch
    assert all(curve.name in told[-1].values for curve in settings.curves)
    assert len({event.values[settings.curves[0].name] for event in told}) == 4, "it learns"
    model, x = state.model.eval(), DATA.views.all()
    assert abilities(model) == list(settings.abilities)
    assert torch.allclose(model.centroids().norm(dim=1), torch.ones(4), atol=1e-5)
    z = embedded(student_of(state), DATA.views, "adversarial")
    assert torch.equal(z, model.encode(x)) and bool(torch.isfinite(z).all())
    log_q = model.log_assign(x)
    assert log_q.shape == (60, 4) and torch.allclose(log_q.exp().sum(1), torch.ones(60), atol=1e-5)
    own = neighbours(z, model.centroids(), 1)[0]
    assert torch.equal(log_q.argmax(1), own)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken_after", [1, 5])
def test_resumed_equals_unbroken(name: str, broken_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    settings = EACH[name]
    unbroken, first, second = fresh(settings), fresh(settings), fresh(settings, seed=99)
    told = list(settings.train(unbroken, DATA.views))
    part = settings.train(first, DATA.views)
    before = until(part, broken_after)
    part.close()
    kept = weights(first)
    own = {key.removeprefix("model."): value for key, value in kept.items() if key.startswith("model.")}
    second.model.load_state_dict(own)
    rest = {key: value for key, value in kept.items() if not key.startswith("model.")}
    second.restore(rest, json.loads(json.dumps(first.counters)))
    after = list(settings.train(second, DATA.views))
    assert same(weights(unbroken), weights(second))
    assert [event for event in before + after if isinstance(event, Evaluate)] == [
        event for event in told if isinstance(event, Evaluate)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_a_training_row_is_never_looked_at(name: str) -> None:
    pixels = DATA.views.tensors[0].clone()
    pixels[torch.from_numpy(DATA.rows("test"))] = 255
    other = replace(DATA, views=AtRest((pixels,), DATA.views.divisors), fingerprint="")
    one, two = fresh(EACH[name]), fresh(EACH[name])
    list(EACH[name].train(one, DATA.views))
    list(EACH[name].train(two, other.views))
    assert same(weights(one), weights(two))


def test_1_the_loss_of_a_student_that_is_its_teacher() -> None:
    settings = NCPACL(decay=0, **(SHORT | {"rate": 1e-9}))
    state = fresh(settings)
    model, x = imitator_of(state), batch()
    with torch.no_grad(), model.eval().reading("clean"):
        z, teacher = model.encode(x), model.teacher(x)
    assert torch.equal(z, teacher)
    settings.begin_epoch(state, DATA.views)
    parts, _ = settings.parts(state, x, torch.arange(15))
    assert set(parts) == {"imitation", "agreement"}
    assert -7 <= sum(float(part.detach()) for part in parts.values()) <= 7 and all(
        part.requires_grad for part in parts.values()
    )


def test_1_at_rest_the_loss_is_minus_one_and_the_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = NCPACL(**SHORT)
    state = fresh(settings)
    settings.begin_epoch(state, DATA.views)
    model = imitator_of(state).eval()
    monkeypatch.setattr(model, "train", lambda mode=True: model)  # running statistics: f is the teacher
    parts, _ = settings.parts(state, batch(), torch.arange(15))
    assert float(parts["imitation"].detach()) == pytest.approx(-1, abs=1e-5)
    assert -6 - 1e-5 <= float(parts["agreement"].detach()) < 6
    still = NCPACL(**(SHORT | {"epsilon": 0.0}))  # and the floor, where nothing is pushed
    parts, _ = still.parts(state, batch(), torch.arange(15))
    assert float(sum(part.detach() for part in parts.values())) == pytest.approx(-7, abs=1e-5)


def test_1_both_terms_are_cosines_written_out() -> None:
    settings = NCPACL(**SHORT)
    state = fresh(settings)
    settings.begin_epoch(state, DATA.views)
    model, x = imitator_of(state), batch()
    moment, before = state.rng.get_state(), {key: each.clone() for key, each in model.state_dict().items()}
    parts, _ = settings.parts(state, x, torch.arange(15))
    state.rng.set_state(moment)
    model.load_state_dict(before)  # the step moved its running statistics
    teacher = model.teacher(x)
    wanted = settings.wanted(state, x, torch.arange(15), teacher)
    pushed = settings.pushed_by(state, x, lambda views: wanted(model.encode(views))).x
    clean, attacked = settings.embeddings(state, x, pushed)

    def cosine(a: Tensor, b: Tensor) -> float:
        rows = [float(u @ v / (u.norm() * v.norm())) for u, v in zip(a.detach(), b.detach(), strict=True)]
        return sum(rows) / len(rows)

    assert float(parts["imitation"].detach()) == pytest.approx(-cosine(clean, teacher), abs=1e-5)
    assert float(parts["agreement"].detach()) == pytest.approx(-6 * cosine(attacked, clean), abs=1e-5)


def test_2_the_objective_is_not_positive_before_the_attack_and_bounded_after_it() -> None:
    settings = NCPACL(**SHORT)
    state = fresh(settings)
    settings.begin_epoch(state, DATA.views)
    model, x = imitator_of(state), batch(30)
    wanted = settings.wanted(state, x, torch.arange(30), model.teacher(x))
    with torch.no_grad(), model.eval().reading("clean"):
        before = wanted(model.encode(x))
        own, other = neighbours(model.encode(x), state.tensors["centroids"], 2)
    assert float(before.max()) <= 1e-6
    assert torch.equal(own, (F.normalize(model.encode(x), dim=1) @ state.tensors["centroids"].T).argmax(1))
    assert bool((own != other).all())
    pushed = settings.pushed_by(state, x, lambda views: wanted(model.encode(views)))
    with torch.no_grad():
        after = wanted(model.eval().encode(pushed.x))
    span = (state.tensors["centroids"][own] - state.tensors["centroids"][other]).norm(dim=1)
    assert bool((after.abs() <= span + 1e-5).all())
    assert float((after >= before - 1e-6).float().mean()) >= 0.95  # test 3
    assert float(pushed.ended) > float(pushed.began)


@pytest.mark.parametrize(("epsilon", "step"), [(0.0, 0.03), (0.05, 0.03), (0.05, 1.0), (1.0, 0.3)])
def test_4_attacked_pictures_stay_in_the_ball_and_the_box(epsilon: float, step: float) -> None:
    settings = NCPACL(**(SHORT | {"epsilon": epsilon, "attack_step": step}))
    state = fresh(settings)
    x = batch()
    pushed = settings.pushed_by(state, x, lambda views: student_of(state).encode(views).sum(1)).x
    change = pushed.flat() - x.flat()
    assert float(change.abs().max()) <= epsilon + 1e-6
    assert 0 <= float(pushed.flat().min()) <= float(pushed.flat().max()) <= 1
    assert torch.equal(pushed.flat(), x.flat()) == (epsilon == 0)
    assert settings.watched_attack() is None or epsilon > 0


@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_4_without_a_step_the_random_start_is_the_answer(epsilon: float) -> None:
    settings = NCPACL(**(SHORT | {"epsilon": epsilon, "attack_steps": 0}))
    state, x = fresh(settings), batch()
    start = Budget("linf", epsilon).random_point(x.flat(), fresh(settings).rng)
    pushed = settings.pushed_by(state, x, lambda views: student_of(state).encode(views).sum(1))
    assert torch.equal(pushed.x.flat(), start) and torch.equal(pushed.began, pushed.ended)
    assert [event.step for event in settings.train(fresh(settings), DATA.views)][-1] == 8


def test_5_the_gradients_of_the_strategies_add_up() -> None:
    draw = rng()
    own, other = (F.normalize(torch.randn(5, 6, generator=draw), dim=1) for _ in range(2))
    z = torch.randn(5, 6, generator=draw, requires_grad=True)

    def gradient(strategy: str) -> Tensor:
        return torch.autograd.grad(score(z, own, other, strategy).sum(), z)[0]  # type: ignore[arg-type]

    assert torch.allclose(gradient("both"), gradient("away") + gradient("toward"), atol=1e-6)


def test_10_the_attack_changes_no_buffer_and_each_part_its_own_statistics() -> None:
    settings = NCPACL(**SHORT)
    state = fresh(settings)
    settings.begin_epoch(state, DATA.views)
    model, x = imitator_of(state), batch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    settings.pushed_by(state, x, lambda views: model.encode(views).sum(1))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        settings.embeddings(state, x, x)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}
    assert moved and all("running" in name or "num_batches" in name for name in moved)
    assert {name.split(".")[2] for name in moved} == {"clean", "adversarial"}


@pytest.mark.parametrize("name", IMITATING)
def test_11_the_teacher_never_changes_and_has_no_gradient(name: str) -> None:
    state = fresh(EACH[name])
    model, before = imitator_of(state), base().encoder.state_dict()
    list(EACH[name].train(state, DATA.views))
    after = model.imitated.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    assert not model.imitated.training and not model.teacher(batch()).requires_grad
    with torch.no_grad():
        assert torch.allclose(model.teacher(batch()), base().encode(batch()), atol=1e-5)
    owned = {id(weight) for group in state.optimisers["student"].param_groups for weight in group["params"]}
    assert owned.isdisjoint(id(weight) for weight in model.imitated.parameters())


def test_acl_is_the_mean_of_two_streams_through_their_own_normalisations() -> None:
    settings = ACL(**SHORT)
    state = fresh(settings)
    x = settings.seen(state, batch())
    model = contraster_of(state)
    assert x.n == 30 and not torch.equal(x[0][:15], x[0][15:])
    for branch in ("clean", "adversarial"):
        with torch.no_grad(), model.eval().reading(branch):
            z = model.project(x)
            expected = nt_xent(z[:15], z[15:], 0.5)
            assert torch.equal(settings.contrast(state, x, branch), expected)
    parts, _ = settings.parts(state, x, torch.arange(15))
    assert float(parts["attacked"].detach()) > 0 and settings.weights(state) == (0.5, 0.5)


def test_12_the_contrastive_loss_of_equal_embeddings_of_any_length_and_order() -> None:
    one, two = torch.randn(6, 5, generator=rng()), torch.randn(6, 5, generator=rng(1))
    alike = torch.ones(6, 5)
    assert float(nt_xent(alike, alike, 0.5).mean()) / 2 == pytest.approx(math.log(11), abs=1e-5)
    assert torch.allclose(nt_xent(3 * one, 0.2 * two, 0.5), nt_xent(one, two, 0.5), atol=1e-5)
    assert torch.allclose(nt_xent(two, one, 0.5), nt_xent(one, two, 0.5), atol=1e-5)


def test_the_schedule_of_dynacl_weakens_its_views_and_weighs_what_is_attacked() -> None:
    settings = DynACL(**SHORT)
    state = fresh(settings)
    views = contraster_of(state).views
    state.counters |= {"total": 1000, "step": 0}
    assert settings.views_at(state) == views and settings.weights(state) == (0.5, 0.5)
    state.counters["step"] = 549
    half = settings.views_at(state)
    assert half.crop == pytest.approx(1 - (1 - views.crop) / 2) and half.jitter == pytest.approx(0.4)
    assert settings.weights(state) == pytest.approx((1 / 3, 2 / 3))
    state.counters["step"] = 999
    assert settings.views_at(state).strength == pytest.approx(0.05 * views.strength)


def test_the_average_of_dynacl_follows_slowly() -> None:
    settings = DynACL(**SHORT)
    state = fresh(settings)
    state.counters["total"] = 8
    before = [weight.clone() for weight in average_of(state).parameters()]
    settings.step(state, settings.seen(state, batch()), torch.arange(15), 8)
    for old, kept, new in zip(before, average_of(state).parameters(), state.model.parameters(), strict=True):
        assert torch.allclose(kept, 0.99 * old + 0.01 * new, atol=1e-6)


def test_the_head_learns_alone_before_the_encoder_does() -> None:
    settings = EACH["dynacl_pp"]
    state = fresh(settings)
    begun = {key: each.clone() for key, each in state.model.encoder.state_dict().items()}
    seen = []
    for event in settings.train(state, DATA.views):
        if not isinstance(event, Evaluate):  # a step on a busy machine says how far it is
            continue
        still = all(torch.equal(begun[key], each) for key, each in state.model.encoder.state_dict().items())
        seen.append((event.step, still, "divergence" in event.values))
    assert seen[0] == (2, True, False) and all(each[1:] == (False, True) for each in seen[1:])
    assert state.tensors["pseudo"].shape == (30,)


def test_the_divergence_is_that_of_the_written_sum() -> None:
    clean, moved = torch.randn(4, 3, generator=rng()), torch.randn(4, 3, generator=rng(1))
    p, q = clean.softmax(1), moved.softmax(1)
    expected = [
        sum(float(a * (a / b).log()) for a, b in zip(*rows, strict=True)) for rows in zip(p, q, strict=True)
    ]
    assert divergence(clean, moved).tolist() == pytest.approx(expected, abs=1e-6)


def test_weak_augmentation_moves_whole_pixels_and_mirrors() -> None:
    images = torch.rand(6, 2, 5, 5, generator=rng())
    assert torch.equal(shifted_and_flipped(images, rng(), 0, 0.0), images)
    assert torch.equal(shifted_and_flipped(images, rng(), 0, 1.0), images.flip(3))
    moved = shifted_and_flipped(images, rng(1), 2, 0.0)
    padded = F.pad(images, [2] * 4)
    for image, wide in zip(moved, padded, strict=True):
        places = [wide[:, r : r + 5, c : c + 5] for r in range(5) for c in range(5)]
        assert any(torch.equal(image, place) for place in places)


def test_wrong_choices_get_a_sentence() -> None:
    with pytest.raises(DataError, match="moves pictures by up to 8 pixels; these have 8 x 8"):
        NCPACL(**(SHORT | {"padding": 8})).network(DATA.views.shapes, 4)
    with pytest.raises(SettingsError, match="neighbour 5, but looks for 4 clusters"):
        fresh(NCPACL(neighbour=5, **SHORT))
    with pytest.raises(AbilityError, match="begins from a contrastive encoder"):
        NCPACL(**(SHORT | {"encoder": "acai", "encoder_settings": BASE})).network(DATA.views.shapes, 4)
    headless = {"encoder": "ncp_acl", "encoder_settings": SHORT}
    with pytest.raises(AbilityError, match="an encoder with a projection head; the base has none"):
        ACL(**(SHORT | headless)).network(DATA.views.shapes, 4)
    with pytest.raises(DataError, match="no more than there are samples, here 30; got 31"):
        list(NCPACL(**SHORT).train(fresh(NCPACL(**SHORT), clusters=31), DATA.views))


@pytest.mark.parametrize("encoder", ["three_convolutions", "layers"])
def test_an_encoder_that_normalises_first_takes_it_from_training_rows_and_hands_it_on(encoder: str) -> None:
    first = SimCLR(**{**STAGE_1, "normalised": True, "encoder": encoder, "epochs": 1})
    state = first.skeleton(DATA.views, 3, rng(), how())
    state.rows = torch.from_numpy(DATA.rows("train"))
    list(first.train(state, DATA.views))
    model = network_of(state).eval()
    seen = DATA.views.rows(state.rows)[0]
    mean, deviation = seen.mean(), seen.std(correction=0)
    assert mean != DATA.views.all()[0].mean(), "the test rows are not looked at"
    torch.testing.assert_close(model.encoder[0].mean, mean[None], atol=1e-6, rtol=0)
    x = DATA.views.rows(slice(0, 5))
    scaled = (x[0] - mean) / deviation
    beyond = model.encoder[1:](scaled.flatten(1) if encoder == "layers" else scaled)
    torch.testing.assert_close(model.encode(x), beyond, atol=1e-4, rtol=1e-4)
    if encoder != "layers":
        assert torch.equal(model.maps(x), model.encoder[:2](x[0])), "the maps are still the convolution's"
    second = NCPACL(**{**SHORT, "encoder_settings": first.values()})
    student = second.skeleton(DATA.views, 4, rng(), how())
    second.adopt(student, {"base": model})
    torch.testing.assert_close(student_of(student).eval().encode(x), model.encode(x))


def test_normalising_is_a_choice_that_leaves_the_keys_of_runs_as_they_are() -> None:
    assert "normalised" not in SimCLR().values() | SimCLR.preset("quick").values()
    assert NCPACL.preset("cifar10").encoder_settings["normalised"] is True
