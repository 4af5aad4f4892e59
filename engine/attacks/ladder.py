"""Ladders: what a hand drags, computed once. Over ε, along an attack's path, over λ; and the smallest ε that
flips.

A ladder over ε runs all levels of a sample as one batch, with the same random direction scaled by each
level's ε, and each level answers with the best iterate of all levels up to it. The balls are nested, so that
is a legitimate answer, and it makes the ladder monotone in the objective: for `leave_cluster` and
`go_to_cluster`, whose sign is the flip, a sample once flipped stays flipped. (Independent starts un-flip 3 to
56 % of samples between neighbouring levels, a shared start still 0.2 to 2.3 %.) For a sum of objectives the
sum is monotone, the flip is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, answer
from engine.data.views import Views
from engine.errors import BudgetError
from engine.objectives.protocols import Objective

Bind = Callable[[Views], Objective]
"""Clean samples -> objective; usually `lambda clean: settings.bind(model, clean)`."""
Flipped = Callable[[Tensor, Tensor], Tensor]
"""Rows (m, d) and which clean sample each came from (m,) -> whether it has flipped (m,); judged in float32.
"""


@dataclass(frozen=True)
class Ladder:
    """Answers at every level: `levels` (n, L), `x` (n, L, d), `value` (n, L) of the objective.

    For a path the levels are steps, for λ they are the weights.
    """

    levels: Tensor
    x: Tensor
    value: Tensor

    def flips(self, flipped: Flipped) -> Tensor:
        """Whether each level has flipped: (n, L) bool."""
        n, size = self.levels.shape
        rows = torch.arange(n, device=self.x.device).repeat_interleave(size)
        return flipped(self.x.flatten(0, 1), rows).reshape(n, size)


def over_epsilon(
    bind: Bind,
    clean: Views,
    levels: Sequence[float] | Tensor,
    attack: AttackSettings,
    norm: str,
    rng: torch.Generator,
    mask: Tensor | None = None,
) -> Ladder:
    """The attack at every ε of `levels`, (L,) for all samples or (n, L) for each, rising; a level 0 is the
    clean sample.

    Raises BudgetError for levels that do not rise or lie outside the box.
    """
    grid = _grid(levels, clean)
    n, size = grid.shape
    tiled, flat = _tiled(clean, size)
    budget = Budget(norm, grid.flatten(), mask=mask, shared=size)
    last = answer(attack.perturb(flat, bind(tiled), budget, rng))
    ladder = Ladder(grid, last.x.reshape(n, size, -1), last.value.reshape(n, size))
    return nested(ladder) if attack.searches else ladder


def nested(ladder: Ladder) -> Ladder:
    """The ladder whose every level answers with the best of all levels up to it."""
    value, best = ladder.value.cummax(dim=1)
    return Ladder(ladder.levels, ladder.x.gather(1, best[:, :, None].expand_as(ladder.x)), value)


def over_path(
    bind: Bind,
    clean: Views,
    epsilon: float,
    attack: AttackSettings,
    norm: str,
    rng: torch.Generator,
    mask: Tensor | None = None,
) -> Ladder:
    """Every iterate of the attack at one ε: levels are steps, the last is the answer."""
    iterates = list(attack.perturb(clean.flat(), bind(clean), Budget(norm, epsilon, mask=mask), rng))
    steps = torch.tensor([float(iterate.step) for iterate in iterates], device=clean[0].device).expand(
        clean.n, -1
    )
    values = torch.stack([iterate.value for iterate in iterates], dim=1)
    return Ladder(steps, torch.stack([iterate.x for iterate in iterates], dim=1), values)


def over_lambda(
    bind: Bind,
    penalty: Bind,
    clean: Views,
    lams: Sequence[float],
    epsilon: float,
    attack: AttackSettings,
    norm: str,
    rng: torch.Generator,
    mask: Tensor | None = None,
) -> Ladder:
    """The attack on objective − λ · penalty for every λ, all in one batch from the same random direction. Not
    nested.
    """
    size = len(lams)
    tiled, flat = _tiled(clean, size)
    weights = torch.tensor(lams, dtype=flat.dtype, device=flat.device)
    wanted, kept, column = bind(tiled), penalty(tiled), weights.repeat(clean.n)
    objective = Objective(lambda rows: wanted(rows) - column * kept(rows), wanted.stationary_at_clean)
    last = answer(attack.perturb(flat, objective, Budget(norm, epsilon, mask=mask, shared=size), rng))
    return Ladder(
        weights.expand(clean.n, -1), last.x.reshape(clean.n, size, -1), last.value.reshape(clean.n, size)
    )


@dataclass(frozen=True)
class SmallestFlip:
    """ε* ≤ `epsilon` (n,), inf where no level flipped, and the sample found there: `x` (n, d), else the clean
    one.
    """

    epsilon: Tensor
    x: Tensor


def smallest_flip(
    ladder: Ladder,
    flipped: Flipped,
    bind: Bind,
    clean: Views,
    attack: AttackSettings,
    norm: str,
    rng: torch.Generator,
    rounds: int = 2,
    splits: int = 7,
    mask: Tensor | None = None,
) -> SmallestFlip:
    """The first level of `ladder` that flips, refined inside its bracket: an upper bound, so write ε* ≤.

    Each round puts `splits` new levels between the last that held and the first that flipped.
    """
    low, high, x = _bracket(
        ladder,
        ladder.flips(flipped),
        torch.zeros(clean.n, device=ladder.x.device),
        torch.full((clean.n,), torch.inf, device=ladder.x.device),
        clean.flat(),
    )
    for _ in range(rounds):
        rows = torch.nonzero((high < torch.inf) & (high > low))[:, 0]
        if len(rows) == 0:
            break
        inner = torch.arange(1, splits + 1, device=low.device) / (splits + 1)
        levels = low[rows, None] + (high - low)[rows, None] * inner
        finer = over_epsilon(bind, clean.rows(rows), levels, attack, norm, rng, mask)
        flips = finer.flips(lambda moved, index, rows=rows: flipped(moved, rows[index]))  # type: ignore[misc]
        low[rows], high[rows], x[rows] = _bracket(finer, flips, low[rows], high[rows], x[rows])
    return SmallestFlip(high, x)


def _bracket(
    ladder: Ladder, flips: Tensor, low: Tensor, high: Tensor, x: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The bracket (low, high] narrowed by a ladder inside it, and the sample at its upper end."""
    found, first = flips.any(dim=1), flips.int().argmax(dim=1)
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
    tiled = clean.rows(torch.arange(clean.n, device=clean[0].device).repeat_interleave(size))
    return tiled, tiled.flat()
