"""`leave_teacher`: away from what the frozen teacher makes of the clean sample; DeACL's perturbation.

    f(x') = −cos(z(x'), t(x)) = ½‖z(x')/|z(x')| − t(x)/|t(x)|‖² − 1,    t the teacher's embedding

A student that is its teacher still sits at the minimum at δ = 0, with no gradient: an attack starts beside
the clean sample. As a squared distance the gradient is exactly zero there, and small angles are not lost in
rounding. Source: Zhang et al., "Decoupled adversarial contrastive learning for self-supervised adversarial
robustness", ECCV 2022, arXiv:2207.10899.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from engine.data.views import Views
from engine.models.protocols import Encodes, Imitates, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


def departure(z: Tensor, teacher: Tensor) -> Tensor:
    """The negative cosine of embeddings z (b, m) and what the teacher gives (b, m): (b,)."""
    return (normalize(z.float()) - normalize(teacher.float())).square().sum(dim=1) / 2 - 1


@register
class LeaveTeacher(ObjectiveSettings):
    """Turn the embedding away from the teacher's."""

    name: ClassVar[str] = "leave_teacher"
    title: ClassVar[str] = "Turn away from the teacher"
    summary: ClassVar[str] = (
        "The negative cosine of the embedding and what the frozen teacher made of the clean sample."
    )
    source: ClassVar[str] = "Zhang et al., ECCV 2022, arXiv:2207.10899"
    equation: ClassVar[str] = r"-\cos(z(x'), t(x))"
    needs: ClassVar[tuple[str, ...]] = ("imitates", "encodes")
    stationary_at_clean: ClassVar[bool] = True
    effect: ClassVar[str] = "turns the embedding to a negative cosine of {value} with its teacher's"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The departure from what the teacher makes of each clean sample."""
        encoder, imitator = require(model, Encodes, self.name), require(model, Imitates, self.name)
        with torch.no_grad():
            teacher = imitator.teacher(clean).float()
        return lambda flat: departure(encoder.encode(clean.like(flat)), teacher)
