"""Fitting an attack that needs it, and its networks in the folder of its run."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine import registry
from engine.attacks.protocols import AttackSettings, answer
from engine.data.views import Shapes
from engine.device import How
from engine.errors import RunBroken, SettingsError
from engine.events import Evaluate, Event, Picture
from engine.metrics.protocols import AttackedSamples, watched
from engine.models.protocols import check_abilities
from engine.objectives.protocols import on_embedding
from engine.running.judging import Judge, stream
from engine.running.pictures import Sketch, one_of_each
from engine.running.threat import Threat
from engine.store.run import Run

FITTED = "fitted.safetensors"
WATCHED = {"pixels": 200, "embedding": 500}
"""Samples whose scores stand beside a fitting, by what the attack moves."""
DRAWN = 10
"""How many of them are drawn."""
PICTURE_EVERY = 1.0
"""Seconds between two such pictures, at least."""


def fit(
    threat: Threat, judge: Judge, seed: int, how: How, sketch: Sketch | None = None
) -> Generator[Event, None, nn.Module]:
    """Fit an attack, without labels; its scores and pictures on the way are made here. The model stays
    bit-identical.

    Raises AbilityError for a model that lacks what the attack needs, SettingsError for an objective that
    needs labels.
    """
    check_abilities(judge.model, threat.attack.needs, threat.attack.title)
    if threat.objective.asks_labels():
        raise SettingsError(
            f"{threat.attack.name} is fitted without labels, and the objective {threat.objective.name} needs"
            " them. Choose another objective, or an attack that is not fitted."
        )
    views = judge.data.views.subset(judge.rows(threat.attack.fitting_half(threat.half)))
    index, drawn = judge.choose(WATCHED[threat.attack.space], seed, threat.half), 0.0
    steps = threat.attack.fit(
        judge.model,
        lambda x: threat.objective.bind(judge.model, x),
        views,
        threat.budget(views.shapes),
        stream(seed, "fit"),
        how,
    )
    while True:
        try:
            event, networks = next(steps)
        except StopIteration as end:
            return end.value
        if not isinstance(event, Evaluate):
            yield event
            continue
        seen = as_fitted(threat, networks, judge, index)
        yield event.model_copy(update={"metrics": watched(seen)})
        if sketch is not None and (event.step == event.total or time.monotonic() - drawn > PICTURE_EVERY):
            drawn = time.monotonic()
            labels = None if judge.data.labels is None else judge.data.labels[index.cpu().numpy()]
            first = torch.from_numpy(one_of_each(labels, seen.n, DRAWN))
            yield from _pictures(sketch, threat, event.step, seen, first, judge.data.views.shapes)


def as_fitted(threat: Threat, networks: nn.Module, judge: Judge, index: Tensor) -> AttackedSamples:
    """What the model says of samples before and after an attack that is still being fitted; no controls."""
    training = networks.training
    clean, objective = judge.clean(index), judge.bind(threat.objective, index)
    attack = threat.attack.bound(networks.eval(), clean)
    found = answer(attack.perturb(clean.flat(), objective, threat.budget(clean.shapes), torch.Generator())).x
    networks.train(training)
    space = threat.attack.space
    if space == "embedding":
        before, after = (judge.outputs_at(z, index) for z in (on_embedding(objective).z, found))
    else:
        before, after = (judge.outputs(flat, index, threat.objective) for flat in (clean.flat(), found))
    return AttackedSamples(threat.objective, index, before, after, space=space)


def _pictures(
    sketch: Sketch, threat: Threat, step: int, seen: AttackedSamples, first: Tensor, shapes: Shapes
) -> Iterator[Picture]:
    """A few of the watched samples: perturbed, or decoded from where their embeddings went."""
    before, after = seen.clean.rows(first), seen.attacked.rows(first)
    if seen.space == "pixels":
        yield from sketch.adversarials(step, before.x.numpy(), after.x.numpy(), threat.epsilon, shapes)
    elif before.reconstruction is not None and after.reconstruction is not None:
        yield from sketch.decoded(step, before.reconstruction.numpy(), after.reconstruction.numpy(), shapes)


def keep_fitted(folder: Path, fitted: nn.Module) -> None:
    """Leave a fitted attack's weights in its run's folder."""
    partial = folder / ".fitted.safetensors"
    save_file({name: weight.contiguous() for name, weight in fitted.state_dict().items()}, partial)
    partial.replace(folder / FITTED)


def read_fitted(folder: Path) -> dict[str, Tensor]:
    """The weights that `keep_fitted` left. Raises RunBroken where they are not there or damaged."""
    try:
        return load_file(folder / FITTED)
    except (OSError, SafetensorError):
        raise RunBroken(
            f"{FITTED} in {folder} must hold the weights of a fitted attack; it is missing or damaged. Fit"
            " the attack anew."
        ) from None


def restored(run: Run, shapes: Shapes) -> nn.Module:
    """The networks of a run that fitted an attack. Raises RunBroken where they are not there or do
    not fit.
    """
    settings: AttackSettings = registry.find("attack", run.spec.name)(**run.spec.settings["attack_settings"])
    return settings.restored(read_fitted(run.folder), shapes)
