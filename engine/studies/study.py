"""The action `study`: trainings and attacks, row by row and seed by seed, beside what was published.

Every training and every attack is a run of its own, found by its key, so that a study that was stopped goes
on where it was, two studies share what they have in common, and every number leads to the run behind it.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator

from engine import registry
from engine.data.dataset import Dataset
from engine.device import How
from engine.errors import RunBroken
from engine.events import Event, Failed, Finished, Progress, Row
from engine.registry import register
from engine.running import runner
from engine.running.action import Action, Work
from engine.running.attacking import Attack
from engine.settings import Settings, knob
from engine.store import checkpoint
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import BASE, WITH, flag_of
from engine.studies.protocols import Attacking, Case, StudySettings, Training


@register
class Study(Action):
    """A registered study of a size."""

    name: ClassVar[str] = "study"
    title: ClassVar[str] = "Study"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "train"
    about: ClassVar[str] = "study"

    study: str = knob(..., "Study", "Its registered name.")
    study_settings: dict[str, Any] = knob({}, "Settings", "The study's own fields.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.chosen  # noqa: B018  raises its own sentence
        return self

    @cached_property
    def chosen(self) -> StudySettings:
        """The study with its settings."""
        found: StudySettings = registry.find("study", self.study)(**self.study_settings)
        return found

    def suits(self, data: Dataset) -> None:
        """Raises DataMissing, before anything is computed, where data of a row must be supplied and are
        not.
        """
        for name in dict.fromkeys(training.data for training, _ in self._trainings()):
            owner = registry.find("data", name)
            if owner.obtained and owner.whereabouts() is None:
                owner().load()

    def parts(self) -> list[type[Settings]]:
        """The study, every model, attack and objective of its rows, and what is launched beside an attack."""
        default = Attack.model_fields["objective"].default
        found: set[type[Settings]] = {type(self.chosen)}
        for training, attacking in self._trainings():
            found.add(registry.find("model", training.model))
            if attacking is not None:
                objective = str(attacking.changes.get("objective", default))
                named = (("attack", attacking.attack), ("objective", objective))
                found |= {Attack, *(registry.find(kind, name) for kind, name in named)}
        return list(found)

    def _trainings(self) -> Iterator[tuple[Training, Attacking | None]]:
        """Every training of its rows and what those need, each with each attack on it."""
        for case in self.chosen.cases():
            if case.training is not None:
                yield from case.training.parts()
                for attacking in (case.attacking, *(each.attacking for each in case.beside)):
                    yield case.training, attacking

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """A Row for every case, those that are already measured at once; returns all rows and the
        protocol.
        """
        store, rows = Store(work.folder.parents[1]), []
        cases = self.chosen.cases()
        for number, case in enumerate(cases):
            row = yield from _Measuring(case, number, len(cases), store, work.how).row(self.chosen.seeds)
            rows.append(row.model_dump(mode="json", exclude={"event", "at"}))
            yield row
        runs = {key for row in rows for keys in row["runs"].values() for key in keys}
        seconds = sum(float(store.find(key).result().get("seconds", 0)) for key in runs)
        return {
            "rows": rows,
            "n_rows": len(rows),
            "n_runs": len(runs),
            "seconds_of_runs": round(seconds, 1),
            "protocol": self.chosen.protocol_in_full,
            "size": self.chosen.size,
            "seeds": self.chosen.seeds,
        }


@dataclass(frozen=True)
class _Measuring:
    """One case of a study while it is measured: which of how many it is, where its runs are kept, and how
    they compute.
    """

    case: Case
    number: int
    total: int
    store: Store
    how: How

    def row(self, seeds: int) -> Generator[Event, None, Row]:
        """The case over seeds 0 … n − 1. Raises RunBroken where one of its runs does not finish."""
        row, began = self._unmeasured(), time.monotonic()
        if self.case.training is None:
            return row
        values, runs = [], []
        for seed in range(seeds):
            made = yield from self._runs(self.case, seed)
            runs.append(made)
            values.append(self._values(made))
        roles = ("model", "attack", *(f"attack{n}" for n in range(2, len(runs[0]))))[: len(runs[0])]
        measured = [*self.case.measured, *(name for each in self.case.beside for name in each.measured)]
        return row.model_copy(
            update={
                "measured": _columns(values, measured),
                "controls": _columns(values, [name for name in values[0] if name not in measured]),
                "runs": {role: [made[place].key for made in runs] for place, role in enumerate(roles)},
                "seconds": round(time.monotonic() - began, 3),
            }
        )

    def _unmeasured(self) -> Row:
        case = self.case
        return Row(
            step=self.number + 1,
            total=self.total,
            model=case.model,
            arm=case.arm,
            treatment=case.treatment,
            about=dict(case.about),
            published=dict(case.published) if case.published else None,
            doubtful=list(case.doubtful),
            note=case.note,
        )

    def _values(self, made: Sequence[Run]) -> dict[str, Any]:
        """The values of one seed, by the row's own names; `made` are the training and the attacks on it."""
        first = made[:2][-1]
        found = _named(first, {**self.case.measured, **self.case.controls})
        found |= dict(self.case.more(first.folder)) if self.case.more else {}
        for run, each in zip(made[2:], self.case.beside, strict=True):
            found |= _named(run, {**each.measured, **each.controls})
        return found | self._of_appended(made[0])

    def _of_appended(self, model: Run) -> dict[str, Any]:
        """What the last attack measured whose samples the model was trained with too."""
        if not self.case.of_appended:
            return {}
        *_, last = (key for role, key in model.spec.builds_on.items() if flag_of(role) == WITH)
        result = self.store.find(last).result()
        named = self.case.of_appended.items()
        return {name: result[source] for name, source in named if result.get(source) is not None}

    def _runs(self, case: Case, seed: int) -> Generator[Event, None, list[Run]]:
        """The training of a seed and, where the case has some, the attacks on it."""
        training, attacking = case.training, case.attacking
        if training is None:
            return []
        model = yield from self._trained(training, seed)
        runs = [model]
        for each in () if attacking is None else (attacking, *(beside.attacking for beside in case.beside)):
            runs.append((yield from self._attacked(each, model, seed)))
        return runs

    def _trained(self, training: Training, seed: int) -> Generator[Event, None, Run]:
        """The training of a seed, after what it builds on."""
        models, appended = {}, []
        if training.base is not None:
            models[BASE] = (yield from self._trained(training.base, seed)).key
        for each in training.appended:
            model = yield from self._trained(each.model, seed)
            appended.append((yield from self._attacked(each.attacking, model, seed)).key)
        if appended:
            models[WITH] = ",".join(appended)
        clusters = {} if training.clusters is None else {"clusters": training.clusters}
        return (
            yield from self._finished(
                runner.prepare(
                    "train",
                    training.model,
                    training.data,
                    seed=seed,
                    preset=training.preset,
                    changes={**training.changes, **clusters},
                    models=models,
                    store=self.store,
                )
            )
        )

    def _attacked(self, attacking: Attacking, model: Run, seed: int) -> Generator[Event, None, Run]:
        """The attack of a seed on a model."""
        builds_on = {"model": model.key}
        if attacking.fitted:
            builds_on["fitted"] = model.spec.builds_on[attacking.fitted]
        return (
            yield from self._finished(
                runner.prepare(
                    "attack",
                    attacking.attack,
                    attacking.data,
                    seed=seed,
                    preset=attacking.preset,
                    changes=attacking.changes,
                    models=builds_on,
                    store=self.store,
                )
            )
        )

    def _finished(self, spec: Spec) -> Generator[Event, None, Run]:
        """The run of a spec, found or done now; its progress becomes the study's. Raises RunBroken where it
        did not finish.
        """
        run = self.store.create(spec)
        if run.status() in ("finished", "zoo"):
            return run
        last: Event | None = None
        steps = runner.run(run, how=None if checkpoint.there(run.folder) else self.how, store=self.store)
        try:
            for last in steps:
                if isinstance(last, Progress):
                    yield Progress(
                        step=self.number,
                        total=self.total,
                        phase=f"{spec.name}, seed {spec.seed}",
                        values={"done": last.step / max(last.total, 1)},
                    )
        finally:
            steps.close()
        if not isinstance(last, Finished):
            reason = last.reason if isinstance(last, Failed) else "it was stopped"
            raise RunBroken(
                f"The {spec.action} {spec.name} (run {spec.key}) of this study did not finish: {reason}"
            )
        return run


def _named(run: Run, names: Mapping[str, str]) -> dict[str, Any]:
    """What a run came to, by a row's own names."""
    result = run.result()
    return {name: result.get(source) for name, source in names.items()}


def _columns(values: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {name: over_seeds([one[name] for one in values]) for name in names}


def over_seeds(values: Sequence[Any]) -> dict[str, Any]:
    """Mean and spread (standard deviation with n − 1; None for one seed) of numbers, with each value; of what
    is no number, the first seed's.
    """
    if not all(isinstance(value, int | float) for value in values):
        return {"first": values[0]}
    return {
        "mean": float(np.mean(values)),
        "spread": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "seeds": [float(value) for value in values],
    }
