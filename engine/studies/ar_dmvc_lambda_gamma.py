"""AR-DMVC, figure 4a: attacked accuracy over λ and γ."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from engine.registry import register
from engine.settings import knob
from engine.studies.ar_dmvc import MultiViewStudy, attacked_case
from engine.studies.protocols import Attacking, Case

EPSILON = 0.2
JUDGED = 200
"""Samples a seed on which the strongest attack judges a cell."""


@register
class LambdaGamma(MultiViewStudy):
    """Attacked accuracy over λ and γ."""

    name = "ar_dmvc.lambda_gamma"
    title = "AR-DMVC, figure 4a: λ and γ"
    summary = "AR-DMVC-AM trained at every λ and γ, then attacked at ε = 0.2 by PGD and the strongest attack."
    protocol = (
        f"{MultiViewStudy.protocol} The strongest attack judges {JUDGED} samples a seed; scores under PGD are"
        " upper bounds of what a model keeps."
    )
    figure = "grid"
    tab = "grid"
    place = 5

    grid: tuple[float, ...] = knob(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0), "Values", "Of λ and of γ.", min_length=1
    )

    def cases(self) -> list[Case]:
        """λ by λ, γ by γ; the figure's heights were not published as numbers."""
        return [
            attacked_case(
                "ar_dmvc_am",
                {"lam": lam, "gamma": gamma, "epsilon": EPSILON},
                self.trained("ar_dmvc_am", lam=lam, gamma=gamma),
                treatment,
                attacking,
            )
            for lam, gamma in product(self.grid, self.grid)
            for treatment, attacking in self._attacks()
        ]

    def _attacks(self) -> Iterator[tuple[str, Attacking]]:
        """PGD, and what judges a cell."""
        yield "pgd", self.pgd(EPSILON)
        for treatment, attacking in self.judging(EPSILON):
            fewer: Mapping[str, Any] = {**attacking.changes, "n": JUDGED}
            yield treatment, Attacking(attacking.attack, None, fewer)
