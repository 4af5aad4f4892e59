"""The action `attack`: one attack with one budget on chosen samples of one model, with every control beside it.

Flips, success and every number are judged here, in float32, inside the ball checked here. What a sweep calls a cell is
exactly this with the cell's ε, λ and seed.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, answer
from engine.data.views import Shapes, Views
from engine.device import How
from engine.errors import RunBroken, SettingsError
from engine.events import Evaluate, Event, Progress
from engine.metrics import clustering, embedding, perturbation, robustness
from engine.objectives import combine
from engine.objectives.protocols import ObjectiveSettings
from engine.runs import masking
from engine.runs.judging import Judge, Verdict, another_delta, check_inside, stream
from engine.runs.pictures import Sketch
from engine.runs.spec import Action, Work
from engine.settings import knob

FITTED = "fitted.safetensors"
WATCHED, DRAWN = 200, 10
"""Samples whose fate is told while an attack is fitted, and how many of them are drawn."""
PICTURE_EVERY = 1.0
"""Seconds between two such pictures, at least."""
REPORT_EVERY = 0.5
"""Seconds between two Progress events."""


class Attack(Action):
    """One attack on a trained model. Raises SettingsError, BudgetError or UnknownName for a choice that cannot be made."""

    name: ClassVar[str] = "attack"
    title: ClassVar[str] = "Attack"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "play"
    about: ClassVar[str] = "attack"

    attack: str = knob("pgd", "Attack", "Its registered name.")
    attack_settings: dict[str, Any] = knob({}, "Attack settings", "The attack's own fields.")
    objective: str = knob("leave_cluster", "Objective", "What the attack makes large, by its registered name.")
    objective_settings: dict[str, Any] = knob({}, "Objective settings", "The objective's own fields.")
    lam: float = knob(0.0, "λ", "Weight of the penalty on the change of the reconstruction.", symbol="λ", ge=0)
    norm: Literal["linf", "l2"] = knob("linf", "Norm", "The norm of the budget.")
    epsilon: float = knob(0.1, "ε", "Radius of the ball, in the data's unit: images lie in [0, 1].", symbol="ε")
    n: int = knob(1000, "Samples", "At most so many, drawn once for a seed.", ge=1)
    half: Literal["all", "first", "second"] = knob("all", "Samples of", "Multi-view models are trained on the first half of their data.")
    cluster: int | None = knob(None, "Target cluster", "For objectives that go to a cluster.", ge=0)
    locked: tuple[int, ...] = knob((), "Locked views", "Views that may not be touched, counted from 0. A fitted attack is fitted with the lock.")
    chunk: int = knob(500, "Chunk", "Samples attacked at a time.", ge=1, advanced=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        Budget(self.norm, self.epsilon)
        self.chosen_attack, self.chosen_objective  # noqa: B018  both raise their own sentence
        return self

    @cached_property
    def chosen_attack(self) -> AttackSettings:
        """The attack with its settings."""
        return registry.find("attack", self.attack)(**self.attack_settings)

    @cached_property
    def chosen_objective(self) -> ObjectiveSettings:
        """The objective with its target and, where λ is not 0, its penalty."""
        targeted = getattr(registry.find("objective", self.objective), "targeted", False)
        if targeted and self.target is None:
            raise SettingsError(f"The objective {self.objective} needs a target; got no cluster. Say which, for example cluster = 0.")
        if self.cluster is not None and not targeted:
            raise SettingsError(f"attack.cluster is for objectives that go to a cluster; got {self.cluster} with {self.objective}. "
                                "Use go_to_cluster, or leave it out.")
        return combine(self.objective, self.lam, self.objective_settings | ({"cluster": self.target} if targeted else {}))

    @property
    def target(self) -> int | None:
        """The cluster to reach, where the objective names one."""
        return self.cluster if self.cluster is not None else self.objective_settings.get("cluster")

    def check(self, clusters: int) -> None:
        """Raises SettingsError where the target is none of the model's clusters."""
        if self.target is not None and self.target >= clusters:
            raise SettingsError(f"cluster must be between 0 and {clusters - 1}; got {self.target}. "
                                f"The model has {clusters} clusters, counted from 0.")

    def budget(self, shapes: Shapes) -> Budget:
        """The ball and the box, for views of these shapes. Raises SettingsError for a lock on a view that is not there."""
        return Budget(self.norm, self.epsilon, mask=unlocked(self.locked, shapes))

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Attack, judge, write table "samples" and arrays "images"; returns the metrics."""
        judge = Judge(work.model(), work.data, work.how.device)
        fitted = None
        if self.chosen_attack.fitted:
            fitted = yield from fit(self, judge, work.spec.seed, work.how, Sketch(work.folder))
            keep_fitted(work.folder, fitted)
        outcome = yield from launch(self, judge, work.spec.seed, fitted)
        work.write_table("samples", outcome.table())
        work.write_arrays("images", {"id": outcome.index.numpy(), "adversarial": outcome.adversarial.numpy()})
        checks, doubts = masking.check(self, judge, outcome.index, work.spec.seed)
        return outcome.metrics() | checks | {"doubts": doubts}


@dataclass(frozen=True)
class Outcome:
    """An attack's answers and the controls, judged. Rows follow `index`; flat rows are (n, d) on the CPU."""
    choice: Attack
    index: Tensor
    labels: np.ndarray | None
    original: Tensor
    adversarial: Tensor
    value: np.ndarray
    clean: Verdict
    attacked: Verdict
    noisy: Verdict
    other: Verdict | None
    recognised: tuple[np.ndarray, np.ndarray] | None

    @property
    def flipped(self) -> np.ndarray:
        """Whether each sample's cluster changed: (n,) bool."""
        return self.clean.cluster != self.attacked.cluster

    @cached_property
    def divergence(self) -> np.ndarray:
        """KL of the clean assignment from the attacked one, of each sample: (n,)."""
        return robustness.divergence(self.clean.log_q, self.attacked.log_q)

    def success(self, cluster: np.ndarray) -> np.ndarray:
        """Whether the samples that could reach what was asked are there by `cluster` (n,): any other cluster, or the target from outside it."""
        own, target = self.clean.cluster, self.choice.target
        return cluster != own if target is None else cluster[own != target] == target

    def metrics(self) -> dict[str, Any]:
        """Every measured number with n and 95 % intervals; None where labels or an ability are missing."""
        own, success = self.clean.cluster, self.success(self.attacked.cluster)
        values: dict[str, Any] = robustness.agreement(self.labels, own, self.attacked.cluster)
        values |= robustness.rate("flip_rate", self.flipped) | robustness.rate("noise_flip_rate", own != self.noisy.cluster)
        values |= robustness.rate("other_delta_flip_rate", own != self.other.cluster if self.other else np.zeros(0))
        values |= robustness.rate("success_rate", success) | {"n_success": len(success)}
        values |= robustness.rate("noise_success_rate", self.success(self.noisy.cluster))
        values |= robustness.rate("other_delta_success_rate", self.success(self.other.cluster) if self.other else np.zeros(0))
        for name, seen in zip(("knn_acc_clean", "knn_acc_attacked"), self.recognised or (None, None), strict=True):
            values |= robustness.rate(name, np.zeros(0) if seen is None else seen == self.labels)
        values |= {"margin_clean_mean": float(self.clean.margin(own).mean()), "margin_mean": float(self.attacked.margin(own).mean())}
        values |= perturbation.sizes((self.adversarial - self.original).numpy())
        values["assignment_kl_mean"] = float(self.divergence.mean())
        if self.clean.z is not None and self.attacked.z is not None:
            values |= embedding.moved(self.clean.z, self.attacked.z)
        values |= {name: float(column.mean()) for name, column in self._reconstruction().items()}
        return values | {"objective_mean": float(self.value.mean()), "n": len(self.index)}

    def table(self) -> dict[str, np.ndarray]:
        """One row a sample; label and knn columns are -1 where the data have no labels."""
        delta, own, nobody = (self.adversarial - self.original).numpy(), self.clean.cluster, np.full(len(self.index), -1)
        seen = self.recognised or (nobody, nobody)
        columns = {
            "id": self.index.numpy(), "label": nobody if self.labels is None else self.labels, "cluster_clean": own,
            "cluster_attacked": self.attacked.cluster, "cluster_noise": self.noisy.cluster,
            "cluster_other_delta": self.other.cluster if self.other else nobody, "flipped": self.flipped,
            "right": np.zeros(len(own), bool) if self.labels is None else robustness.matched_labels(self.labels, own, own) == self.labels,
            "margin_clean": self.clean.margin(own), "margin_attacked": self.attacked.margin(own), "value": self.value,
            "assignment_kl": self.divergence, "linf": perturbation.linf(delta), "l2": perturbation.l2(delta), "l0": perturbation.l0(delta),
            "knn_clean": seen[0], "knn_attacked": seen[1],
        }
        if self.clean.z is not None and self.attacked.z is not None:
            columns["embedding_move"] = embedding.moves(self.clean.z, self.attacked.z)
        return columns | {name.removesuffix("_mean"): column for name, column in self._reconstruction().items()}

    def _reconstruction(self) -> dict[str, np.ndarray]:
        """Mean squared differences per sample, where the model reconstructs."""
        before, after = self.clean.reconstruction, self.attacked.reconstruction
        if before is None or after is None:
            return {}
        pairs = {"clean": before - self.original.numpy(), "attacked": after - self.adversarial.numpy(), "change": after - before}
        return {f"reconstruction_{name}_mean": np.square(difference).mean(axis=1) for name, difference in pairs.items()}


