"""NCP-ACL, table 3: a linear layer that saw clean samples, and one that saw attacked ones."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import METHODS, NCPStudy, alike, more_robust
from engine.studies.protocols import Case

PROBES = ("linear_probe", "adversarial_probe")
ALF, SLF = ({"probe": name} for name in reversed(PROBES))


@register
class Table3(NCPStudy):
    """Standard and adversarial linear fine-tuning of every method."""

    name = "ncp.table3"
    title = "NCP-ACL, table 3: linear layers that saw attacked samples"
    summary = "The linear layer trained on clean samples and on attacked ones, for every method's encoder."
    arms = {"": "", "original": "no defence"}
    claims: ClassVar[tuple[Claim, ...]] = (
        *more_robust(
            "With a layer that saw attacked samples too, NCP-ACL is more robust than every other method",
            {"model": "ncp_acl", **ALF},
            [{"model": name} for name in METHODS if name != "ncp_acl"],
        ),
        *alike(
            "For NCP-ACL it makes little difference which samples the layer saw",
            {"model": "ncp_acl", **ALF},
            [SLF],
        ),
        *more_robust(
            "Control: without a defence, a layer that saw attacked samples is more robust",
            {"model": "simclr", **ALF},
            [SLF],
        ),
    )
    place = 3

    def cases(self) -> list[Case]:
        """Method by method, both layers; then the published cells that nothing stands beside."""
        rows = []
        for model in ("simclr", *METHODS):
            encoder = self.stage1() if model == "simclr" else self.encoder(model)
            for probe in PROBES:
                arm = "original" if model == "simclr" else ""
                row = self.row(model, self.probe(encoder, model=probe), arm, probe=probe)
                rows.append(self.beside(row, "table3", model=model, probe=probe))
        return rows + self.alone("table3", METHODS)
