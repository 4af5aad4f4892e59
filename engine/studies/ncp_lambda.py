"""NCP-ACL against λ, how much attacked and clean embedding are kept together: the second number that a person
chooses, beside K. The paper has λ = 6 alone.
"""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import NCPStudy, more_robust
from engine.studies.protocols import Case

LAMBDAS = (0.0, 1.0, 2.0, 6.0, 12.0, 24.0)
PAPERS = {"lam": 6.0}


@register
class Weight(NCPStudy):
    """SA, RA and AA of NCP-ACL against λ."""

    name = "ncp.lambda"
    title = "NCP-ACL: accuracy against λ"
    summary = (
        "SA, RA and AA of the second stage with little weight on attacked pictures and with much; λ = 0 is"
        " the control that imitates its teacher on clean pictures alone."
    )
    figure = "lam"
    about_published = "The paper reports λ = 6 alone, DeACL's code takes 2: nothing is published against λ."
    claims: ClassVar[tuple[Claim, ...]] = (
        *more_robust("Control: λ = 6 is more robust than λ = 0", PAPERS, [{"lam": 0.0}]),
        Claim(
            "Control: robustness is paid for, λ = 1 has more SA than λ = 24",
            "sa",
            {"lam": 1.0},
            [{"lam": 24.0}],
        ),
    )
    place = 8

    def cases(self) -> list[Case]:
        """λ by λ."""
        return [self.row("ncp_acl", self.probe(self.encoder("ncp_acl", lam=lam)), lam=lam) for lam in LAMBDAS]
