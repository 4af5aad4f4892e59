"""The measured numbers of each sample of an attack, as the catalogue's metrics declare them."""

from dataclasses import dataclass

import numpy as np

from app import measured
from app.inspect.finished_attack import FinishedAttack
from app.words import _

MARGIN, VALUE = "margin_attacked", "value"
"""Columns of the table: by how much the clean group leads under attack, and the objective's value."""


@dataclass(frozen=True)
class Column:
    """A measured number of each sample: its place in the table, and whether a larger one is worse for the
    model.
    """

    name: str
    title: str
    larger_is_worse: bool

    def worst_first(self, values: np.ndarray) -> np.ndarray:
        """(n,) the order in which those that the attack changed most come first."""
        return np.argsort(-values if self.larger_is_worse else values, kind="stable")


def known(attacked: FinishedAttack) -> dict[str, Column]:
    """The measured numbers of each sample that are here: the margin or the objective's value first."""
    found = {}
    for name, entry in measured.of_attacks().items():
        column = entry.get("column")
        column = name if column is None else column
        if column in attacked.table and attacked.table[column].dtype.kind == "f":
            found[column] = Column(column, _(entry["title"]), entry.get("better") != "up")
    first = [name for name in (MARGIN, VALUE) if name in found]
    return {name: found[name] for name in (*first, *(name for name in found if name not in first))}
