"""NCP-ACL, table 4: the three strategies of its perturbation, and the teacher's in the same loop."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import NCPStudy, more_robust
from engine.studies.protocols import Case

STRATEGIES = {
    "away": "(i) away from the own cluster",
    "toward": "(ii) towards the neighbouring one",
    "both": "(iii) both",
}
TEACHER = "teacher"
BOTH = {"arm": "both"}
UNDEFENDED = [{"model": "simclr", "arm": arm} for arm in ("original", "equal_steps")]


@register
class Table4(NCPStudy):
    """What the encoder is trained against, and nothing else changed."""

    name = "ncp.table4"
    title = "NCP-ACL, table 4: strategies"
    summary = (
        "One second stage with three perturbations: away from the own cluster, towards the neighbouring one,"
        " both; beside them away from the teacher, as DeACL has it, and no second stage."
    )
    arms = STRATEGIES | {
        TEACHER: "away from the teacher (DeACL's), in the same loop",
        "original": "no second stage",
        "equal_steps": "no second stage, SimCLR for equal steps",
    }
    claims: ClassVar[tuple[Claim, ...]] = (
        *more_robust(
            "Both together make the most robust encoder", BOTH, [{"arm": "away"}, {"arm": "toward"}]
        ),
        *more_robust(
            "Control: it is the clusters that make it more robust than DeACL's perturbation",
            BOTH,
            [{"model": "deacl", "arm": TEACHER}],
        ),
        *more_robust("Control: any of it is more robust than training SimCLR longer", BOTH, UNDEFENDED),
    )
    lines = "arm"
    baseline = "equal_steps"
    place = 4

    def cases(self) -> list[Case]:
        """Strategy by strategy, then the controls."""
        rows = []
        for arm in STRATEGIES:
            row = self.row("ncp_acl", self.probe(self.encoder("ncp_acl", strategy=arm)), arm)
            rows.append(self.beside(row, "table4", strategy=arm))
        rows.append(self.row("deacl", self.probe(self.same_loop()), TEACHER))
        rows.append(self.row("simclr", self.probe(self.stage1()), "original"))
        rows.append(self.row("simclr", self.probe(self.longer()), "equal_steps"))
        return rows + self.alone("table4", tuple(STRATEGIES))
