"""`misclassify`: the margin by which a wrong class beats the true one.

    f(x') = max_{j ≠ y} s_j(x') − s_y(x'),    s the class logits, y the label

Positive exactly where the class is wrong. Source: Carlini and Wagner, "Towards evaluating the robustness of
neural networks", S&P 2017, arXiv:1608.04644.
"""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from engine.data.views import Views
from engine.models.outputs import Outputs, margin
from engine.models.protocols import Classifies, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.objectives.towards import ToClass, groups
from engine.registry import register
from engine.settings import Settings


@register
class Misclassify(ObjectiveSettings):
    """Make a wrong class win."""

    name: ClassVar[str] = "misclassify"
    title: ClassVar[str] = "Misclassify"
    summary: ClassVar[str] = "The margin in logits by which the best wrong class beats the label's."
    source: ClassVar[str] = "Carlini and Wagner, S&P 2017, arXiv:1608.04644"
    equation: ClassVar[str] = r"\max_{j \neq y} s_j(x') - s_y(x')"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    needs_labels: ClassVar[bool] = True
    success: ClassVar[str] = "is taken for another class"
    reached_above: ClassVar[float | None] = 0.0
    effect: ClassVar[str] = "reaches a margin of {value}"

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """What else is tried for the same success."""
        return (ToClass,)

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        """The negative margin of each sample's own class."""
        classifier = require(model, Classifies, self.name)
        return lambda flat: -margin(classifier.logits(clean.like(flat)).float(), labels)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the class is not the label; None without classes or labels."""
        if after.predicted is None or before.labels is None:
            return None
        return after.predicted != before.labels

    def alternatives(
        self, model: nn.Module, clean: Views, targets: int | None
    ) -> Iterator[ObjectiveSettings]:
        """Towards each wrong class, the nearest first."""
        classes = groups(require(model, Classifies, self.name).logits, clean)
        yield from (ToClass(rank=rank) for rank in range(classes - 1)[:targets])
