"""Launching an attack: chunk by chunk over the chosen samples, then answers and controls are judged."""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from engine import registry
from engine.attacks.precision import in_arithmetic
from engine.attacks.protocols import AttackSettings, answer
from engine.device import How
from engine.errors import SettingsError
from engine.events import Progress
from engine.metrics.protocols import AttackedSamples
from engine.models.protocols import Classifies, Encodes
from engine.nets.inception import inception_of
from engine.running import embedding_attack
from engine.running.judging import Judge, another_delta, check_inside, stream
from engine.running.threat import Threat

R = TypeVar("R")
REFERENCE = 5000
"""Training samples that attacked ones are held against, at most."""
PICTURES = 25
"""Seen by Inception at a time."""
REPORT_EVERY = 0.5
"""Seconds between two Progress events."""


def launch(
    threat: Threat, judge: Judge, seed: int, fitted: nn.Module | None = None, how: How | None = None
) -> Generator[Progress, None, AttackedSamples]:
    """Attack the samples that `seed` chooses and judge them. Yields Progress.

    Gradients are taken in the arithmetic of `how`, where that pays; everything is judged in float32. Raises
    SettingsError for an attack that must be fitted and was not.
    """
    if threat.attack.fitted and fitted is None:
        raise SettingsError(f"{threat.attack.name} must be fitted to the model before it is launched.")
    if threat.attack.space == "embedding":
        return (yield from embedding_attack.launch(threat, judge, seed, fitted))
    index = judge.choose(threat.n, seed, threat.half)
    attack = threat.attack if fitted is None else threat.attack.bound(fitted, judge.clean(index[:1]))
    adversarial, noisy, value = yield from _perturbed(threat, attack, judge, index, seed, how)
    samples = _judged(threat, judge, index, adversarial, noisy, value)
    if threat.inception is None:
        return samples
    return replace(samples, inception=(yield from _by_inception(threat.inception, judge, samples)))


