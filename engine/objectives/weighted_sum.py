"""`weighted_sum`: a weighted sum of objectives is an objective.

f(x') = Σ_i w_i f_i(x')
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from pydantic import field_validator
from torch import Tensor, nn

from engine import registry
from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.outputs import Outputs
from engine.objectives.protocols import Objective, ObjectiveSettings, added
from engine.registry import register
from engine.settings import knob


@register
class WeightedSum(ObjectiveSettings):
    """Several objectives at once, each with its weight; a negative weight is a penalty."""

    name: ClassVar[str] = "weighted_sum"
    title: ClassVar[str] = "Weighted sum"
    summary: ClassVar[str] = "Several objectives, each with a weight; a negative weight makes one a penalty."
    source: ClassVar[str] = "Feint"
    equation: ClassVar[str] = r"\sum_i w_i f_i(x')"
    success: ClassVar[str] = "is where every part with a positive weight wants it"

    parts: tuple[tuple[float, dict[str, Any]], ...] = knob(
        ((1.0, {"name": "leave_cluster"}), (-1.0, {"name": "reconstruction_change"})),
        "Parts",
        'Pairs (weight, {"name": objective, and its fields}).',
        min_length=1,
    )

    @field_validator("parts")
    @classmethod
    def _known(
        cls, parts: tuple[tuple[float, dict[str, Any]], ...]
    ) -> tuple[tuple[float, dict[str, Any]], ...]:
        for _, part in parts:
            _built(part)
        if not any(weight for weight, _ in parts):
            raise SettingsError(
                "weighted_sum.parts must hold a weight other than 0; got only zeros, and nothing is left to"
                " attack."
            )
        return parts

    def __hash__(self) -> int:
        return hash(json.dumps(self.values(), sort_keys=True))

    def bind(self, model: nn.Module, clean: Views, labels: Tensor | None = None) -> Objective:
        """Every part bound to the model and added up; stationary where all parts of non-zero weight are."""
        bound = [
            (weight, _built(part).bind(model, clean, labels)) for weight, part in self.parts if weight != 0
        ]
        return added(bound)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where every part of positive weight is, of those that have such a notion."""
        every = [_built(part).reached(before, after) for weight, part in self.parts if weight > 0]
        known = [found for found in every if found is not None]
        return torch.stack(known).all(dim=0) if known else None

    def more_of(self, model: nn.Module, views: Views) -> dict[str, Tensor]:
        """What every part of positive weight needs."""
        every = [_built(part).more_of(model, views) for weight, part in self.parts if weight > 0]
        return {name: value for more in every for name, value in more.items()}

    def without_penalties(self) -> ObjectiveSettings:
        """The sum of the parts of positive weight; where that is one, the part itself."""
        wanted = tuple((weight, part) for weight, part in self.parts if weight > 0)
        if len(wanted) == 1:
            return _built(wanted[0][1])
        return self if len(wanted) in (0, len(self.parts)) else WeightedSum(parts=wanted)

    def every_need(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Those of the parts of non-zero weight."""
        for weight, part in self.parts:
            if weight != 0:
                yield from _built(part).every_need()

    def asks_labels(self) -> bool:
        """Whether a part of non-zero weight needs labels."""
        return any(_built(part).asks_labels() for weight, part in self.parts if weight != 0)


def _built(part: dict[str, Any]) -> ObjectiveSettings:
    if "name" not in part:
        raise SettingsError(
            f'weighted_sum.parts must be pairs (weight, {{"name": objective, ...}}); got {part!r} without a'
            " name."
        )
    return registry.find("objective", str(part["name"]))(
        **{name: value for name, value in part.items() if name != "name"}
    )


def combine(name: str, lam: float = 0.0, fields: Mapping[str, Any] | None = None) -> ObjectiveSettings:
    """The objective called `name` with its `fields`, minus lam · reconstruction_change where lam is not 0.

    Raises UnknownName for a name that no objective has and SettingsError for a field outside its limits.
    """
    plain = _built({"name": name, **(fields or {})})
    return (
        WeightedSum(
            parts=((1.0, {"name": name, **plain.values()}), (-lam, {"name": "reconstruction_change"}))
        )
        if lam
        else plain
    )
