"""Robust clustering, table 3: the defended networks under a fresh attack."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Case
from engine.studies.robust import RobustStudy


@register
class Table3(RobustStudy):
    """The defended networks under a fresh attack."""

    name = "robust.table3"
    title = "Robust clustering, table 3: the re-attack"
    summary = (
        "Defended networks under a fresh attack of the same weight; beside them as many steps without the"
        " defence, and two other defences."
    )
    figure = "arms"
    place = 3
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "Attacked anew, a defended network keeps more ACC than one trained as long without defence",
            "acc",
            {"arm": "defended"},
            [{"arm": "control"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Network by network, dimension by dimension: the defence and its control; then the other arms at one
        dimension.
        """
        rows = [
            self.row(column, arm, "fresh_attack", "table3" if arm == "defended" else "")
            for column in self.columns_measured()
            for arm in ("defended", "control")
        ]
        rows += self.other_arms(("fresh_attack",))
        return rows + list(self.published_alone("table3", "defended", "fresh_attack"))