def ended(steps: Generator[Any, None, R]) -> R:
    """What a launch or a fitting returns at its end; nobody watches it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def _perturbed(
    threat: Threat, attack: AttackSettings, judge: Judge, index: Tensor, seed: int, how: How | None
) -> Generator[Progress, None, tuple[Tensor, Tensor, Tensor]]:
    """The attack's answers (n, d), noise as large (n, d), and the objective's values (n,); on the CPU."""
    rng, noise_rng = stream(seed, "attack"), stream(seed, "noise")
    budget, noise = threat.budget(judge.data.views.shapes), registry.find("attack", "noise")()
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    clock, begun = Clock(len(index)), 0  # in iterates of a sample, as soon as one objective says how many
    for rows in index.split(_at_once(threat, attack, judge, index)):
        flat = judge.clean(rows).flat()
        objective = in_arithmetic(judge.bind(threat.objective, rows), judge.model, flat, how)
        each = attack.iterates_for(objective)
        clock.total = len(index) * each
        for iterate in attack.perturb(flat, objective, budget, rng):  # noqa: B007
            yield from clock.reach(begun * each + len(rows) * min(iterate.step + 1, each))
        begun += len(rows)
        check_inside(threat.attack.name, iterate.x, flat, budget)
        size = budget if attack.fills else replace(budget, norm="l2", epsilon=(iterate.x - flat).norm(dim=1))
        control = answer(noise.perturb(flat, objective, size, noise_rng))
        found.append((iterate.x.cpu(), control.x.cpu(), iterate.value.cpu()))
    adversarial, noisy, value = (torch.cat(part) for part in zip(*found, strict=True))
    return adversarial, noisy, value


def _at_once(threat: Threat, attack: AttackSettings, judge: Judge, index: Tensor) -> int:
    """Samples attacked at a time: as many as was asked for, fewer where so many do not fit into memory."""
    first = index[:1]
    fitting = attack.at_once(judge.clean(first).flat(), judge.bind(threat.objective, first))
    return min(threat.chunk, fitting or threat.chunk)


def _judged(
    threat: Threat, judge: Judge, index: Tensor, adversarial: Tensor, noisy: Tensor, value: Tensor
) -> AttackedSamples:
    """What the model says of the answers and the controls."""
    original, budget = judge.clean(index).flat().cpu(), threat.budget(judge.data.views.shapes)
    other = another_delta(adversarial, original, budget) if len(index) > 1 else None
    return AttackedSamples(
        objective=threat.objective,
        index=index,
        clean=judge.outputs(original, index, threat.objective),
        attacked=judge.outputs(adversarial, index, threat.objective),
        noisy=judge.outputs(noisy, index, threat.objective),
        other=None if other is None else judge.outputs(other, index, threat.objective),
        value=value,
        compression=threat.attack.compression,
        reference=_reference(judge) if threat.attack.compression is not None else None,
    )


def _by_inception(
    weights: Path, judge: Judge, samples: AttackedSamples
) -> Generator[Progress, None, tuple[Tensor, Tensor, Tensor]]:
    """Features (n, 2048) of the attacked samples and of the same before, and (N, 2048) of at most REFERENCE
    training samples.
    """
    network, clean = inception_of(weights).to(judge.device), judge.clean(samples.index)
    training = judge.clean(judge.choose(REFERENCE, 0, "train"))
    parts = (clean.like(samples.attacked.x.to(judge.device)), clean, training)
    clock = Clock(sum(part.n for part in parts), "features")
    found: tuple[list[Tensor], ...] = ([], [], [])
    for part, features in zip(parts, found, strict=True):
        for pictures in part[0].split(PICTURES):
            features.append(network(pictures).cpu())
            yield from clock.tick(len(pictures))
    return torch.cat(found[0]), torch.cat(found[1]), torch.cat(found[2])


def _reference(judge: Judge) -> Tensor | None:
    """The embeddings (N, m) of a classifier's training samples, at most REFERENCE of them; None of another
    model.
    """
    if not isinstance(judge.model, Classifies) or not isinstance(judge.model, Encodes):
        return None
    rows = judge.choose(REFERENCE, 0, "train")
    return judge.outputs(judge.clean(rows).flat(), rows).z


def with_extracted(judge: Judge, classifier: nn.Module, samples: AttackedSamples) -> AttackedSamples:
    """The same, with what the head of another classifier reads of the attacked samples, of the same before,
    and of at most REFERENCE training samples, each (n, m).
    """
    reader = Judge(classifier, judge.data, judge.device)
    attacked, clean = (reader.outputs(said.x, samples.index).z for said in (samples.attacked, samples.clean))
    reference = _reference(reader)
    assert attacked is not None and clean is not None and reference is not None, "a classifier encodes"
    return replace(samples, extractor=(attacked, clean, reference))


def with_recognised(judge: Judge, samples: AttackedSamples) -> AttackedSamples:
    """The same, with the classes for which neighbours in pixel space take the samples, where those have
    labels and their pixels were moved.
    """
    if samples.space != "pixels":
        return samples
    both = torch.cat([samples.clean.x, samples.attacked.x])  # (2n, d)
    found = judge.recognised_as(both.numpy(), samples.index.repeat(2))
    return samples if found is None else replace(samples, recognised=(found[: samples.n], found[samples.n :]))


class Clock:
    """Counts work and says so at least once a second."""

    def __init__(self, total: int, phase: str = "attack") -> None:
        self.total, self.phase, self.done, self.last = total, phase, 0, time.monotonic()

    def tick(self, amount: int) -> Iterator[Progress]:
        """So much more is done."""
        yield from self.reach(self.done + amount)

    def reach(self, done: int) -> Iterator[Progress]:
        """So much is done: a Progress event where half a second has gone by since the last one."""
        self.done = done
        if time.monotonic() - self.last >= REPORT_EVERY:
            self.last = time.monotonic()
            yield Progress(step=self.done, total=self.total, phase=self.phase)
