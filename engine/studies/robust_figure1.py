"""Robust clustering, figure 1: pictures that stay and labels that go, against ν."""

from itertools import product
from typing import Any

from engine.registry import register
from engine.studies.protocols import Case
from engine.studies.robust import CONTROLS, OverNu

KINDS: dict[str, dict[str, Any]] = {
    "affine": {},
    "relu": {"activation": "relu"},
    "per_sample": {"variant": "per_sample"},
}
"""Treatment -> changed fields of the attack."""


@register
class Figure1(OverNu):
    """Pictures that stay and labels that go, against ν."""

    name = "robust.figure1"
    title = "Robust clustering, figure 1: ν"
    summary = (
        "Flips and change of the decoded picture against ν: the affine attack as released, one with ReLU, and"
        " one for each sample by itself."
    )
    place = 4

    def cases(self) -> list[Case]:
        """Attack by attack, ν by ν; the figure's pictures are those of the runs behind the rows."""
        column = self.one_column()
        return [
            Case(
                column.network,
                {"data": column.data, "dimension": column.dimension, "nu": nu},
                self.trained(column.network, column.data, column.dimension),
                self.attack(column.data, nu, **KINDS[kind]),
                "base",
                kind,
                {"flip_rate": "flip_rate", "acc": "acc_attacked", "objective": "objective_mean"},
                CONTROLS,
            )
            for kind, nu in product(KINDS, self.nus)
        ]
