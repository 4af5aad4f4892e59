"""Multi-view models against their reference values: sizes, losses, training, the inner attack, the GAN
attack.
"""

import math
from typing import Any

import pytest
import torch

from engine import device
from engine.attacks.budget import Budget
from engine.attacks.mv_gan import MvGAN
from engine.attacks.protocols import answer
from engine.data.views import AtRest, Views
from engine.defences.ar_dmvc import ARDMVC, ARDMVCAM, divergence
from engine.errors import DataError, SettingsError
from engine.events import Evaluate
from engine.models.aecoddc import AECoDDC
from engine.models.comvc import CoMVC
from engine.models.multiview import MultiView, network_of
from engine.models.simvc import SiMVC
from engine.models.state import State
from engine.nets import ddc, gan, views
from engine.objectives.mv_disrupt import MvDisrupt

SMALL: dict[str, Any] = {"width": 4, "epochs": 2, "batch": 8}
INNER = {"inner_steps": 2, "inner_epsilon": 0.1}
METHODS: dict[str, MultiView] = {
    "simvc": SiMVC(**SMALL),
    "comvc": CoMVC(**SMALL),
    "aecoddc": AECoDDC(**SMALL, pretraining=1),
    "ar_dmvc": ARDMVC(**SMALL, **INNER),
    "ar_dmvc_am": ARDMVCAM(**SMALL, **INNER),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 48, views_: int = 2) -> AtRest:
    return AtRest(
        tuple(
            (torch.rand(n, 1, 8, 8, generator=rng(place)) * 255).to(torch.uint8) for place in range(views_)
        ),
        (255.0,) * views_,
    )


def fresh(settings: MultiView, data: AtRest, seed: int = 0) -> State:
    return settings.skeleton(data, 3, rng(seed), device.choose("cpu", "float32", 1))


def trained(settings: MultiView, seed: int = 0, views_: int = 2) -> State:
    data = pictures(views_=views_)
    state = fresh(settings, data, seed)
    events = list(settings.train(state, data))
    assert isinstance(events[-1], Evaluate) and events[-1].step == events[-1].total
    return state


def weights(state: State) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("side", "width", "whole", "one", "drawn"),
    [(28, 64, 327_072, 111_680, 111_489), (8, 32, 70_496, 28_192, 28_097)],
)
def test_networks_are_as_large_as_published(side: int, width: int, whole: int, one: int, drawn: int) -> None:
    shape = (1, side, side)
    net = views.MultiViewNet([shape, shape], 10, width, rng())
    mirror = views.decoder(shape, width, rng())
    counts = [sum(weight.numel() for weight in part.parameters()) for part in (net, net.encoders[0], mirror)]
    assert counts == [whole, one, drawn]
    z = net.eval().views(Views([torch.rand(2, *shape), torch.rand(2, *shape)]))
    assert mirror(z[0]).shape == (2, *shape)


def test_generators_and_discriminators_are_as_large_as_released() -> None:
    made = gan.generator((1, 28, 28), rng(), 1.0), gan.discriminator((1, 28, 28), rng(), 1.0)
    assert [sum(weight.numel() for weight in net.parameters()) for net in made] == [11_936, 10_553]
    for shape in ((1, 8, 8), (1, 12, 12), (3, 16, 16), (1, 28, 28), (3, 32, 32)):
        x = torch.rand(2, *shape)
        assert gan.generator(shape, rng(), 0.02)(x).shape == x.shape and gan.discriminator(
            shape, rng(), 0.02
        )(x).shape == (2,)
    with pytest.raises(DataError, match="pgd"):
        gan.generator((1, 9, 11), rng(), 0.02)


