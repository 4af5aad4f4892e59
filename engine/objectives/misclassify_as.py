"""`misclassify_as`: the targeted form of `misclassify`.

    f(x') = s_t(x') − max_{j ≠ t} s_j(x'),    s the class logits, t the class to be taken for

Positive exactly where the class is t. Source: Carlini and Wagner, "Towards evaluating the robustness of
neural networks", S&P 2017, arXiv:1608.04644.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.outputs import Outputs, margin
from engine.models.protocols import Classifies, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register
from engine.settings import knob


@register
class MisclassifyAs(ObjectiveSettings):
    """Make one class win."""

    name: ClassVar[str] = "misclassify_as"
    title: ClassVar[str] = "Misclassify as"
    summary: ClassVar[str] = "The margin in logits by which the chosen class beats all others."
    source: ClassVar[str] = "Carlini and Wagner, S&P 2017, arXiv:1608.04644"
    equation: ClassVar[str] = r"s_t(x') - \max_{j \neq t} s_j(x')"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    success: ClassVar[str] = "is taken for the chosen class"
    reached_above: ClassVar[float | None] = 0.0
    effect: ClassVar[str] = "reaches a margin of {value}"

    wanted: int = knob(0, "Wanted class", "The class to be taken for, counted from 0.", symbol="t", ge=0)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The margin of the wanted class. Raises SettingsError for a class the model does not have."""
        classifier = require(model, Classifies, self.name)
        with torch.no_grad():
            classes = classifier.logits(clean.like(clean.flat()[:1])).shape[1]
        if self.wanted >= classes:
            raise SettingsError(
                f"misclassify_as.wanted must be between 0 and {classes - 1}; got {self.wanted}. The model has"
                f" the classes 0 to {classes - 1}."
            )
        return lambda flat: margin(
            classifier.logits(clean.like(flat)).float(),
            flat.new_full((len(flat),), self.wanted, dtype=torch.long),
        )

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the class is the wanted one."""
        return None if after.predicted is None else after.predicted == self.wanted
