"""The action `study`: trainings and attacks, row by row and seed by seed, beside what was published.

Every training and every attack is a run of its own, found by its key, so that a study that was stopped goes
on where it was, two studies share what they have in common, and every number leads to the run behind it.
"""

import time
from collections.abc import Generator, Mapping, Sequence
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
from engine.running.action import Action, Work
from engine.settings import Settings, knob
from engine.store import checkpoint
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.studies.protocols import Case, StudySettings


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
        found = registry.find("study", self.study)(**self.study_settings)
        assert isinstance(found, StudySettings)
        return found

    def suits(self, data: Dataset) -> None:
        """Raises DataMissing, before anything is computed, where data of a row must be supplied and
        are not.
        """
        for name in dict.fromkeys(case.training.data for case in self.chosen.cases() if case.training):
            owner = registry.find("data", name)
            if owner.obtained and owner.whereabouts() is None:
                owner().load()

    def parts(self) -> list[type[Settings]]:
        """The study, and every model and attack of its rows."""
        cases = self.chosen.cases()
        models = {case.training.model for case in cases if case.training}
        attacks = {case.attacking.attack for case in cases if case.attacking}
        return [
            type(self.chosen),
            *(registry.find("model", name) for name in sorted(models)),
            *(registry.find("attack", name) for name in sorted(attacks)),
        ]

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """A Row for every case, those that are already measured at once; returns all rows and the
        protocol.
        """
        store, rows = Store(work.folder.parents[1]), []
        cases = self.chosen.cases()
        for number, case in enumerate(cases):
            row = yield from _measured(case, self.chosen.seeds, store, work.how, number, len(cases))
            rows.append(row.model_dump(mode="json", exclude={"event", "at"}))
            yield row
        behind = {key for row in rows for keys in row["runs"].values() for key in keys}
        spent = sum(float(store.find(key).result().get("seconds", 0)) for key in behind)
        counted = {"n_rows": len(rows), "n_runs": len(behind), "seconds_of_runs": round(spent, 1)}
        return (
            {"rows": rows}
            | counted
            | {"protocol": self.chosen.protocol, "size": self.chosen.size, "seeds": self.chosen.seeds}
        )


def _measured(
    case: Case, seeds: int, store: Store, how: How, number: int, total: int
) -> Generator[Event, None, Row]:
    """One case over all seeds."""
    row = Row(
        step=number + 1,
        total=total,
        model=case.model,
        about=dict(case.about),
        published=dict(case.published) if case.published else None,
        doubtful=list(case.doubtful),
        note=case.note,
    )
    if case.training is None:
        return row
    began, found = time.monotonic(), []
    behind: dict[str, list[str]] = {"model": [], "attack": []}
    for seed in range(seeds):
        model = yield from _done(
            store,
            how,
            number,
            total,
            "train",
            case.training.model,
            case.training.data,
            seed,
            case.training.preset,
            case.training.changes,
        )
        last = model
        behind["model"].append(model.key)
        if case.attacking is not None:
            asked = case.attacking
            last = yield from _done(
                store,
                how,
                number,
                total,
                "attack",
                asked.attack,
                asked.data,
                seed,
                asked.preset,
                asked.changes,
                {"model": model.key}
                | ({"fitted": model.spec.builds_on[asked.fitted]} if asked.fitted else {}),
            )
            behind["attack"].append(last.key)
        values = last.result()
        found.append(
            {name: values.get(source) for name, source in {**case.measured, **case.controls}.items()}
            | (dict(case.more(last.folder)) if case.more else {})
        )
    names = list(case.measured)
    more = [name for name in found[0] if name not in names]
    return row.model_copy(
        update={
            "measured": {name: over_seeds([one[name] for one in found]) for name in names},
            "controls": {name: over_seeds([one[name] for one in found]) for name in more},
            "runs": {role: keys for role, keys in behind.items() if keys},
            "seconds": round(time.monotonic() - began, 3),
        }
    )


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


def _done(
    store: Store,
    how: How,
    number: int,
    total: int,
    action: str,
    name: str,
    data: str | None,
    seed: int,
    preset: str | None,
    changes: Mapping[str, Any],
    models: Mapping[str, str] | None = None,
) -> Generator[Event, None, Run]:
    """A run that the study needs, found or done now; its progress is told as the study's. Raises RunBroken
    where it did not finish.
    """
    from engine.running import runner  # it knows all actions, this one too

    spec: Spec = runner.prepare(
        action, name, data, seed=seed, preset=preset, changes=changes, models=models or {}, store=store
    )
    run = store.create(spec)
    if run.status() not in ("finished", "zoo"):
        last: Event | None = None
        steps = runner.run(run, how=None if checkpoint.there(run.folder) else how, store=store)
        try:
            for event in steps:
                last = event
                if isinstance(event, Progress):
                    yield Progress(
                        step=number,
                        total=total,
                        phase=f"{name}, seed {seed}",
                        values={"done": event.step / max(event.total, 1)},
                    )
        finally:
            steps.close()  # type: ignore[attr-defined]
        if not isinstance(last, Finished):
            reason = last.reason if isinstance(last, Failed) else "it was stopped"
            raise RunBroken(f"The {action} {name} (run {spec.key}) of this study did not finish: {reason}")
    return run
