"""What a run has said so far, as tables. Only new lines of its events are read; nothing here draws."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from engine.events import Evaluate, Event, Picture, Progress, Started
from engine.store.run import Run, story

POINTS = 400
"""Points of a curve, at most: more than a screen can tell apart."""
AVERAGED = 10
"""Probes in the moving average of Δ, at least: single ones change their sign from one to the next."""
WINDOW = 15.0
"""Seconds over which a rate is taken."""
ANGLES = (
    "delta_fr",
    "delta_fd",
    "cos_sup_pseudo",
    "norm_total",
    "norm_pseudo",
    "norm_self",
    "norm_ratio",
    "near_stationary",
    "hypothetical",
)


@dataclass(frozen=True)
class Pace:
    """Where a run is: iterations done and due in this phase, iterations a second, seconds left in this phase
    (None: not known).
    """

    phase: str = ""
    step: int = 0
    total: int = 0
    per_second: float | None = None

    @property
    def share(self) -> float:
        """Done, from 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds left in this phase at the present rate."""
        return (self.total - self.step) / self.per_second if self.per_second else None

    @property
    def of_base(self) -> bool:
        """Whether it is the run's base that is being trained."""
        return self.phase.startswith("base: ")


@dataclass
class Record:
    """A run's events without its interruptions, and how many lines were read for them."""

    lines: int = 0
    events: list[Event] = field(default_factory=list)

    def read(self, run: Run) -> bool:
        """Take in what is new; whether there was anything. Raises RunBroken at a damaged line."""
        new = run.events(self.lines)
        self.lines += len(new)
        self.events = (
            story([*self.events, *new])
            if any(isinstance(event, Started) for event in new)
            else [*self.events, *new]
        )
        return bool(new)

    def started(self) -> Started | None:
        """How it began."""
        return next((event for event in self.events if isinstance(event, Started)), None)

    def pictures(self, name: str) -> list[Picture]:
        """Its pictures of one kind, in order."""
        return [event for event in self.events if isinstance(event, Picture) and event.picture == name]

    def newest_picture(self) -> Picture | None:
        """The last picture of any kind."""
        return next((event for event in reversed(self.events) if isinstance(event, Picture)), None)

    def pace(self) -> Pace:
        """Step, total and rate of the phase it is in."""
        moving = [event for event in self.events if isinstance(event, Progress | Evaluate)]
        if not moving:
            return Pace()
        last = moving[-1]
        phase = next((event.phase for event in reversed(moving) if isinstance(event, Progress)), "")
        since = (last.at or 0) - WINDOW
        first = next(
            event
            for event in moving
            if _phase(event, phase) == phase and (event.at or 0) >= since and event.step <= last.step
        )
        steps, seconds = last.step - first.step, (last.at or 0) - (first.at or 0)
        return Pace(phase, last.step, last.total, steps / seconds if steps > 0 and seconds > 0.5 else None)

    def evaluations(self) -> pd.DataFrame:
        """One row an evaluation: `step`, values and scores; lists are left out. Angles stand only where they
        were measured.
        """
        rows = [{"step": event.step} | event.values | _numbers(event.metrics) for event in self._evaluated()]
        table = pd.DataFrame(rows).astype(float) if rows else pd.DataFrame({"step": []})
        angles = [name for name in ANGLES if name in table]
        if angles:
            again = table[angles].fillna(math.inf).diff().abs().sum(axis=1).eq(0) & (table.index > 0)
            table.loc[again, angles] = math.nan
        return table

    def values(self, names: Collection[str], x: str = "step") -> pd.DataFrame:
        """One row a report of this run's own training (not of its base) that has one of these values: `step`,
        `x` and the values, thinned.
        """
        rows = [
            {"step": event.step} | {name: event.values[name] for name in (x, *names) if name in event.values}
            for event in self._own()
            if any(name in event.values for name in names)
        ]
        return thinned(pd.DataFrame(rows).astype(float)) if rows else pd.DataFrame({"step": []})

    def reported(self) -> list[str]:
        """The names of all values that the method reported of its own training, in order."""
        return list(dict.fromkeys(name for event in self._own() for name in event.values))

    def sizes(self) -> pd.DataFrame:
        """One row an evaluation: `step` and the size of each cluster."""
        rows = [
            {"step": event.step} | dict(enumerate(event.metrics["sizes"]))
            for event in self._evaluated()
            if "sizes" in event.metrics
        ]
        return thinned(pd.DataFrame(rows)) if rows else pd.DataFrame({"step": []})

    def now(self) -> dict[str, float]:
        """The newest value of everything that was measured."""
        newest: dict[str, float] = {}
        for event in self._own():
            said = event.values | (_numbers(event.metrics) if isinstance(event, Evaluate) else {})
            newest |= {name: value for name, value in said.items() if value is not None}
        return newest

    def _own(self) -> Iterator[Progress | Evaluate]:
        """What was said of this run's own training, not of its base's."""
        for event in self.events:
            if isinstance(event, Evaluate) or (isinstance(event, Progress) and not Pace(event.phase).of_base):
                yield event

    def _evaluated(self) -> Iterator[Evaluate]:
        return (event for event in self.events if isinstance(event, Evaluate))


def thinned(table: pd.DataFrame, points: int = POINTS) -> pd.DataFrame:
    """Every k-th row, so that at most `points` remain; the last one always does."""
    stride = -(-len(table) // points)
    return table.iloc[::-stride].iloc[::-1].reset_index(drop=True) if stride > 1 else table


def probed(evaluations: pd.DataFrame) -> pd.DataFrame:
    """The rows in which gradients were probed."""
    if "norm_total" not in evaluations:
        return pd.DataFrame({"step": []})
    return evaluations[evaluations["norm_total"].notna()].reset_index(drop=True)


def averaged_over(probes: int) -> int:
    """How many probes the moving average of Δ takes: 10, or a twentieth of all where that is more."""
    return max(AVERAGED, probes // 20)


def stretches(table: pd.DataFrame, flag: str, x: str) -> list[tuple[float, float]]:
    """Where `flag` is 1, as stretches of `x`, each up to the next row that is not."""
    if flag not in table or table.empty:
        return []
    found: list[tuple[float, float]] = []
    values, marks = table[x].tolist(), table[flag].eq(1).tolist()
    for here, there, marked in zip(values, [*values[1:], values[-1]], marks, strict=True):
        if marked and found and found[-1][1] >= here:
            found[-1] = (found[-1][0], there)
        elif marked:
            found.append((here, there))
    return found


def decoder_blocks(block: int, first: float, last: float) -> list[tuple[float, float]]:
    """Iterations from `first` to `last` in which only the decoder moves: every other block of this length,
    the first one too.
    """
    starts = range(int(first // (2 * block)) * 2 * block, int(last) + 1, 2 * block)
    return [
        (float(max(start, first)), float(min(start + block, last)))
        for start in starts
        if start + block > first and start < last
    ]


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _phase(event: Progress | Evaluate, now: str) -> str:
    """An evaluation belongs to the phase that surrounds it."""
    return event.phase if isinstance(event, Progress) else now


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in metrics.items() if value is None or isinstance(value, int | float)}
