"""The action `attack`: one attack with one budget on chosen samples of one model, with every control beside
it.

Flips, success and every number are judged here, in float32, inside the ball checked here. What a sweep calls
a cell is exactly this with the cell's ε, λ and seed.
"""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.precision import in_arithmetic
from engine.attacks.protocols import AttackSettings, answer
from engine.data.dataset import Dataset
from engine.data.splits import Part
from engine.data.views import Shapes, Views
from engine.device import How
from engine.errors import RunBroken, SettingsError
from engine.events import Evaluate, Event, Progress
from engine.objectives import combine
from engine.objectives.protocols import ObjectiveSettings
from engine.registry import register
from engine.running import embedding_attack, masking
from engine.running.action import Action, Work
from engine.running.judging import Judge, another_delta, check_inside, stream
from engine.running.outcome import Outcome, fate
from engine.running.pictures import Sketch
from engine.settings import knob
from engine.store.run import Run
from engine.store.spec import Spec

ALL = 1_000_000
"""How runs store that all samples are attacked: so their keys stay what they were before None said it."""
FITTED = "fitted.safetensors"
WHERE = {"pixels": "pixels", "embedding": "the embedding"}
WATCHED, DRAWN = 200, 10
"""Samples whose fate is told while an attack is fitted, and how many of them are drawn."""
PICTURE_EVERY = 1.0
"""Seconds between two such pictures, at least."""
HALF = (
    "Multi-view models are trained on the first half of their data, supervised ones on the training rows:"
    " those of the source, or the first half."
)
REPORT_EVERY = 0.5
"""Seconds between two Progress events."""