def unlocked(locked: Sequence[int], shapes: Shapes) -> Tensor | None:
    """(d,) True where a flat row may change; None where no view is locked. Raises SettingsError for a view that is not there."""
    wrong = [view for view in locked if not 0 <= view < len(shapes)]
    if wrong:
        raise SettingsError(f"attack.locked must name views from 0 to {len(shapes) - 1}; got {wrong[0]}. The data have {len(shapes)} "
                            f"view{'s' * (len(shapes) > 1)}.")
    free = Views(torch.full((1, *shape), view not in locked) for view, shape in enumerate(shapes))
    return free.flat()[0] if locked else None


def fit(choice: Attack, judge: Judge, seed: int, how: How, sketch: Sketch | None = None) -> Generator[Event, None, nn.Module]:
    """Fit an attack that needs it, without labels; its scores and pictures on the way are made here. The model stays bit-identical."""
    views = judge.data.views.subset(judge.rows(choice.chosen_attack.fitting_half(choice.half)))
    index, drawn, fitted = judge.choose(WATCHED, seed, choice.half), 0.0, None
    clean = judge.clean(index)
    steps = choice.chosen_attack.fit(judge.model, lambda x: choice.chosen_objective.bind(judge.model, x), views, choice.budget(views.shapes),
                                     stream(seed, "fit"), how)
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
        yield event.model_copy(update={"metrics": fate(judge.labels(index), judge.verdict(clean.flat()), judge.verdict(moved))})
        if sketch is not None and (event.step == event.total or time.monotonic() - drawn > PICTURE_EVERY):
            drawn = time.monotonic()
            first = slice(0, DRAWN)
            yield from sketch.adversarials(event.step, clean.flat()[first].cpu().numpy(), moved[first].cpu().numpy(), choice.epsilon, clean.shapes)
    return fitted


