"""What holds for each of the five methods: the same seed gives the same bits, and a resumed training equals
an unbroken one.
"""

import json

import pytest
import torch

from engine.data.views import AtRest
from engine.device import How, has_bf16_units
from engine.errors import DataError, Diverged, SettingsError
from engine.events import Evaluate
from engine.models.acai import ACAI
from engine.models.protocols import ABILITIES
from engine.models.state import State
from engine.nets.autoencoder import unit_scale
from tests.engine.models.small import (
    DATA,
    METHODS,
    changed,
    every_step,
    fresh,
    how,
    rng,
    same,
    trained,
    until,
    weights,
)

NAMES = list(METHODS)


@pytest.mark.parametrize("name", NAMES)
def test_trains_to_the_end_and_is_able(name: str) -> None:
    settings = METHODS[name]
    state, events = trained(settings)
    assert isinstance(events[-1], Evaluate) and events[-1].step == state.step == settings.iterations
    x = DATA.views.all()
    with torch.no_grad():
        log_q, x_hat = state.model.log_assign(x), state.model.reconstruct(x)
    assert all(isinstance(state.model, ABILITIES[ability]) for ability in settings.abilities)
    assert log_q.shape == (48, 3) and x_hat.shape == (48, 12) and log_q.dtype == x_hat.dtype == torch.float32
    assert all(weight.grad is None for weight in state.model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_bits(name: str) -> None:
    assert same(weights(trained(METHODS[name])[0]), weights(trained(METHODS[name])[0]))
    assert not same(
        weights(trained(METHODS[name])[0]), weights(trained(METHODS[name], seed=1)[0])
    ) or name in ("dec_star", "idec_star")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken_after", [1, 4, 7, 13, 23, 28])
def test_resumed_equals_unbroken(name: str, broken_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    settings = METHODS[name]
    unbroken, told = trained(settings)
    first = fresh(settings)
    steps = settings.train(first, DATA.views)
    before = until(steps, broken_after)
    steps.close()
    counters, tensors = json.loads(json.dumps(first.counters)), weights(first)
    second = settings.skeleton(DATA.views, 3, rng(99), how())
    second.model.load_state_dict(
        {key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")}
    )
    second.restore({key: value for key, value in tensors.items() if not key.startswith("model.")}, counters)
    after = list(settings.train(second, DATA.views))
    assert same(weights(unbroken), weights(second))
    assert unbroken.counters == second.counters
    assert [event for event in before + after if isinstance(event, Evaluate)] == [
        event for event in told if isinstance(event, Evaluate)
    ]


def test_the_three_see_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[torch.Tensor]] = {}
    for number, name in enumerate(("dec_star", "idec_star", "adec")):
        settings = METHODS[name]
        update, batches = type(settings).update, seen.setdefault(name, [])
        monkeypatch.setattr(
            type(settings),
            "update",
            lambda self, state, x, p, u=update, b=batches: (b.append(x), u(self, state, x, p))[1],
        )
        trained(settings, seed=number)  # whatever the run's own seed drew for a discriminator
    assert len(seen["dec_star"]) == 24
    for name in ("idec_star", "adec"):
        assert all(torch.equal(a, b) for a, b in zip(seen["dec_star"], seen[name], strict=True))


def test_adopts_weights_scale_and_centres() -> None:
    settings = METHODS["adec"]
    state, other = fresh(settings), fresh(METHODS["dec_star"], seed=5)
    assert same(state.model.state_dict(), other.model.state_dict())
    assert float(state.model.scale) == pytest.approx(float(unit_scale(DATA.views)))
    assert float(state.model.centres.detach().abs().sum()) > 0


def test_scale_makes_the_mean_square_one() -> None:
    state = fresh(METHODS["acai"])
    assert float(state.model.units(DATA.views.all()).square().mean()) == pytest.approx(1, abs=1e-6)
    x, x_hat = DATA.views.all().flat(), state.model.reconstruct(DATA.views.all())
    assert torch.allclose(
        x_hat * state.model.scale, state.model.decoder(state.model.encoder(x * state.model.scale)), atol=1e-6
    )
    assert float(fresh(changed("acai", normalise="none")).model.scale) == 1


def test_constant_zero_data_are_refused() -> None:
    with pytest.raises(DataError, match="every number is 0"):
        ACAI().skeleton(AtRest((torch.zeros(9, 1, 4, 4, dtype=torch.uint8),), (255.0,)), 2, rng(), how())


def test_equal_samples_train_without_a_warning() -> None:
    data = AtRest((torch.full((9, 1, 4, 4), 7, dtype=torch.uint8),), (255.0,))
    settings = changed("acai", iterations=2)
    state = settings.skeleton(data, 3, rng(), how())
    assert [event.step for event in settings.train(state, data)] == [2]


def test_more_clusters_than_samples_are_refused() -> None:
    settings = changed("acai", iterations=1)
    state = settings.skeleton(DATA.views, 49, rng(), how())
    with pytest.raises(DataError, match="48 samples for 49"):
        list(settings.train(state, DATA.views))


@pytest.mark.parametrize("name", NAMES)
def test_diverged_training_is_told(name: str) -> None:
    state = fresh(METHODS[name])
    with torch.no_grad():
        state.model.encoder[0].weight.fill_(float("nan"))
    with pytest.raises(Diverged, match="lower learning rate"):
        list(METHODS[name].train(state, DATA.views))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", ["quick", "mnist_test"])
def test_presets_share_their_base(name: str, preset: str) -> None:
    settings = type(METHODS[name]).preset(preset)
    assert type(settings)(**settings.values()) == settings
    assert all(base == ACAI.preset(preset) for base in settings.bases().values())


def test_a_setting_outside_its_limits_is_refused() -> None:
    with pytest.raises(SettingsError, match="batch"):
        ACAI(batch=255)


@pytest.mark.skipif(not has_bf16_units("cpu"), reason="no bf16 matrix units here")
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_forwards_keep_float32_weights(name: str) -> None:
    half, full = trained(METHODS[name], precision="bfloat16")[0], trained(METHODS[name])[0]
    assert all(value.dtype == torch.float32 for value in half.model.state_dict().values())
    assert not same(weights(half), weights(full))
    with torch.no_grad():
        x = DATA.views.all()
        error, exact = (
            float((state.model.reconstruct(x) - x.flat()).square().mean()) for state in (half, full)
        )
    assert error == pytest.approx(exact, rel=0.3)


def test_state_of_another_kind_is_unprobed() -> None:
    state = State(torch.nn.Linear(2, 2), rng(), How("cpu", "float32", 1, "", ""))
    assert state.probe_rows(5) is None and state.losses(DATA.views.all(), torch.arange(48)) == {}