@pytest.mark.parametrize(
    ("shapes", "clusters", "said"),
    [
        ([(1, 8, 8)], 3, "at least 2 views"),
        ([(1, 8, 8), (1, 8, 12)], 3, "equally many"),
        ([(1, 8, 8), (1, 8, 8)], 1, "at least 2"),
        ([(9,), (9,)], 3, "images"),
    ],
)
def test_what_cannot_be_built_is_told(shapes: list[tuple[int, ...]], clusters: int, said: str) -> None:
    with pytest.raises(DataError, match=said):
        views.MultiViewNet(shapes, clusters, 4, rng())
    with pytest.raises(SettingsError, match="at most 24"):
        fresh(SiMVC(batch=30), pictures())


def test_ddc_has_its_reference_values() -> None:
    h, groups = torch.randn(100, 100, generator=rng()), torch.arange(100) % 10
    apart = torch.randn(10, 100, generator=rng())[groups] * 10 + 0.01 * torch.randn(
        100, 100, generator=rng(1)
    )
    assert [float(part) for part in ddc.ddc(h, torch.full((100, 10), 0.1))] == pytest.approx(
        [1, 0.1, 1], abs=1e-4
    )
    assert [
        float(part) for part in ddc.ddc(h, torch.eye(10)[torch.zeros(100, dtype=torch.long)])
    ] == pytest.approx([1, 1, 1], abs=1e-4)
    assert [float(part) for part in ddc.ddc(apart, torch.eye(10)[groups])] == pytest.approx(
        [0.0354, 0.0909, 0.444], abs=4e-3
    )


def test_ddc_is_scale_free_blind_to_order_and_finite() -> None:
    h, a = torch.randn(30, 5, generator=rng()), torch.randn(30, 4, generator=rng(1)).softmax(1)
    wanted = [float(part) for part in ddc.ddc(h, a)]
    order = torch.randperm(30, generator=rng(2))
    for other in (ddc.ddc(7 * h, a), ddc.ddc(h[order], a[order]), ddc.ddc(h, a[:, [2, 0, 3, 1]])):
        assert [float(part) for part in other] == pytest.approx(wanted, abs=1e-5)
    same_rows = torch.ones(6, 5, requires_grad=True)
    loss = torch.stack(ddc.ddc(same_rows, torch.eye(2)[torch.zeros(6, dtype=torch.long)])).sum()
    (gradient,) = torch.autograd.grad(loss, same_rows)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()


@pytest.mark.parametrize(("n", "k"), [(1, 3), (4, 1)])
def test_ddc_of_one_sample_or_one_cluster_is_told(n: int, k: int) -> None:
    with pytest.raises(DataError, match="at least 2 of each"):
        ddc.ddc(torch.rand(n, 5), torch.full((n, k), 1 / k))


def test_generators_are_judged_by_the_discriminator_as_it_is_after_its_step() -> None:
    model, data, seen = network_of(trained(METHODS["comvc"])).eval().requires_grad_(False), pictures(), {}
    for precision in ("float32", "bfloat16"):
        attack = MvGAN(epochs=1, batch=16)
        first, _ = next(
            attack.fit(
                model,
                lambda clean: MvDisrupt().bind(model, clean),
                data,
                Budget("linf", 0.3),
                rng(5),
                device.choose("cpu", precision, 1),
            )
        )
        seen[precision] = first.values["fooled"]
    assert seen["bfloat16"] == pytest.approx(seen["float32"], abs=1e-3)


def test_contrast_has_its_reference_values() -> None:
    alike = torch.ones(50, 8)
    assert float(ddc.contrast([alike, alike])) == pytest.approx(2 * math.log(99), abs=1e-4)
    apart = torch.linalg.qr(torch.randn(64, 40, generator=rng()))[0].T
    assert float(ddc.contrast([apart, apart])) == pytest.approx(
        2 * math.log(1 + 78 * math.exp(-10)), abs=1e-5
    )
    one, other = torch.randn(20, 6, generator=rng(1)), torch.randn(20, 6, generator=rng(2))
    assert float(ddc.contrast([one, 3 * other])) == pytest.approx(float(ddc.contrast([other, one])), abs=1e-5)


