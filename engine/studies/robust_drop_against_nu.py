"""Robust clustering: what a fresh attack of any weight ν does to base and defended networks."""

from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Case
from engine.studies.robust import ATTACKED_SCORES, CONTROLS, NETWORKS, OverNu


@register
class DropAgainstNu(OverNu):
    """What a fresh attack of any weight does to base and defended networks."""

    name = "robust.drop_against_nu"
    title = "Robust clustering: the drop against ν"
    summary = (
        "Base, defended and control networks under fresh attacks of every ν: a defence against one attack is"
        " no defence against all."
    )
    figure = "against_nu"
    tab = "strength"
    place = 5
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "Fewer samples of the defended network change their cluster",
            "flip_rate",
            {"arm": "base"},
            [{"arm": "defended"}],
        ),
        Claim(
            "Control: fewer than of the network that was trained as long without the defence",
            "flip_rate",
            {"arm": "control"},
            [{"arm": "defended"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Network by network, arm by arm, ν by ν."""
        column = self.one_column()
        return [
            Case(
                network,
                {"data": column.data, "dimension": column.dimension, "nu": nu},
                self.of_arm(arm, network, column.data, column.dimension),
                self.attack(column.data, nu),
                arm,
                "fresh_attack",
                ATTACKED_SCORES | {"flip_rate": "flip_rate"},
                CONTROLS,
            )
            for network, arm, nu in product(NETWORKS, ("base", "defended", "control"), self.nus)
        ]
