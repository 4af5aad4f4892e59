"""The action `sweep`: the action `attack` over lists of ε, λ and attack seeds, a cell each, for curves.

A finished cell is kept in the run's folder, so a sweep that was stopped goes on where it was and what is
there is shown.
"""

import json
from collections.abc import Generator, Iterator
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from engine import registry
from engine.data.dataset import Dataset
from engine.data.splits import Part
from engine.events import Evaluate, Event, Progress, finite
from engine.metrics.protocols import AttackedSamples
from engine.registry import register
from engine.running import outcome
from engine.running.action import Action, Work
from engine.running.attacking import HALF, Attack, objectives
from engine.running.fitting import fit
from engine.running.judging import Judge
from engine.running.launching import launch, with_recognised
from engine.settings import Seed, Settings, knob


@register
class Sweep(Action):
    """Attacks over every combination of `epsilons`, `lams` and `attack_seeds`; each is what `attack` does
    with that seed.
    """

    name: ClassVar[str] = "sweep"
    title: ClassVar[str] = "Sweep"
    source: ClassVar[str] = "Feint"
    about: ClassVar[str] = "attack"

    attack: str = knob("pgd", "Attack", "Its registered name.")
    attack_settings: dict[str, Any] = knob({}, "Attack settings", "The attack's own fields.")
    objective: str = knob(
        "leave_cluster", "Objective", "What the attack makes large, by its registered name."
    )
    objective_settings: dict[str, Any] = knob({}, "Objective settings", "The objective's own fields.")
    norm: Literal["linf", "l2"] = knob("linf", "Norm", "The norm of the budget.")
    epsilons: tuple[float, ...] = knob(
        (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3), "ε", "Radii of the ball.", symbol="ε", min_length=1
    )
    lams: tuple[float, ...] = knob(
        (0.0,), "λ", "Weights of the penalty on the change of the reconstruction.", symbol="λ", min_length=1
    )
    attack_seeds: tuple[Seed, ...] = knob(
        (0,), "Seeds", "Each draws its own samples and starts.", min_length=1
    )
    n: int = knob(500, "Samples", "At most so many for each cell.", ge=1)
    half: Part = knob("all", "Samples of", HALF)
    cluster: int | None = knob(None, "Target cluster", "For objectives that go to a cluster.", ge=0)
    locked: tuple[int, ...] = knob((), "Locked views", "Views that may not be touched, counted from 0.")
    chunk: int = knob(500, "Chunk", "Samples attacked at a time.", ge=1, advanced=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.cells()
        return self

    def cells(self) -> list[tuple[int, Attack]]:
        """(seed, attack) of every cell, seed by seed, then λ by λ, then ε by ε."""
        same = self.model_dump(exclude={"epsilons", "lams", "attack_seeds"})
        grid = product(self.attack_seeds, self.lams, self.epsilons)
        return [(seed, Attack(epsilon=epsilon, lam=lam, **same)) for seed, lam, epsilon in grid]

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """The control of every cell."""
        return (registry.find("attack", "noise"),)

    def parts(self) -> list[type[Settings]]:
        """The attack and the objective."""
        return [*super().parts(), *objectives(self.objective, self.objective_settings, max(self.lams))]

    def needs_of_model(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What every cell needs: a λ other than 0 needs more."""
        for _, cell in self.cells():
            yield from cell.needs_of_model()

    def suits(self, data: Dataset) -> None:
        """Raises SettingsError for a lock on a view that is not there, BudgetError for an ε beyond the box,
        DataError where labels are missing.
        """
        for _, cell in self.cells():
            cell.suits(data)

    def check(self, clusters: int) -> None:
        """Raises SettingsError where the target is none of the model's clusters."""
        self.cells()[0][1].check(clusters)

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Measure the cells that are not there yet; an Evaluate event for every cell, so that a sweep that
        goes on tells all of it.
        """
        judge = Judge(work.model(), work.data, work.how.device)
        cells = self.cells()
        for number, (seed, choice) in enumerate(cells):
            file = work.folder / "cells" / f"{number:05d}.json"
            where: dict[str, float | None] = {
                "epsilon": choice.epsilon,
                "lam": choice.lam,
                "seed": float(seed),
            }
            if not file.exists():
                steps = self._cell(choice, judge, seed, work)
                samples = yield from _within(steps, number, len(cells), where)
                _keep(file, where | {"metrics": outcome.metrics(samples)})
            kept = json.loads(file.read_text(encoding="utf-8"))
            yield Evaluate(step=number + 1, total=len(cells), values=where, metrics=kept["metrics"])
        return {
            "cells": [json.loads(file.read_text(encoding="utf-8")) for file in finished(work.folder)],
            "n_cells": len(cells),
        }

    def _cell(
        self, choice: Attack, judge: Judge, seed: int, work: Work
    ) -> Generator[Event, None, AttackedSamples]:
        """One attack; a fitted one is fitted for this very cell."""
        threat = choice.threat
        fitted = (yield from fit(threat, judge, seed, work.how)) if threat.attack.fitted else None
        return with_recognised(judge, (yield from launch(threat, judge, seed, fitted, work.how)))


def finished(folder: Path) -> list[Path]:
    """The files of the cells that are done, in order."""
    return sorted((folder / "cells").glob("*.json"))


def _within(
    steps: Generator[Event, None, AttackedSamples], number: int, total: int, where: dict[str, float | None]
) -> Generator[Event, None, AttackedSamples]:
    """A cell's own progress, as the sweep's; returns what the cell returns."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if isinstance(event, Progress):
            yield Progress(
                step=number, total=total, phase="cell", values=where | {"cell_done": event.step / event.total}
            )


def _keep(file: Path, cell: dict[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(finite(cell), allow_nan=False), encoding="utf-8")
    partial.replace(file)