def _as_fitted(choice: Attack, networks: nn.Module, clean: Views, judge: Judge) -> Tensor:
    """What an attack that is still being fitted would answer: (n, d)."""
    mode = networks.training
    bound = choice.chosen_attack.bound(networks.eval(), clean)
    moved = answer(bound.perturb(clean.flat(), choice.chosen_objective.bind(judge.model, clean), choice.budget(clean.shapes), torch.Generator())).x
    networks.train(mode)
    return moved


def fate(labels: np.ndarray | None, before: Verdict, after: Verdict) -> dict[str, Any]:
    """Attacked accuracy and flip rate of samples that are watched while something is trained or fitted."""
    return {"acc_attacked": None if labels is None else clustering.accuracy(labels, after.cluster),
            "flip_rate": float((before.cluster != after.cluster).mean())}


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
        raise RunBroken(f"{FITTED} in {folder} must hold the weights of a fitted attack; it is missing or damaged. Fit the attack anew.") from None


def launch(choice: Attack, judge: Judge, seed: int, fitted: nn.Module | None = None) -> Generator[Progress, None, Outcome]:
    """Attack the samples that `seed` chooses, chunk by chunk, then judge answers and controls. Yields Progress."""
    index = judge.choose(choice.n, seed, choice.half)
    attack = choice.chosen_attack if fitted is None else choice.chosen_attack.bound(fitted, judge.clean(index[:1]))
    rng, noise_rng = stream(seed, "attack"), stream(seed, "noise")
    budget, noise = choice.budget(judge.data.views.shapes), registry.find("attack", "noise")()
    adversarial, noisy, values, clock = [], [], [], Clock(len(index) * choice.chosen_attack.iterates)
    for rows in index.split(choice.chunk):
        clean = judge.clean(rows)
        objective = choice.chosen_objective.bind(judge.model, clean)
        for iterate in attack.perturb(clean.flat(), objective, budget, rng):  # noqa: B007
            yield from clock.tick(len(rows))
        check_inside(choice.attack, iterate.x, clean.flat(), budget)
        adversarial.append(iterate.x.cpu())
        values.append(iterate.value.cpu())
        noisy += [step.x.cpu() for step in noise.perturb(clean.flat(), objective, budget, noise_rng)]
    original, moved = judge.clean(index).flat().cpu(), torch.cat(adversarial)
    other = judge.verdict(another_delta(moved, original, budget)) if len(index) > 1 else None
    both = judge.recognised_as(torch.cat([original, moved]).numpy(), index.repeat(2))
    return Outcome(choice, index, judge.labels(index), original, moved, torch.cat(values).numpy(), judge.verdict(original),
                   judge.verdict(moved), judge.verdict(torch.cat(noisy)), other,
                   None if both is None else (both[: len(index)], both[len(index) :]))


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
