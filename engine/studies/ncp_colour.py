"""NCP-ACL on colour pictures: a copy of the paper's data, and a residual network that two cores can train."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from engine.registry import register
from engine.settings import knob
from engine.studies.claims import Claim
from engine.studies.ncp import NCPStudy, more_robust
from engine.studies.protocols import Case

COMPARED = ("deacl", "ncp_acl")
MEASURED = ("ra", "aa_lite")


@register
class Colour(NCPStudy):
    """No defence, DeACL, NCP-ACL, and DeACL's perturbation in the loop of NCP-ACL."""

    name = "ncp.colour"
    title = "NCP-ACL on colour pictures"
    summary = (
        "A small residual network on CIFAR-10 in JPEG: without a defence, with DeACL, with NCP-ACL, and with"
        " DeACL's perturbation in NCP-ACL's loop."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "mini": (
            "Against the published settings: 10,000 training and 2,000 test images of CIFAR-10 in JPEG"
            " (50,000 and 10,000 of the release), a residual network of three blocks, 16 to 64 wide"
            " (ResNet-18), 60 epochs of SimCLR (1,000) and 10 of the second stage (200), K = 20, ε = 8/255,"
            " 500 test rows; AA-lite, on 100 of them: APGD-CE and APGD-T of 25 steps, 3 targets, Square of"
            " 200 queries, no FAB."
        ),
    }
    measured_on = {"mini": "CIFAR-10 (JPEG), 10,000 for training, a small residual network"}
    arms = {"": "", "original": "no defence", "same_loop": "DeACL's perturbation, same loop"}
    claims: ClassVar[tuple[Claim, ...]] = (
        *more_robust(
            "NCP-ACL is more robust than DeACL",
            {"model": "ncp_acl"},
            [{"model": "deacl", "arm": ""}],
            MEASURED,
        ),
        *more_robust(
            "Control: perturbations by clusters are more robust than DeACL's in the same loop",
            {"model": "ncp_acl"},
            [{"model": "deacl", "arm": "same_loop"}],
            MEASURED,
        ),
    )
    place = 9

    size: Literal["mini"] = knob("mini", "Size", "mini: CIFAR-10 in JPEG, reduced.")

    @property
    def set(self) -> str:
        """The data."""
        return "cifar10_jpeg_mini"

    @property
    def epsilon(self) -> float:
        """The published radius."""
        return 8 / 255

    @property
    def made_by(self) -> str:
        """The preset of both stages."""
        return "small"

    @property
    def of_stage1(self) -> Mapping[str, Any]:
        """Nothing beside the preset."""
        return {}

    def cases(self) -> list[Case]:
        """No defence, then method by method, then the control."""
        rows = [self.row("simclr", self.probe(self.stage1()), "original")]
        for model in COMPARED:
            row = self.row(model, self.probe(self.encoder(model)))
            rows.append(self.beside(row, "table2", model=model))
        return [*rows, self.row("deacl", self.probe(self.same_loop()), "same_loop")]
