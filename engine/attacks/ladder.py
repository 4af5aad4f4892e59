"""Ladders: what a hand drags, computed once. Over ε, along an attack's path, over λ; and the smallest ε that
reaches what the objective wants.

A ladder over ε runs all levels of a sample as one batch, with the same random direction scaled by each
level's ε, and each level answers with the best iterate of all levels up to it. The balls are nested, so that
is a legitimate answer, and it makes the ladder monotone in the objective: for `leave_cluster` and
`go_to_cluster`, whose sign says that they are reached, a sample once there stays there. (Independent starts
lose 3 to 56 % of samples between neighbouring levels, a shared start still 0.2 to 2.3 %.) For a sum of
objectives the sum is monotone, reaching is not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.protocols import SCORE, AttackSettings, answer
from engine.data.views import Views
from engine.errors import BudgetError
from engine.objectives.protocols import Objective, ObjectiveSettings, added

Bind = Callable[[Views, Tensor], Objective]
"""Clean samples, and which of the given ones each is (m,) -> the objective for them."""
Reached = Callable[[Tensor, Tensor], Tensor]
"""Rows (m, d), and which clean sample each came from (m,) -> whether it is where the objective wants it (m,);
judged in float32.
"""


def binding(settings: ObjectiveSettings, model: nn.Module, labels: Tensor | None = None) -> Bind:
    """Binds an objective to a model, and to the `labels` (n,) of the given samples where it needs them."""
    return lambda views, index: settings.bind(model, views, None if labels is None else labels[index])


def reaching(
    settings: ObjectiveSettings, model: nn.Module, clean: Views, labels: Tensor | None = None
) -> Reached | None:
    """Judges whether rows are where an objective wants these samples; None where it has no such notion."""
    before = settings.look(model, clean, labels)
    if settings.reached(before, before) is None:
        return None

    def reached(rows: Tensor, index: Tensor) -> Tensor:
        own = before.rows(index)
        found = settings.reached(own, settings.look(model, clean.like(rows), own.labels))
        assert found is not None, "an objective with a notion of success has it for all samples"
        return found

    return reached


@dataclass(frozen=True, eq=False)
class Attempt:
    """What is launched at every level: an attack for an objective, at clean samples, in the balls of one
    norm; `mask` (d,) is True where a number may change (None: everywhere).
    """

    bind: Bind
    clean: Views
    attack: AttackSettings
    norm: str
    mask: Tensor | None = None

    def budget(self, epsilon: float | Tensor, shared: int = 1) -> Budget:
        """The balls of this size."""
        return Budget(self.norm, epsilon, mask=self.mask, shared=shared)

    def among(self, rows: Tensor) -> "Attempt":
        """The same at the samples at `rows` alone, which are then counted from 0."""
        bind = self.bind
        return replace(self, bind=lambda views, index: bind(views, rows[index]), clean=self.clean.rows(rows))


@dataclass(frozen=True)
class Ladder:
    """Answers at every level: `levels` (n, L), `x` (n, L, d), `value` (n, L) of the objective.

    For a path the levels are steps, for λ they are the weights. `traces` (n, L) are what the attack traced,
    by symbol.
    """

    levels: Tensor
    x: Tensor
    value: Tensor
    traces: Mapping[str, Tensor] = field(default_factory=dict)

    def reached(self, reached: Reached) -> Tensor:
        """Whether each level is where the objective wants it: (n, L) bool."""
        n, size = self.levels.shape
        rows = torch.arange(n, device=self.x.device).repeat_interleave(size)
        return reached(self.x.flatten(0, 1), rows).reshape(n, size)


def over_epsilon(attempt: Attempt, levels: Sequence[float] | Tensor, rng: torch.Generator) -> Ladder:
    """The attack at every ε of `levels`, (L,) for all samples or (n, L) for each, rising; a level 0 is the
    clean sample.

    Raises BudgetError for levels that do not rise or lie outside the box.
    """
    grid = _grid(levels, attempt.clean)
    n, size = grid.shape
    tiled, index = _tiled(attempt.clean, size)
    budget = attempt.budget(grid.flatten(), shared=size)
    last = answer(attempt.attack.perturb(tiled.flat(), attempt.bind(tiled, index), budget, rng))
    traces = {name: trace.reshape(n, size) for name, trace in last.traces.items()}
    ladder = Ladder(grid, last.x.reshape(n, size, -1), last.value.reshape(n, size), traces)
    return nested(ladder) if attempt.attack.searches else ladder


def nested(ladder: Ladder) -> Ladder:
    """The ladder whose every level answers with the best of all levels up to it: by the attack's own score
    where it traces one, else by the objective.
    """
    best = ladder.traces.get(SCORE, ladder.value).cummax(dim=1).indices
    return Ladder(
        ladder.levels,
        ladder.x.gather(1, best[:, :, None].expand_as(ladder.x)),
        ladder.value.gather(1, best),
        {name: trace.gather(1, best) for name, trace in ladder.traces.items()},
    )


def over_path(attempt: Attempt, epsilon: float, rng: torch.Generator) -> Ladder:
    """Every iterate of the attack at one ε: levels are steps, the last is the answer."""
    clean = attempt.clean
    objective = attempt.bind(clean, _every(clean))
    iterates = list(attempt.attack.perturb(clean.flat(), objective, attempt.budget(epsilon), rng))
    steps = torch.tensor([float(iterate.step) for iterate in iterates], device=clean[0].device).expand(
        clean.n, -1
    )
    values = torch.stack([iterate.value for iterate in iterates], dim=1)
    names = [name for name in iterates[0].traces if name in iterates[-1].traces]
    traces = {name: torch.stack([each.traces[name] for each in iterates], dim=1) for name in names}
    return Ladder(steps, torch.stack([iterate.x for iterate in iterates], dim=1), values, traces)


def over_variants(attempt: Attempt, axis: str, epsilon: float, rng: torch.Generator) -> Ladder:
    """The attack's own variants along an axis at one ε, each from the same random start, in one batch where
    the attack can. Not nested.
    """
    clean, variants = attempt.clean, attempt.attack.variants(axis)
    size, together = len(variants), attempt.attack.in_one(axis, clean.n)
    levels = torch.tensor(list(variants), dtype=torch.float32, device=clean[0].device).expand(clean.n, -1)
    if together is not None:
        tiled, index = _tiled(clean, size)
        budget = attempt.budget(epsilon, shared=size)
        last = answer(together.perturb(tiled.flat(), attempt.bind(tiled, index), budget, rng))
        traces = {name: trace.reshape(clean.n, size) for name, trace in last.traces.items()}
        return Ladder(levels, last.x.reshape(clean.n, size, -1), last.value.reshape(clean.n, size), traces)
    objective, began, found = attempt.bind(clean, _every(clean)), rng.get_state(), []
    for attack in variants.values():
        rng.set_state(began)
        found.append(answer(attack.perturb(clean.flat(), objective, attempt.budget(epsilon), rng)))
    return Ladder(
        levels,
        torch.stack([last.x for last in found], dim=1),
        torch.stack([last.value for last in found], dim=1),
        {name: torch.stack([last.traces[name] for last in found], dim=1) for name in found[0].traces},
    )


def over_lambda(
    attempt: Attempt, penalty: Bind, lams: Sequence[float], epsilon: float, rng: torch.Generator
) -> Ladder:
    """The attack on objective − λ · penalty for every λ, all in one batch from the same random direction. Not
    nested.
    """
    clean, size = attempt.clean, len(lams)
    tiled, index = _tiled(clean, size)
    flat = tiled.flat()
    weights = torch.tensor(lams, dtype=flat.dtype, device=flat.device)  # (L,)
    wanted, kept, column = attempt.bind(tiled, index), penalty(tiled, index), weights.repeat(clean.n)
    objective = added([(1.0, wanted), (-column, kept)])
    last = answer(attempt.attack.perturb(flat, objective, attempt.budget(epsilon, shared=size), rng))
    return Ladder(
        weights.expand(clean.n, -1), last.x.reshape(clean.n, size, -1), last.value.reshape(clean.n, size)
    )


@dataclass(frozen=True)
class Smallest:
    """ε* ≤ `epsilon` (n,), inf where no level was reached, and the sample found there: `x` (n, d), else the
    clean one.
    """

    epsilon: Tensor
    x: Tensor


def smallest_reaching(
    attempt: Attempt,
    ladder: Ladder,
    reached: Reached,
    rng: torch.Generator,
    rounds: int = 2,
    splits: int = 7,
) -> Smallest:
    """The first reached level of the attempt's `ladder`, refined in its bracket: an upper bound (write ε* ≤).

    Each round puts `splits` new levels between the last that was not reached and the first that was.
    """
    n, device = attempt.clean.n, ladder.x.device
    low, high = torch.zeros(n, device=device), torch.full((n,), torch.inf, device=device)
    low, high, x = _bracket(ladder, ladder.reached(reached), low, high, attempt.clean.flat())
    for _ in range(rounds):
        rows = torch.nonzero((high < torch.inf) & (high > low))[:, 0]
        if len(rows) == 0:
            break
        inner = torch.arange(1, splits + 1, device=low.device) / (splits + 1)
        levels = low[rows, None] + (high - low)[rows, None] * inner
        finer = over_epsilon(attempt.among(rows), levels, rng)
        there = finer.reached(_among(rows, reached))
        low[rows], high[rows], x[rows] = _bracket(finer, there, low[rows], high[rows], x[rows])
    return Smallest(high, x)


def _among(rows: Tensor, reached: Reached) -> Reached:
    """The same for the samples at `rows` alone, which are then counted from 0."""
    return lambda x, index: reached(x, rows[index])


def _bracket(
    ladder: Ladder, there: Tensor, low: Tensor, high: Tensor, x: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The bracket (low, high] narrowed by a ladder inside it, and the sample at its upper end."""
    found, first = there.any(dim=1), there.int().argmax(dim=1)
    row = torch.arange(len(first), device=first.device)
    before = torch.where(first > 0, ladder.levels[row, (first - 1).clamp_min(0)], low)
    low = torch.where(found, before, torch.maximum(low, ladder.levels[:, -1]))
    high = torch.where(found, ladder.levels[row, first], high)
    return low, high, torch.where(found[:, None], ladder.x[row, first], x)


def _grid(levels: Sequence[float] | Tensor, clean: Views) -> Tensor:
    grid = torch.as_tensor(levels, dtype=clean[0].dtype, device=clean[0].device)
    grid = grid.expand(clean.n, -1) if grid.ndim == 1 else grid
    if grid.ndim != 2 or grid.shape[0] != clean.n or grid.shape[1] == 0 or bool((grid.diff(dim=1) < 0).any()):
        raise BudgetError(
            f"A ladder's levels must rise, one row for all samples or one for each of {clean.n}; "
            f"got {_shortly(grid)} of shape {tuple(grid.shape)}. Sort them."
        )
    return grid


def _shortly(grid: Tensor) -> str:
    return ", ".join(f"{level:g}" for level in grid.flatten()[:4].tolist()) or "none"


def _tiled(clean: Views, size: int) -> tuple[Views, Tensor]:
    """Every sample `size` times, and which of them each is (n · size,)."""
    index = _every(clean).repeat_interleave(size)
    return clean.rows(index), index


def _every(clean: Views) -> Tensor:
    return torch.arange(clean.n, device=clean[0].device)
