"""What is launched at a model: an attack for an objective within a budget, and at which samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings
from engine.data.fixed import fixed_of, over_channels
from engine.data.views import Shapes, Views, picture
from engine.errors import BudgetError, SettingsError
from engine.objectives.protocols import ObjectiveSettings


@dataclass(frozen=True)
class Threat:
    """An attack with all that it is launched with."""

    attack: AttackSettings
    objective: ObjectiveSettings
    norm: str
    epsilon: float
    locked: tuple[int, ...] = ()
    """Views that may not be touched, counted from 0."""
    fixed: str = ""
    """Places that may not be touched (a text of `engine.data.fixed`)."""
    n: int | None = None
    """How many samples at most; None: all."""
    half: str = "all"
    """Of which the samples are drawn: "all", "first" or "second" half, "train" or "test" rows of the data."""
    chunk: int = 500
    """Samples attacked at a time."""
    inception: Path | None = None
    """Weights of the network in whose features distances are measured too; None: they are not."""

    def budget(self, shapes: Shapes) -> Budget:
        """The ball and the box, for views of these shapes. Raises SettingsError for a lock on a view that is
        not there.
        """
        return Budget(self.norm, self.epsilon, mask=free(self.locked, self.fixed, shapes))


def free(locked: Sequence[int], fixed: str, shapes: Shapes) -> Tensor | None:
    """(d,) True where a flat row may change: in no locked view, and at no fixed place; None where all may.
    Raises SettingsError or BudgetError as `unlocked`, and for a text that fixes everything or fits no such
    row.
    """
    views, shape = unlocked(locked, shapes), picture(shapes)
    if not fixed:
        return views
    there = ~torch.from_numpy(over_channels(fixed_of(fixed, shape), shape))
    there = there if views is None else there & views
    if not bool(there.any()):
        raise BudgetError("attack.fixed leaves nothing to change: every place is fixed. Free some.")
    return there


def unlocked(locked: Sequence[int], shapes: Shapes) -> Tensor | None:
    """(d,) True where a flat row may change; None where no view is locked. Raises SettingsError for a view
    that is not there, BudgetError where every view is locked.
    """
    wrong = [view for view in locked if not 0 <= view < len(shapes)]
    if wrong:
        raise SettingsError(
            f"attack.locked must name views from 0 to {len(shapes) - 1}; got {wrong[0]}. The data have"
            f" {len(shapes)} view{'s' * (len(shapes) > 1)}."
        )
    if locked and len(set(locked)) == len(shapes):
        raise BudgetError("attack.locked leaves nothing to change: every view is locked. Unlock one.")
    free = Views(torch.full((1, *shape), view not in locked) for view, shape in enumerate(shapes))
    return free.flat()[0] if locked else None
