"""What an attacker wants: one objective a file, found by the registry."""

from collections.abc import Mapping
from typing import Any

from engine import registry
from engine.objectives.protocols import ObjectiveSettings


def combine(name: str, lam: float = 0.0, fields: Mapping[str, Any] | None = None) -> ObjectiveSettings:
    """The objective called `name` with its `fields`, minus lam · reconstruction_change where lam is not 0.

    Raises UnknownName for a name that no objective has and SettingsError for a field outside its limits.
    """
    plain = registry.find("objective", name)(**(fields or {}))
    if lam == 0:
        return plain  # type: ignore[return-value]
    parts = ((1.0, {"name": name, **plain.values()}), (-lam, {"name": "reconstruction_change"}))
    return registry.find("objective", "weighted_sum")(parts=parts)  # type: ignore[return-value]
