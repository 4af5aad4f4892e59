"""`weighted_sum`: a weighted sum of objectives is an objective.

f(x') = Σ_i w_i f_i(x')
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import field_validator
from torch import nn

from engine import registry
from engine.data.views import Views
from engine.errors import SettingsError
from engine.objectives.protocols import Objective, ObjectiveSettings
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
        return parts

    def __hash__(self) -> int:
        return hash(json.dumps(self.values(), sort_keys=True))

    def bind(self, model: nn.Module, clean: Views) -> Objective:
        """Every part bound to the model and added up; stationary where all parts of non-zero weight are."""
        bound = [(weight, _built(part).bind(model, clean)) for weight, part in self.parts if weight != 0]
        if not bound:
            raise SettingsError(
                "weighted_sum.parts must hold a weight other than 0; got only zeros, and nothing is left to"
                " attack."
            )
        return Objective(
            lambda flat: sum(weight * part(flat) for weight, part in bound),  # type: ignore[arg-type, return-value]
            all(part.stationary_at_clean for _, part in bound),
        )


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
