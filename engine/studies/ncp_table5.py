"""NCP-ACL, table 5: which of the neighbouring clusters the perturbation goes to."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import NCPStudy, alike
from engine.studies.protocols import Case

NEIGHBOURS = (2, 3, 4, 5)


@register
class Table5(NCPStudy):
    """The n-th nearest centroid, n from 2 to 5."""

    name = "ncp.table5"
    title = "NCP-ACL, table 5: which neighbour"
    summary = (
        "The second stage with perturbations towards the second, third, fourth and fifth nearest cluster."
    )
    claims: ClassVar[tuple[Claim, ...]] = alike(
        "It makes little difference which neighbour is chased: at most 2 points",
        {"neighbour": 2},
        [{"neighbour": n} for n in NEIGHBOURS[1:]],
    )
    place = 5

    def cases(self) -> list[Case]:
        """n by n."""
        rows = []
        for n in NEIGHBOURS:
            row = self.row("ncp_acl", self.probe(self.encoder("ncp_acl", neighbour=n)), neighbour=n)
            rows.append(self.beside(row, "table5", neighbour=n))
        return rows + self.alone("table5", tuple(map(str, NEIGHBOURS)))