@register
class Attack(Action):
    """One attack on a trained model. Raises SettingsError, BudgetError or UnknownName for a choice that
    cannot be made.
    """

    name: ClassVar[str] = "attack"
    title: ClassVar[str] = "Attack"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "attack"
    about: ClassVar[str] = "attack"

    attack: str = knob("pgd", "Attack", "Its registered name.")
    attack_settings: dict[str, Any] = knob({}, "Attack settings", "The attack's own fields.")
    objective: str = knob(
        "leave_cluster", "Objective", "What the attack makes large, by its registered name."
    )
    objective_settings: dict[str, Any] = knob({}, "Objective settings", "The objective's own fields.")
    lam: float = knob(
        0.0, "λ", "Weight of the penalty on the change of the reconstruction.", symbol="λ", ge=0
    )
    norm: Literal["linf", "l2"] = knob("linf", "Norm", "The norm of the budget.")
    epsilon: float = knob(
        0.1, "ε", "Radius of the ball, in the data's unit: images lie in [0, 1].", symbol="ε"
    )
    n: int | None = knob(
        1000, "Samples", "At most so many, drawn once for a seed; None: all.", ge=1, stored_none=ALL
    )
    half: Part = knob("all", "Samples of", HALF)
    cluster: int | None = knob(None, "Target cluster", "For objectives that go to a cluster.", ge=0)
    locked: tuple[int, ...] = knob(
        (),
        "Locked views",
        "Views that may not be touched, counted from 0. A fitted attack is fitted with the lock.",
    )
    chunk: int = knob(500, "Chunk", "Samples attacked at a time.", ge=1, advanced=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.chosen_attack.space == "embedding":
            self._unbounded()
        if self.chosen_attack.space != self.chosen_objective.space:
            raise SettingsError(
                f"{self.attack} moves {WHERE[self.chosen_attack.space]}, and the objective {self.objective}"
                f" is about {WHERE[self.chosen_objective.space]}. Choose an attack and an objective of the"
                " same space."
            )
        Budget(self.norm, self.epsilon)
        return self

    def _unbounded(self) -> None:
        """Raises SettingsError for a choice that means nothing where no pixel moves."""
        for name in ("epsilon", "norm", "lam", "locked", "cluster"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise SettingsError(
                    f"{self.attack} moves the embedding and takes no {name}; got {getattr(self, name)!r}."
                    " Nothing but its weight bounds it: objective_settings.nu (--nu)."
                )

    @cached_property
    def chosen_attack(self) -> AttackSettings:
        """The attack with its settings."""
        return registry.find("attack", self.attack)(**self.attack_settings)

    @cached_property
    def chosen_objective(self) -> ObjectiveSettings:
        """The objective with its target and, where λ is not 0, its penalty."""
        targeted = getattr(registry.find("objective", self.objective), "targeted", False)
        if targeted and self.target is None:
            raise SettingsError(
                f"The objective {self.objective} needs a target; got no cluster. Say which, for example"
                " cluster = 0."
            )
        if self.cluster is not None and not targeted:
            raise SettingsError(
                f"attack.cluster is for objectives that go to a cluster; got {self.cluster} with"
                f" {self.objective}. Use go_to_cluster, or leave it out."
            )
        return combine(
            self.objective, self.lam, self.objective_settings | ({"cluster": self.target} if targeted else {})
        )

    @property
    def target(self) -> int | None:
        """The cluster to reach, where the objective names one."""
        return self.cluster if self.cluster is not None else self.objective_settings.get("cluster")

    def check(self, clusters: int) -> None:
        """Raises SettingsError where the target is none of the model's clusters."""
        if self.target is not None and self.target >= clusters:
            raise SettingsError(
                f"cluster must be between 0 and {clusters - 1}; got {self.target}. "
                f"The model has {clusters} clusters, counted from 0."
            )

    def like(self, spec: Spec, changes: Mapping[str, Any]) -> Self:
        """The same attack as a fitted one, `spec`, with `changes` to the action's own fields: what is fitted
        is not chosen again.
        """
        if spec.action != "attack" or spec.name != self.attack or not self.chosen_attack.fitted:
            raise SettingsError(
                f"fitted must be a run in which {self.attack} was fitted to a model; got a run of"
                f" {spec.action} {spec.name}."
            )
        again = [
            name
            for name in changes
            if name.split(".")[0] in ("attack_settings", "objective_settings", *self.chosen_attack.values())
        ]
        if again:
            raise SettingsError(
                f"With fitted, the attack is taken as it is; got {again[0]} too. Leave it out, or fit the"
                " attack anew without fitted."
            )
        return type(self)(
            **(
                spec.settings
                | {name: value for name, value in changes.items() if name in type(self).model_fields}
            )
        )

    def described(self, data: Dataset) -> dict[str, str]:
        """Which samples are attacked."""
        count = "" if self.n is None else f", at most {self.n:,} of them"
        return {"rows_used": data.rows_in_words(self.half) + count}

    def budget(self, shapes: Shapes) -> Budget:
        """The ball and the box, for views of these shapes. Raises SettingsError for a lock on a view that is
        not there.
        """
        return Budget(self.norm, self.epsilon, mask=unlocked(self.locked, shapes))

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Attack, judge, write table "samples" and arrays "images"; returns the metrics."""
        judge = Judge(work.model(), work.data, work.how.device)
        fitted = None
        if self.chosen_attack.fitted and "fitted" in work.spec.builds_on:
            fitted = work.fitted("fitted").to(work.how.device)
        elif self.chosen_attack.fitted:
            fitted = yield from fit(self, judge, work.spec.seed, work.how, Sketch(work.folder))
        if fitted is not None:
            keep_fitted(work.folder, fitted)
        outcome = yield from launch(self, judge, work.spec.seed, fitted, work.how)
        work.write_table("samples", outcome.table())
        work.write_arrays("images", outcome.arrays())
        checks, doubts = masking.check(self, judge, outcome.index, work.spec.seed)
        if self.chosen_attack.space == "embedding":
            doubts = embedding_attack.doubts(judge, outcome) + doubts
        return outcome.metrics() | checks | {"doubts": doubts}


def unlocked(locked: Sequence[int], shapes: Shapes) -> Tensor | None:
    """(d,) True where a flat row may change; None where no view is locked. Raises SettingsError for a view
    that is not there.
    """
    wrong = [view for view in locked if not 0 <= view < len(shapes)]
    if wrong:
        raise SettingsError(
            f"attack.locked must name views from 0 to {len(shapes) - 1}; got {wrong[0]}. The data have"
            f" {len(shapes)} view{'s' * (len(shapes) > 1)}."
        )
    free = Views(torch.full((1, *shape), view not in locked) for view, shape in enumerate(shapes))
    return free.flat()[0] if locked else None


def fit(
    choice: Attack, judge: Judge, seed: int, how: How, sketch: Sketch | None = None
) -> Generator[Event, None, nn.Module]:
    """Fit an attack that needs it, without labels; its scores and pictures on the way are made here. The
    model stays bit-identical.
    """
    if choice.chosen_attack.space == "embedding":
        return (yield from embedding_attack.fit(choice, judge, seed, how, sketch))
    views = judge.data.views.subset(judge.rows(choice.chosen_attack.fitting_half(choice.half)))
    index, drawn, fitted = judge.choose(WATCHED, seed, choice.half), 0.0, None
    clean = judge.clean(index)
    steps = choice.chosen_attack.fit(
        judge.model,
        lambda x: choice.chosen_objective.bind(judge.model, x),
        views,
        choice.budget(views.shapes),
        stream(seed, "fit"),
        how,
    )
    while fitted is None:
        try:
            event, networks = next(steps)
        except StopIteration as end:
            fitted = end.value
            continue
        if not isinstance(event, Evaluate):
            yield event
            continue
        moved = _as_fitted(choice, networks, clean, judge)
        yield event.model_copy(
            update={"metrics": fate(judge.labels(index), judge.verdict(clean.flat()), judge.verdict(moved))}
        )
        if sketch is not None and (event.step == event.total or time.monotonic() - drawn > PICTURE_EVERY):
            drawn = time.monotonic()
            first = slice(0, DRAWN)
            yield from sketch.adversarials(
                event.step,
                clean.flat()[first].cpu().numpy(),
                moved[first].cpu().numpy(),
                choice.epsilon,
                clean.shapes,
            )
    return fitted


def _as_fitted(choice: Attack, networks: nn.Module, clean: Views, judge: Judge) -> Tensor:
    """What an attack that is still being fitted would answer: (n, d)."""
    mode = networks.training
    bound = choice.chosen_attack.bound(networks.eval(), clean)
    moved = answer(
        bound.perturb(
            clean.flat(),
            choice.chosen_objective.bind(judge.model, clean),
            choice.budget(clean.shapes),
            torch.Generator(),
        )
    ).x
    networks.train(mode)
    return moved


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


def launch(
    choice: Attack, judge: Judge, seed: int, fitted: nn.Module | None = None, how: How | None = None
) -> Generator[Progress, None, Outcome]:
    """Attack the samples that `seed` chooses, chunk by chunk, then judge answers and controls. Yields
    Progress.

    Gradients are taken in the arithmetic of `how`, where that pays; everything is judged in float32.
    """
    if choice.chosen_attack.space == "embedding":
        assert fitted is not None, "attacks on the embedding are fitted"
        return (yield from embedding_attack.launch(choice, judge, seed, fitted))
    index = judge.choose(choice.n, seed, choice.half)
    attack = (
        choice.chosen_attack if fitted is None else choice.chosen_attack.bound(fitted, judge.clean(index[:1]))
    )
    rng, noise_rng = stream(seed, "attack"), stream(seed, "noise")
    budget, noise = choice.budget(judge.data.views.shapes), registry.find("attack", "noise")()
    adversarial, noisy, values, clock = [], [], [], Clock(len(index) * choice.chosen_attack.iterates)
    for rows in index.split(choice.chunk):
        clean = judge.clean(rows)
        objective = choice.chosen_objective.bind(judge.model, clean)
        objective = in_arithmetic(objective, judge.model, clean.flat(), how)
        for iterate in attack.perturb(clean.flat(), objective, budget, rng):  # noqa: B007
            yield from clock.tick(len(rows))
        check_inside(choice.attack, iterate.x, clean.flat(), budget)
        adversarial.append(iterate.x.cpu())
        values.append(iterate.value.cpu())
        noisy += [step.x.cpu() for step in noise.perturb(clean.flat(), objective, budget, noise_rng)]
    original, moved = judge.clean(index).flat().cpu(), torch.cat(adversarial)
    other = judge.verdict(another_delta(moved, original, budget)) if len(index) > 1 else None
    both = judge.recognised_as(torch.cat([original, moved]).numpy(), index.repeat(2))
    return Outcome(
        choice,
        index,
        judge.labels(index),
        original,
        moved,
        torch.cat(values).numpy(),
        judge.verdict(original),
        judge.verdict(moved),
        judge.verdict(torch.cat(noisy)),
        other,
        None if both is None else (both[: len(index)], both[len(index) :]),
    )


class Clock:
    """Counts work and says so at least once a second."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.last = total, 0, time.monotonic()

    def tick(self, amount: int) -> Iterator[Progress]:
        """A Progress event where half a second has gone by since the last one."""
        self.done += amount
        if time.monotonic() - self.last >= REPORT_EVERY:
            self.last = time.monotonic()
            yield Progress(step=self.done, total=self.total, phase="attack")
