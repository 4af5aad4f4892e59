"""Robust clustering, table 1: clean and attacked clusterings of the base networks."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import CLEAN, Case
from engine.studies.robust import RobustStudy


@register
class Table1(RobustStudy):
    """Clean and attacked clusterings of the base networks."""

    name = "robust.table1"
    title = "Robust clustering, table 1: the attack"
    summary = (
        "Clean and attacked ACC and NMI of the base networks, and the size of the perturbation, for several"
        " latent dimensions."
    )
    place = 1
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "The attack on the embedding lowers the ACC of every network",
            "acc",
            {"treatment": "clean", "arm": "base"},
            [{"treatment": "fresh_attack"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Network by network, dimension by dimension: clean, then attacked."""
        rows = [
            self.row(column, "base", treatment, "table1")
            for column in self.columns_measured()
            for treatment in (CLEAN, "fresh_attack")
        ]
        return rows + list(self.published_alone("table1", "base", "fresh_attack"))