def test_the_mitigator_is_zero_where_nothing_moved() -> None:
    p, q = (torch.randn(9, 4, generator=rng(seed)).softmax(1) for seed in (0, 1))
    assert divergence(p, p).abs().max() == 0 and (divergence(p, q) > 0).all()
    assert float(divergence(torch.eye(2), torch.eye(2).flip(1)).max()) <= 1.0001 * math.log(10_001)


@pytest.mark.parametrize("name", METHODS)
def test_trains_on_one_half_and_resumes_to_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.models import multiview

    monkeypatch.setattr(multiview.Pace, "due", lambda self: True)
    settings, data = METHODS[name], pictures()
    whole = trained(settings)
    assert not same(weights(whole), weights(fresh(settings, data)))
    state = fresh(settings, data)
    steps = settings.train(state, data)
    for _ in range(4):
        next(steps)
    steps.close()
    again = fresh(settings, data, seed=5)
    again.model.load_state_dict(state.model.state_dict())
    again.restore(state.training_tensors(), state.counters)
    list(settings.train(again, data))
    assert same(weights(again), weights(whole))
    assert (
        float((network_of(whole).eval().log_assign(data.all()).exp().sum(1) - 1).detach().abs().max()) < 1e-5
    )


def test_the_second_half_is_never_seen() -> None:
    from engine.data.splits import halves

    data = pictures()
    changed = AtRest(tuple(tensor.clone() for tensor in data.tensors), data.divisors)
    for tensor in changed.tensors:
        tensor[torch.from_numpy(halves(len(data))[1])] = 0
    states = [fresh(METHODS["comvc"], data) for _ in range(2)]
    for state, views_ in zip(states, (data, changed), strict=True):
        list(METHODS["comvc"].train(state, views_))
    assert same(weights(states[0]), weights(states[1]))


def test_without_gamma_the_mitigator_changes_nothing() -> None:
    plain, mitigated = trained(METHODS["ar_dmvc"]), trained(ARDMVCAM(**SMALL, **INNER, gamma=0.0))
    assert same(weights(plain), weights(mitigated))


def test_the_inner_attack_stays_inside_moves_every_view_and_leaves_running_statistics() -> None:
    settings, data = ARDMVC(**SMALL, **INNER), pictures(views_=3)
    state = fresh(settings, data)
    state.model.train()
    before, x = weights(state), data.rows(slice(0, 8))
    moved = settings.attacked(state, x)
    assert same(before, weights(state)) and state.model.training
    for clean, attacked in zip(x, moved, strict=True):
        assert 0 < float((attacked - clean).abs().max()) <= 0.1 + 1e-6
        assert float(attacked.min()) >= 0 and float(attacked.max()) <= 1


def test_the_gan_attack_leaves_the_target_alone_and_stays_inside_every_epsilon() -> None:
    state, data, attack = trained(METHODS["comvc"]), pictures(), MvGAN(epochs=2, batch=16)
    model = network_of(state).eval().requires_grad_(False)
    before, objective = weights(state), MvDisrupt()
    fitting = attack.fit(
        model,
        lambda clean: objective.bind(model, clean),
        data,
        Budget("linf", 0.2),
        rng(),
        device.choose("cpu", "float32", 1),
    )
    told, fitted = 0, None
    while fitted is None:
        try:
            next(fitting)
            told += 1
        except StopIteration as end:
            fitted = end.value
    assert told == 6 and same(before, weights(state)) and not model.training
    clean = data.all()
    bound = attack.bound(fitted, clean)
    for epsilon in (0.0, 0.05, 0.2):
        moved = answer(
            bound.perturb(clean.flat(), objective.bind(model, clean), Budget("linf", epsilon), rng())
        )
        assert float((moved.x - clean.flat()).abs().max()) <= epsilon + 1e-6
        again = answer(
            bound.perturb(clean.flat(), objective.bind(model, clean), Budget("linf", epsilon), rng(9))
        )
        assert torch.equal(moved.x, again.x), "no draw at test time"
    with pytest.raises(SettingsError, match="must be fitted"):
        attack.perturb(clean.flat(), objective.bind(model, clean), Budget("linf", 0.1), rng())
