"""`strongest`: several objectives, targets and starts, until a sample has fallen.

PGD as it stands by default goes first, with the same start, so that whatever it reaches is reached. Samples
that are left are then climbed with the chosen objective and with every alternative that it names (towards
each other cluster, a paper's own objective), with longer paths, from one random start after the other.

A sample that has fallen is not climbed again. PGD's own paths, first of all, are walked to their end; on the
longer ones a sample leaves at the first point where the objective wants it, if the objective's value says so
(`reached_above`). Where it does not, every point is judged by the model instead, and the best of those that
count is kept. Under a penalty success is not all that is wanted: there only the best point of a path is
judged.

Measured on 500 samples of digits/adec, the share that leaves its cluster at ε = 0.1 and 0.2: PGD-20 .536 and
.914; 2 starts of 100 steps towards the 3 nearest .572 and .978; `thorough` .586 and .984.

Source: the ensemble of Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of
diverse parameter-free attacks", ICML 2020, arXiv:2003.01690, with PGD as its only climber; Carlini et al.,
"On evaluating adversarial robustness", 2019, arXiv:1902.06705.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import AttackSettings, Iterate, value_only
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import Settings, knob

FIRST = PGD()
"""What goes first: no sample that it reaches is lost."""


@register
class Strongest(AttackSettings):
    """Everything the house has against one sample; success is the chosen objective's."""

    name: ClassVar[str] = "strongest"
    title: ClassVar[str] = "Strongest"
    summary: ClassVar[str] = (
        "PGD first; what it misses is tried with longer paths, towards other groups, from several starts."
    )
    source: ClassVar[str] = (
        "Croce and Hein, ICML 2020, arXiv:2003.01690 (an ensemble of targets and starts); here of PGD alone"
    )
    equation: ClassVar[str] = (
        r"x' = \text{the first of } \mathrm{PGD}(f_i, \text{start } j) \text{ that succeeds}"
    )
    axes: ClassVar[tuple[str, ...]] = ("epsilon", "lambda")
    slow: ClassVar[bool] = True
    presets = {"thorough": {"starts": 5, "steps": 100, "targets": None}}

    starts: int = knob(3, "Starts", "Random starts of every objective.", ge=1, le=50)
    steps: int = knob(50, "Steps", "Gradient steps of one start.", symbol="T", ge=1, le=1000)
    targets: int | None = knob(
        4, "Targets", "So many other clusters or classes at most, the nearest; None: all.", ge=0, le=1000
    )

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """PGD climbs for it."""
        return (PGD,)

    @property
    def stops(self) -> bool:
        """Yes: a sample leaves where it has fallen."""
        return True

    @property
    def iterates(self) -> int:
        """Those of an objective that names no alternatives."""
        return FIRST.iterates + self.starts * self.steps + 1

    def iterates_for(self, objective: Objective) -> int:
        """As many as it takes where no sample falls."""
        climbers = 1 + len(objective.others(self.targets))
        return FIRST.iterates + self.starts * self.steps * climbers + 1

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The best answer so far, row by row, at every step; those skipped count in `step`."""
        passed = _Passed(objective, x)
        for iterate in FIRST.perturb(x, objective, budget, rng, start):
            passed.see(iterate)
            yield iterate
        held, rng = _Held(x, objective, iterate), _fork(rng)
        held.add(passed)
        done, total = FIRST.iterates, self.iterates_for(objective)
        for _ in range(self.starts):
            rows = held.left()
            here = held.bound(rows)
            for aim in (here, *here.others(self.targets)) if len(rows) else ():
                yield from self._climb(held, rows, aim, budget, rng, done)
                done += self.steps
        yield Iterate(held.best, held.value, total - 1)

    def _climb(
        self, held: "_Held", rows: Tensor, aim: Objective, budget: Budget, rng: torch.Generator, done: int
    ) -> Iterator[Iterate]:
        """One start of one objective, bound to `rows` (m,), for those of them that are still to fall."""
        still = torch.nonzero(~held.fallen[rows])[:, 0]
        if len(still) == 0:
            return
        aim, rows = (aim, rows) if len(still) == len(rows) else (aim.rows(still), rows[still])
        climber = PGD(steps=self.steps, stop=True)
        passed = _Passed(held.bound(rows) if held.watched else held.objective, held.x[rows])
        for iterate in climber.perturb(held.x[rows], aim, budget.rows(rows), rng):
            passed.see(iterate)
            if iterate.step < self.steps:  # the last of a start is where the next one begins
                yield Iterate(held.best, held.value, done + iterate.step)
        held.take(rows, torch.where(passed.there[:, None], passed.x, iterate.x))


class _Held:
    """The best answer so far, row by row: best (n, d), value (n,) of the chosen objective, fallen (n,)."""

    def __init__(self, x: Tensor, objective: Objective, first: Iterate) -> None:
        self.x, self.objective = x, objective
        self.best, self.value = first.x, first.value
        self.fallen = _there(objective, first.x, first.value)

    def left(self) -> Tensor:
        """The rows (m,) that are still to fall."""
        return torch.nonzero(~self.fallen)[:, 0]

    def bound(self, rows: Tensor) -> Objective:
        """The chosen objective for these rows alone."""
        return self.objective if len(rows) == len(self.x) else self.objective.rows(rows)

    @property
    def watched(self) -> bool:
        """Whether points on the way are judged, too."""
        return _is_watched(self.objective)

    def add(self, passed: "_Passed") -> None:
        """Keep where the paths of all rows came by, for those that have not fallen."""
        rows = torch.nonzero(passed.there & ~self.fallen)[:, 0]
        if len(rows):
            self.take(rows, passed.x[rows])

    def take(self, rows: Tensor, found: Tensor) -> None:
        """Keep what was found (m, d) for these rows where it fell there, or where its value is larger."""
        here = self.bound(rows)
        value = value_only(here, found)
        there = _there(here, found, value)
        wins = there | (value > self.value[rows])
        self.best = self.best.index_put((rows,), torch.where(wins[:, None], found, self.best[rows]))
        self.value = self.value.index_put((rows,), torch.where(wins, value, self.value[rows]))
        self.fallen = self.fallen.index_put((rows,), there)


class _Passed:
    """Where the paths of rows came by a place that the objective wants, though its value does not say so: the
    points x (n, d) with the largest values (n,), and whether there was one (n,).
    """

    def __init__(self, objective: Objective, x: Tensor) -> None:
        self.objective, self.x = objective, x
        self.value = torch.full((len(x),), -torch.inf, device=x.device)

    @property
    def there(self) -> Tensor:
        """Whether a path came by such a place: (n,) bool."""
        return self.value > -torch.inf

    def see(self, iterate: Iterate) -> None:
        """Judge a point of every path, where that is not known from its value."""
        if _is_watched(self.objective):
            wins = _there(self.objective, iterate.x, iterate.value) & (iterate.value > self.value)
            self.x = torch.where(wins[:, None], iterate.x, self.x)
            self.value = torch.where(wins, iterate.value, self.value)


def _is_watched(objective: Objective) -> bool:
    """Whether a path may come by success and leave it again: no value tells of it, and no penalty undoes
    it.
    """
    return objective.reached_above is None and not objective.penalised


def _there(objective: Objective, x: Tensor, value: Tensor) -> Tensor:
    """Whether rows are where the objective wants them (n,): by their value where it says so, else asked."""
    if objective.reached_above is not None:
        return value > objective.reached_above
    found = None if objective.reached is None else objective.reached(x)
    return torch.zeros_like(value, dtype=torch.bool) if found is None else found


def _fork(rng: torch.Generator) -> torch.Generator:
    """A generator of its own for what comes after PGD, so that the next chunk's PGD starts where it would."""
    beside = torch.Generator(rng.device)
    beside.set_state(rng.get_state())
    seed = torch.randint(2**62, (1,), generator=beside, device=rng.device)
    return torch.Generator(rng.device).manual_seed(int(seed))
