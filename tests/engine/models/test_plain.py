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
from engine.models.classifier import Classifier
from engine.models.dense_ae import DenseAE
from engine.models.plain_conv_ae import PlainConvAE
from engine.models.protocols import ABILITIES, Convolves, ModelSettings
from engine.models.sparse_ae import SparseAE
from engine.models.state import State
from tests.engine.models.small import every_step, how, rng, same, until, weights
from tests.engine.tiny import blobs

FLAT, SQUARE = blobs(40), blobs(40, shape=(1, 16, 16))
SHORT = {"epochs": 4, "batch": 16, "evaluations": 4}
EACH: dict[str, tuple[ModelSettings, Dataset]] = {
    "sparse_ae": (SparseAE(width=5, **SHORT), FLAT),
    "dense_ae": (DenseAE(width=5, **SHORT), FLAT),
    "plain_conv_ae": (PlainConvAE(wide=4, narrow=2, **SHORT), SQUARE),
    "classifier": (Classifier(widths=(8, 8), **SHORT), FLAT),
    "classifier, pictures": (Classifier(filters=(2, 2, 4, 4), widths=(8, 8), **SHORT), SQUARE),
    "adversarial_classifier": (AdversarialClassifier(widths=(8, 8), attack_steps=2, **SHORT), FLAT),
}
NAMES = list(EACH)


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
    assert told == [2, 4, 6, 8] and state.step == 8  # 20 training rows in batches of 16 and 4
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
