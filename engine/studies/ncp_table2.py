"""NCP-ACL, table 2: methods of robust contrastive learning, as a linear layer reads their encoders."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import METHODS, NCPStudy, more_robust
from engine.studies.protocols import Case

OTHERS = [{"model": name} for name in METHODS if name != "ncp_acl"]
OURS = {"model": "ncp_acl", "arm": "", "branch": "adversarial"}


@register
class Table2(NCPStudy):
    """Every method, and the undefended encoder."""

    name = "ncp.table2"
    title = "NCP-ACL, table 2: the methods"
    summary = (
        "Accuracy of a linear layer on encoders of every method: clean, under PGD and under AutoAttack;"
        " beside SimCLR without a defence, also for as many steps, and both branches of the normalisation."
    )
    arms = {"": "", "original": "no defence", "equal_steps": "no defence, for equal steps"}
    claims: ClassVar[tuple[Claim, ...]] = (
        *more_robust("NCP-ACL is more robust than every other method", OURS, OTHERS),
        Claim("NCP-ACL has more SA than every other method (but for one on CIFAR-100)", "sa", OURS, OTHERS),
        *more_robust(
            "Control: read through the adversarial branch it is more robust than through the clean one",
            {"branch": "adversarial"},
            [{"branch": "clean"}],
        ),
    )
    place = 2

    def cases(self) -> list[Case]:
        """No defence, then method by method, of NCP-ACL both branches; then the published cells alone."""
        rows = [self.row("simclr", self.probe(self.stage1()), "original")]
        rows.append(self.row("simclr", self.probe(self.longer()), "equal_steps"))
        for model in METHODS:
            row = self.row(model, self.probe(self.encoder(model)), branch="adversarial")
            rows.append(self.beside(row, "table2", model=model))
        clean = self.probe(self.encoder("ncp_acl"), "clean")
        rows.append(self.row("ncp_acl", clean, branch="clean"))
        return rows + self.alone("table2", METHODS)
