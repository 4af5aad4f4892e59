"""NCP-ACL, figure 3: accuracy against the number of clusters."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import NCPStudy, alike, more_robust
from engine.studies.protocols import Case

CLUSTERS = {"quick": (5, 10, 20, 40, 80), "mini": (5, 10, 20, 40), "paper": (10, 20, 40, 70, 100)}
ENOUGH = {"clusters": 20}


@register
class Figure3(NCPStudy):
    """SA, RA and AA of NCP-ACL against K."""

    name = "ncp.figure3"
    title = "NCP-ACL, figure 3: accuracy against K"
    summary = "SA, RA and AA of the second stage with few clusters and with many."
    figure = "clusters"
    about_published = (
        "Of this figure the text quotes one point: CIFAR-100 with K = 10, one seed; with K = 150 table 2 has"
        " SA 0.51, RA 0.3201 and AA 0.2332."
    )
    claims: ClassVar[tuple[Claim, ...]] = (
        *alike(
            "From K = 20 on RA and AA are not sensitive to K: at most 2 points",
            ENOUGH,
            [{"clusters": 40}, {"clusters": 80}],
        )[1:],
        *more_robust(
            "With too few clusters, 5 or 10, it is less robust", ENOUGH, [{"clusters": 5}, {"clusters": 10}]
        ),
    )
    place = 7

    def cases(self) -> list[Case]:
        """K by K; then the quoted point."""
        rows = []
        for clusters in CLUSTERS[self.size]:
            rows.append(self.row("ncp_acl", self.probe(self.encoder("ncp_acl", clusters)), clusters=clusters))
        return rows + self.alone("figure3", ())
