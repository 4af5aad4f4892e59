"""`cross_entropy`: the loss that a classifier was trained on, made large; what robust accuracy under PGD is
published for.

    f(x') = −log softmax(s(x'))_y,    s the class logits, y the label

No value says whether the class is wrong: log c is enough, and less may be. Source: Madry, Makelov, Schmidt,
Tsipras and Vladu, ICLR 2018, arXiv:1706.06083.
"""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.data.views import Views
from engine.models.outputs import Outputs
from engine.models.protocols import Classifies, require
from engine.objectives.misclassify import Misclassify
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


@register
class CrossEntropy(ObjectiveSettings):
    """Raise the cross-entropy with the label."""

    name: ClassVar[str] = "cross_entropy"
    title: ClassVar[str] = "Raise the cross-entropy"
    summary: ClassVar[str] = "The cross-entropy of the model's classes and the label, as in published tables."
    source: ClassVar[str] = "Madry et al., ICLR 2018, arXiv:1706.06083"
    equation: ClassVar[str] = r"-\log \mathrm{softmax}(s(x'))_y"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    needs_labels: ClassVar[bool] = True
    success: ClassVar[str] = Misclassify.success
    effect: ClassVar[str] = "raises the cross-entropy to {value} nats"

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        """The cross-entropy of each sample with its own label."""
        classifier = require(model, Classifies, self.name)
        return lambda flat: cross_entropy(
            classifier.logits(clean.like(flat)).float(), labels, reduction="none"
        )

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the class is not the label; None without classes or labels."""
        return Misclassify().reached(before, after)
