"""Autoencoders and classifiers that are trained in batches on the training rows: resumed, able, and blind to
the test rows.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.data.dataset import Dataset
from engine.data.views import AtRest
from engine.defences.adversarial_classifier import AdversarialClassifier
from engine.errors import DataError
from engine.events import Evaluate, Event
from engine.models.adversarial_ae import AdversarialAE
from engine.models.classifier import Classifier
from engine.models.concrete_ae import ConcreteAE
from engine.models.dense_ae import DenseAE
from engine.models.plain_conv_ae import PlainConvAE
from engine.models.protocols import ABILITIES, Convolves, ModelSettings
from engine.models.simclr import SimCLR
from engine.models.sparse_ae import SparseAE, divergence
from engine.models.state import State
from engine.nets.contrastive import RandomViews, nt_xent
from engine.nets.lars import LARS
from tests.engine.models.small import every_step, how, rng, same, until, weights
from tests.engine.tiny import blobs

FLAT, SQUARE = blobs(40), blobs(40, shape=(1, 16, 16))
SHORT = {"epochs": 4, "batch": 16, "evaluations": 4}
EACH: dict[str, tuple[ModelSettings, Dataset]] = {
    "sparse_ae": (SparseAE(width=5, **SHORT), FLAT),
    "dense_ae": (DenseAE(width=5, **SHORT), FLAT),
    "plain_conv_ae": (PlainConvAE(wide=4, narrow=2, **SHORT), SQUARE),
    "adversarial_ae": (AdversarialAE(width=6, **SHORT), FLAT),
    "concrete_ae": (ConcreteAE(features=3, hidden=(6,), tries=1, **SHORT), FLAT),
    "concrete_ae, two tries": (
        ConcreteAE(features=3, hidden=(6,), tries=2, **(SHORT | {"epochs": 2, "batch": 10})),
        FLAT,
    ),
    "simclr": (SimCLR.preset("quick", projection=(8, 4), **(SHORT | {"batch": 5, "epochs": 2})), SQUARE),
    "simclr, layers": (
        SimCLR(encoder="layers", projection=(8, 4), rate=0.1, **(SHORT | {"batch": 5, "epochs": 2})),
        SQUARE,
    ),
    "classifier": (Classifier(widths=(8, 8), **SHORT), FLAT),
    "classifier, pictures": (Classifier(filters=(2, 2, 4, 4), widths=(8, 8), **SHORT), SQUARE),
    "adversarial_classifier": (AdversarialClassifier(widths=(8, 8), attack_steps=2, **SHORT), FLAT),
}
NAMES = list(EACH)
TOTAL = {"concrete_ae, two tries": 4 + 8, "simclr": 8, "simclr, layers": 8}


def fresh(name: str, seed: int = 0) -> State:
    settings, data = EACH[name]
    state = settings.skeleton(data.views, 3, rng(seed), how())
    state.rows = torch.from_numpy(data.rows(settings.rows))
    return state


def steps(name: str, state: State, data: Dataset | None = None) -> Iterator[Event]:
    settings, data = EACH[name][0], data or EACH[name][1]
    if not settings.supervised:
        return settings.train(state, data.views)
    return settings.train_on_labels(state, data.views.subset(state.rows), labels(data)[state.rows])


def labels(data: Dataset) -> torch.Tensor:
    assert data.labels is not None
    return torch.from_numpy(data.labels)


@pytest.mark.parametrize("name", NAMES)
def test_trains_to_the_end_and_is_able(name: str) -> None:
    settings, data = EACH[name]
    state = fresh(name)
    events = list(steps(name, state))
    told = [event.step for event in events if isinstance(event, Evaluate)]
    assert told[-1] == state.step == TOTAL.get(name, 8)  # 20 training rows in batches of 16 and 4
    assert len(told) >= 4
    x = data.views.all()
    state.model.eval()
    for ability, method in (("encodes", "encode"), ("reconstructs", "reconstruct"), ("classifies", "logits")):
        able = ability in settings.abilities
        assert isinstance(state.model, ABILITIES[ability]) == able
        if able:
            said = getattr(state.model, method)(x)
            assert said.dtype == torch.float32 and said.shape[0] == 40 and bool(torch.isfinite(said).all())
    assert all(weight.grad is None for weight in state.model.parameters())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken_after", [1, 3, 6])
def test_resumed_equals_unbroken(name: str, broken_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    unbroken, first, second = fresh(name), fresh(name), fresh(name, seed=99)
    told = list(steps(name, unbroken))
    part = steps(name, first)
    before = until(part, broken_after)
    part.close()
    kept = weights(first)
    own = {key.removeprefix("model."): value for key, value in kept.items() if key.startswith("model.")}
    second.model.load_state_dict(own)
    rest = {key: value for key, value in kept.items() if not key.startswith("model.")}
    second.restore(rest, json.loads(json.dumps(first.counters)))
    after = list(steps(name, second))
    assert same(weights(unbroken), weights(second))
    assert [event for event in before + after if isinstance(event, Evaluate)] == [
        event for event in told if isinstance(event, Evaluate)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_a_training_row_is_never_looked_at(name: str) -> None:
    data = EACH[name][1]
    pixels = data.views.tensors[0].clone()
    pixels[torch.from_numpy(data.rows("test"))] = 255
    other = replace(data, views=AtRest((pixels,), data.views.divisors), labels=_wrong(data), fingerprint="")
    one, two = fresh(name), fresh(name)
    list(steps(name, one))
    list(steps(name, two, other))
    assert same(weights(one), weights(two))


def _wrong(data: Dataset) -> np.ndarray:
    assert data.labels is not None
    mixed = data.labels.copy()
    mixed[data.rows("test")] = 0
    return mixed


@pytest.mark.parametrize("name", ["plain_conv_ae", "classifier, pictures"])
def test_maps_are_those_of_the_first_convolution(name: str) -> None:
    model, x = fresh(name).model.eval(), EACH[name][1].views.rows(slice(3))
    assert isinstance(model, Convolves)
    first = model.encoder[0]
    expected = torch.conv2d(x[0], first.weight, first.bias, padding=first.padding).relu()
    assert torch.allclose(model.maps(x), expected, atol=1e-6)


def test_a_classifier_of_digits_has_no_maps() -> None:
    assert not isinstance(fresh("classifier").model, Convolves)


def test_convolutions_refuse_what_is_too_small() -> None:
    with pytest.raises(DataError, match="at least 16x16; these data have 1x8x8"):
        Classifier(network_kind="convolutions").network(((1, 8, 8),), 10)


def test_the_published_classifiers_have_their_sizes() -> None:
    digits = Classifier().network(((1, 28, 28),), 10)
    assert [tuple(weight.shape) for weight in digits.parameters() if weight.ndim == 2] == [
        (200, 64 * 4 * 4),
        (200, 200),
        (10, 200),
    ]
    colours = Classifier.preset("cifar10").network(((3, 32, 32),), 10)
    x = AtRest((torch.zeros(2, 3, 32, 32),), (1.0,)).all()
    assert colours.encode(x).shape == (2, 256) and colours.maps(x).shape == (2, 64, 30, 30)


def test_adversarial_training_of_size_zero_is_plain_training() -> None:
    plain, other = fresh("classifier"), fresh("classifier")
    list(steps("classifier", plain))
    settings = AdversarialClassifier(epsilon=0, widths=(8, 8), **SHORT)
    list(settings.train_on_labels(other, FLAT.views.subset(other.rows), labels(FLAT)[other.rows]))
    assert same(weights(plain), weights(other))


def test_adversarial_training_attacks_within_its_ball() -> None:
    settings = AdversarialClassifier(epsilon=0.1, attack_steps=3)
    state = settings.skeleton(FLAT.views, 3, rng(), how())
    x, y = FLAT.views.rows(slice(8)), labels(FLAT)[:8]
    seen = settings.trained_on(state, x, y)
    change = (seen[0] - x[0]).abs()
    assert 0 < float(change.amax()) <= 0.1 + 1e-6 and 0 <= float(seen[0].min()) <= float(seen[0].max()) <= 1
    model = state.model.eval()

    def error(views: object) -> float:
        return float(torch.nn.functional.cross_entropy(model.logits(views), y).detach())

    assert error(seen) > error(x)


# numbers of section 8 of the paper's specification


def count(*networks: torch.nn.Module) -> int:
    return sum(weight.numel() for network in networks for weight in network.parameters())


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [(SparseAE(), 201_616), (DenseAE(), 201_616), (PlainConvAE(), 8_849), (AdversarialAE(), 3_576_786)],
)
def test_16_the_published_sizes(settings: ModelSettings, parameters: int) -> None:
    assert count(settings.network(((1, 28, 28),), 10)) == parameters


def test_16_the_parts_of_the_adversarial_autoencoder() -> None:
    model = AdversarialAE().drawn(((1, 28, 28),), rng())
    assert (count(model.encoder), count(model.decoder)) == (1_788_002, 1_788_784)
    assert count(AdversarialAE().discriminator(rng())) == 1_005_001
    x = AtRest((torch.rand(3, 1, 28, 28),), (1.0,)).all()
    linear = AdversarialAE(code_activation="linear", code=5).drawn(((1, 28, 28),), rng())
    with torch.no_grad():
        codes, free = model.encode(x), linear.encode(x)
    assert 0 < float(codes.min()) < float(codes.max()) < 1
    assert free.shape == (3, 5) and float(free.min()) < 0


def test_17_the_selector_cools_and_ends_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    state = fresh("concrete_ae")
    selector = state.model.selector
    temperatures, mixed = [], []
    for _ in steps("concrete_ae", state):
        temperatures.append(float(selector.temperature))
        mixed.append(selector.weights().detach())
    assert len(temperatures) == 8 and temperatures == sorted(temperatures, reverse=True)
    assert 0.1 < temperatures[0] < 10 and temperatures[-1] == pytest.approx(0.1)
    ratios = [after / before for before, after in zip(temperatures, temperatures[1:], strict=False)]
    assert ratios == pytest.approx([ratios[0]] * 7, rel=1e-4)
    assert all(torch.allclose(weights.sum(1), torch.ones(3), atol=1e-5) for weights in mixed)
    assert not torch.equal(mixed[0], selector.weights())  # drawn anew for every batch
    model, x = state.model.eval(), FLAT.views.all()
    rows = selector.weights()
    assert torch.equal(rows.sum(1), torch.ones(3)) and set(rows.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(model.encode(x), x.flat()[:, model.features()])


def test_17_one_gumbel_matrix_serves_a_whole_batch() -> None:
    selector = fresh("concrete_ae").model.selector.train()
    same_row = torch.rand(1, 12).expand(6, 12)
    mixed = selector(same_row)
    assert torch.equal(mixed, mixed[:1].expand(6, 3))


@pytest.mark.parametrize(("steps", "last"), [(None, 2), (7, 7)])  # an epoch; as many as were asked for
def test_a_concrete_autoencoder_ends_where_it_is_certain_or_at_its_steps(
    steps: int | None, last: int
) -> None:
    settings = ConcreteAE(features=3, hidden=(6,), certain=0.05, tries=5, steps=steps, **SHORT)
    state = settings.skeleton(FLAT.views, 3, rng(), how())
    state.rows = torch.from_numpy(FLAT.rows("train"))
    events = list(settings.train(state, FLAT.views))
    assert state.step == events[-1].step == events[-1].total == last


def test_a_concrete_autoencoder_picks_no_more_features_than_there_are() -> None:
    with pytest.raises(DataError, match="asked to pick 13 features; these data have 12"):
        ConcreteAE(features=13).network(((1, 3, 4),), 3)


def test_18_the_sparsity_is_zero_only_at_the_wanted_activity() -> None:
    assert float(divergence(0.1, torch.full((5, 3), 0.1))) == pytest.approx(0, abs=1e-7)
    for other in (0.0, 0.05, 0.2, 1.0):
        found = float(divergence(0.1, torch.full((5, 3), other)))
        assert 0.01 < found < torch.inf
    mixed = torch.tensor([[0.0, 0.3], [0.2, 0.1]])  # means 0.1 and 0.2
    expected = (0.1 * np.log(0.5) + 0.9 * np.log(0.9 / 0.8)) / 2
    assert float(divergence(0.1, mixed)) == pytest.approx(expected, rel=1e-5)


def test_random_views_are_drawn_from_the_given_generator_and_can_be_used_again() -> None:
    torch.manual_seed(5)
    views = RandomViews((16, 16), 3, crop=0.3)
    x = torch.rand(6, 3, 16, 16, generator=rng(1))
    drawn = views.draw(6, rng(0))
    after = torch.rand(1)
    one = views.seen(x, drawn)
    assert torch.equal(one, views.seen(x, drawn)) and torch.equal(one, views.seen(x, views.draw(6, rng(0))))
    assert not torch.allclose(one, views.seen(x, views.draw(6, rng(1))))
    assert one.shape == x.shape and 0 <= float(one.min()) <= float(one.max()) <= 1
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))  # the global generator is where it was
    moved = x.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(views.seen(moved, drawn).sum(), moved)
    assert bool((gradient != 0).any())


def test_the_contrastive_loss_is_the_written_sum() -> None:
    one, two = torch.randn(4, 3, generator=rng(0)), torch.randn(4, 3, generator=rng(1))
    z = torch.nn.functional.normalize(torch.cat([one, two]), dim=1).double()
    like = (z @ z.T / 0.5).exp()
    expected = []
    for i in range(4):
        total = 0.0
        for own, partner in ((i, i + 4), (i + 4, i)):
            others = sum(float(like[own, other]) for other in range(8) if other != own)
            total -= float(torch.log(like[own, partner] / others))
        expected.append(total)
    assert nt_xent(one, two, 0.5).tolist() == pytest.approx(expected, rel=1e-5)


def test_the_published_contrastive_criterion_is_a_constant() -> None:
    alike = torch.randn(1, 8, generator=rng()).expand(50, 8)  # 50 copies, and nothing random in their views
    assert float(nt_xent(alike, alike, 0.5).mean()) == pytest.approx(2 * np.log(99), rel=1e-5)


@pytest.mark.parametrize(("side", "widths"), [(8, 128), (28, 64), (32, 512)])
def test_encoders_go_by_the_size_of_pictures(side: int, widths: int) -> None:
    model = SimCLR().network(((3, side, side),), 10).eval()
    x = AtRest((torch.rand(2, 3, side, side),), (1.0,)).all()
    assert model.encode(x).shape == (2, widths) and model.project(x).shape == (2, 128)
    assert isinstance(model, Convolves)
    if side == 32:
        assert model.maps(x).shape == (2, 64, 32, 32)
        assert count(model.encoder) == 11_168_832  # ResNet-18 without its last layer, stem of 3 x 3


@pytest.mark.parametrize("clipped", [False, True])
def test_lars_is_the_written_rule(clipped: bool) -> None:
    draw, rate, w = np.random.default_rng(0), 0.8, 1e-2
    theta, bias = draw.standard_normal((6, 4)), draw.standard_normal(4)
    weights = [torch.nn.Parameter(torch.tensor(each)) for each in (theta, bias)]
    optimiser, pace = LARS(weights, rate, 0.9, w, clipped), [np.zeros((6, 4)), np.zeros(4)]
    for size in (1.0, 1e-4, 10.0):  # the second is so small that its step is clipped
        g, h = size * draw.standard_normal((6, 4)), draw.standard_normal(4)
        for weight, gradient in zip(weights, (g, h), strict=True):
            weight.grad = torch.tensor(gradient)
        optimiser.step()
        norm = np.linalg.norm
        share = 1e-3 * norm(theta) / norm(g + w * theta)
        if clipped:
            share = min(0.02 * norm(theta) / (norm(g) + w * norm(theta)) / rate, 1)
        pace = [0.9 * pace[0] + rate * share * (g + w * theta), 0.9 * pace[1] + rate * h]
        theta, bias = theta - pace[0], bias - pace[1]
    for weight, expected in zip(weights, (theta, bias), strict=True):
        np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-9)


def test_simclr_refuses_what_is_no_picture() -> None:
    with pytest.raises(DataError, match="grey or in colour; these data have 77 numbers"):
        SimCLR().network(((77,),), 8)


def test_views_may_be_blurred() -> None:
    x = torch.rand(6, 3, 32, 32, generator=rng(1))
    sharp, soft = (RandomViews((32, 32), 3, 1.0, 0, 0, 0, blur=often) for often in (0.0, 1.0))

    def roughness(views: RandomViews) -> float:
        return float(views.seen(x, views.draw(6, rng())).diff(dim=3).abs().mean())

    assert roughness(soft) < 0.9 * roughness(sharp)
    assert "blur" not in SimCLR().values(), "runs made before it keep their keys"
