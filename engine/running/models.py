"""Trained models, from run folders, ready to be looked at and attacked."""

from functools import lru_cache

from torch import nn

from engine.data.views import AtRest
from engine.errors import DataError, RunBroken
from engine.running import training
from engine.store import checkpoint
from engine.store.run import Run

KEPT = 6
"""Models that a process keeps in memory."""


def load_model(run: Run, device: str = "cpu") -> nn.Module:
    """The model of a finished training run: eval mode, float32, frozen, on `device`; cached.

    Raises RunBroken where the run trained nothing, is not finished, is damaged or of another version.
    """
    if run.spec.action != "train":
        raise RunBroken(
            f"The run {run.name} is a run of {run.spec.action!r} and holds no model; choose a training run or"
            " a zoo name."
        )
    if run.status() not in ("finished", "zoo"):
        raise RunBroken(
            f"The model of run {run.name} is not there yet (the run is {run.status()}); let it finish, or ask"
            f" about it as it is at a step: {run.name}@STEP."
        )
    return _loaded(run.key, run, device)


def check_shapes(run: Run, data: AtRest, name: str) -> checkpoint.Header:
    """What the model was trained on. Raises DataError where samples of `data` (called `name`) have another
    shape.
    """
    header = checkpoint.read_header(run.folder, training.version(run.spec.name))
    if header.shapes != data.shapes:
        raise DataError(
            f"The model {run.name} takes samples of shape {_words(header.shapes)}; {name} has"
            f" {_words(data.shapes)}. Choose data like {run.spec.data}, or train a model on {name}."
        )
    return header


@lru_cache(maxsize=KEPT)
def _loaded(key: str, run: Run, device: str) -> nn.Module:
    header, weights = checkpoint.read_model(run.folder, training.version(run.spec.name))
    model = training.network(run.spec.name, run.spec.settings["model_settings"], header)
    checkpoint.fill(model, weights, key)
    return model.to(device).float().eval().requires_grad_(False)


def _words(shapes: tuple[tuple[int, ...], ...]) -> str:
    return " and ".join("x".join(map(str, shape)) for shape in shapes)
