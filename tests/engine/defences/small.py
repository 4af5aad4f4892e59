"""The second stage at the smallest size that still has all its parts."""

import torch

from engine.defences.dynacl import DynACL
from engine.defences.second_stage import SecondStage
from engine.models.simclr import SimCLR
from engine.models.state import State
from tests.engine.models.small import how, rng
from tests.engine.tiny import blobs

DATA = blobs(60, shape=(1, 8, 8))
STAGE_1 = SimCLR.preset("quick", projection=(8, 4), epochs=2, batch=15, evaluations=1).values()
SHORT = {
    "encoder_settings": STAGE_1,
    "epochs": 4,
    "batch": 15,
    "rate": 0.1,
    "evaluations": 4,
    "epsilon": 0.1,
    "attack_step": 0.03,
    "padding": 1,
}
_base: dict[str, torch.nn.Module] = {}


def base(name: str = "simclr") -> torch.nn.Module:
    """The trained encoder of stage 1, or a student of DYNACL on it, once a session."""
    if name not in _base:
        if name == "simclr":
            settings: SimCLR | DynACL = SimCLR(**STAGE_1)
            state = settings.skeleton(DATA.views, 3, rng(), how())
        else:
            settings = DynACL(**SHORT)
            state = fresh(settings)
        list(settings.train(state, DATA.views))
        _base[name] = state.model.eval()
    return _base[name]


def fresh(settings: SecondStage, seed: int = 0, precision: str = "float32", clusters: int = 4) -> State:
    """A state before its first step, standing on its base."""
    state = settings.skeleton(DATA.views, clusters, rng(seed), how(precision))
    settings.adopt(state, {"base": base(settings.encoder)})
    state.rows = torch.from_numpy(DATA.rows("train"))
    return state
