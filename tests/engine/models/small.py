"""The five methods at the smallest size that still has all their parts."""

from collections.abc import Iterator
from typing import Any

import torch

from engine.device import How, choose
from engine.events import Event
from engine.models import pace
from engine.models.acai import ACAI
from engine.models.adec import ADEC
from engine.models.ae_kmeans import AEKMeans
from engine.models.dec_star import DECStar
from engine.models.embedded import Embedded, EmbeddedState, refresh
from engine.models.idec_star import IDECStar
from engine.models.protocols import ModelSettings
from engine.models.state import State
from tests.engine.tiny import blobs

BASE = {
    "hidden": (16,),
    "embedding": 3,
    "iterations": 40,
    "batch": 16,
    "rate": 3e-3,
    "evaluate_every": 20,
    "starts": 3,
}
CLUSTERING = {
    "base": ACAI(**BASE),
    "iterations": 24,
    "interval": 6,
    "batch": 16,
    "rate": 0.05,
    "stop_at_tolerance": False,
    "delta_every": 6,
}
METHODS: dict[str, ModelSettings] = {
    "ae_kmeans": AEKMeans(**BASE),
    "acai": ACAI(**BASE),
    "dec_star": DECStar(**CLUSTERING),
    "idec_star": IDECStar(gamma=0.1, **CLUSTERING),
    "adec": ADEC(discriminator=(16,), discriminator_steps=5, block=4, **CLUSTERING),
}
DATA = blobs(48)


def how(precision: str = "float32") -> How:
    """One thread: the nets are too small for two."""
    return choose("cpu", precision, 1)


def rng(seed: int = 0) -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(seed)


def changed(name: str, **changes: Any) -> Any:
    """The small method with other values."""
    return METHODS[name].model_copy(update=changes)


_bases: dict[tuple[ACAI, int], torch.nn.Module] = {}


def base(settings: ACAI, seed: int = 0) -> torch.nn.Module:
    """The trained base, once a session for each of its settings."""
    if (settings, seed) not in _bases:
        state = settings.skeleton(DATA.views, 3, rng(seed), how())
        list(settings.train(state, DATA.views))
        _bases[settings, seed] = state.model
    return _bases[settings, seed]


def fresh(settings: ModelSettings, seed: int = 0, precision: str = "float32") -> State:
    """A state before its first step, standing on its base."""
    state = settings.skeleton(DATA.views, 3, rng(seed), how(precision))
    settings.adopt(
        state, {role: base(found) for role, found in settings.bases().items() if isinstance(found, ACAI)}
    )
    return state


def begun(settings: Embedded, seed: int = 0) -> EmbeddedState:
    """A clustering state with its first P."""
    state = fresh(settings, seed)
    assert isinstance(state, EmbeddedState)
    refresh(state, DATA.views)
    return state


def trained(settings: ModelSettings, seed: int = 0, precision: str = "float32") -> tuple[State, list[Event]]:
    """The state after training, and what was told."""
    state = fresh(settings, seed, precision)
    return state, list(settings.train(state, DATA.views))


def every_step(monkeypatch: Any) -> None:
    """Let every step tell of itself."""
    monkeypatch.setattr(pace, "SECONDS", 0.0)


def weights(state: State) -> dict[str, torch.Tensor]:
    """Everything that training moves, by name; copies."""
    everything = {
        f"model.{name}": value for name, value in state.model.state_dict().items()
    } | state.training_tensors()
    return {name: value.clone() for name, value in everything.items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors are equal to the last bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def until(events: Iterator[Event], number: int) -> list[Event]:
    """The first `number` events."""
    return [next(events) for _ in range(number)]
