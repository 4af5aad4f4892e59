"""Robust clustering, table 2: the defended networks under the attack that they were defended against."""

from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import CLEAN, Case
from engine.studies.robust import RobustStudy

TREATMENTS = (CLEAN, "same_attack")


def clean_gain(says: str, score: str) -> Claim:
    """That a defended network scores higher on clean samples than one trained as long without defence."""
    return Claim(says, score, {"treatment": "clean", "arm": "defended"}, [{"arm": "control"}])


@register
class Table2(RobustStudy):
    """The defended networks under the attack that they were defended against."""

    name = "robust.table2"
    title = "Robust clustering, table 2: the defence"
    summary = (
        "Defended networks, clean and under the very attack they were defended against; beside them as many"
        " steps without it, and two other defences."
    )
    figure = "arms"
    place = 2
    claims: ClassVar[tuple[Claim, ...]] = (
        clean_gain("Control: the defence raises the clean ACC more than training as long without it", "acc"),
        clean_gain("Control: the defence raises the clean NMI more than training as long without it", "nmi"),
    )

    def cases(self) -> list[Case]:
        """Network by network, dimension by dimension: the defence and its control; then the other arms at one
        dimension.
        """
        rows = [
            self.row(column, arm, treatment, "table2" if arm == "defended" else "")
            for column in self.columns_measured()
            for arm, treatment in product(("defended", "control"), TREATMENTS)
        ]
        rows += self.other_arms(TREATMENTS)
        return rows + list(self.published_alone("table2", "defended", "same_attack"))
