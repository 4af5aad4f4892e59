"""DeACL: a student learns from its frozen teacher, and the attack that it is trained against turns it away
from that teacher.

    x' = argmax −cos(f(x'), t(x)),    L = −cos(f(x), t(x)) − λ cos(f(x'), f(x))

As published, clean and attacked pictures are normalised in one batch and λ = 2; the presets `same_loop` have
the two normalisations and the λ of NCP-ACL, so that the two differ in the attack alone. Source: Zhang et al.,
"Decoupled adversarial contrastive learning for self-supervised adversarial robustness", ECCV 2022,
arXiv:2207.10899, and its code.
"""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from engine.data.views import Views
from engine.defences.imitating import SAME_LOOP, Imitating
from engine.defences.ncp_acl import NCPACL
from engine.defences.second_stage import DEACL
from engine.models.declared import Arm, Qualifier
from engine.models.state import State
from engine.objectives.leave_teacher import departure
from engine.registry import register
from engine.settings import knob


@register
class DeACL(Imitating):
    """Settings of the student and of its training."""

    name: ClassVar[str] = "deacl"
    title: ClassVar[str] = "DeACL"
    source: ClassVar[str] = "Zhang et al., ECCV 2022, arXiv:2207.10899"
    equation: ClassVar[str] = (
        r"L = -\cos(f(x), t(x)) - \lambda \cos(f(x'), f(x)), \quad x' = \mathrm{argmax}\, -\cos(f(x'), t(x))"
    )
    summary: ClassVar[str] = (
        "A defence: a contrastive encoder learns to keep pictures where they are that are pushed away from"
        " what its teacher made of them."
    )
    compared_with: ClassVar[tuple[Arm, ...]] = NCPACL.compared_with
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (Qualifier("dual_norm", " in NCP-ACL's loop", True),)
    presets = {
        **NCPACL.presets,
        "cifar10": {**NCPACL.presets["cifar10"], "epochs": 100, "warm_up": 0.1},
        **{f"{name}_same_loop": {**values, **SAME_LOOP} for name, values in NCPACL.presets.items()},
    }

    lam: float = knob(
        2.0,
        "Weight of attacked pictures",
        "How much attacked and clean embedding are kept together.",
        symbol="λ",
        source=DEACL,
        ge=0,
        le=1000,
    )
    dual_norm: bool = knob(
        False,
        "Dual normalisation",
        "Clean and attacked pictures are normalised apart; else in one batch, as published.",
        source=DEACL,
    )

    def wanted(self, state: State, x: Views, index: Tensor, teacher: Tensor) -> Callable[[Tensor], Tensor]:
        """The negative cosine with what the teacher makes of each picture."""
        return lambda z: departure(z, teacher)
