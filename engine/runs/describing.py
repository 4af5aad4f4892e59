"""What the catalogue holds: every registered class, and the actions, described as plain JSON."""

from typing import Any

from engine import registry
from engine.runs.actions import ACTIONS
from engine.runs.spec import Action


def entries() -> dict[str, dict[str, Any]]:
    """kind -> name -> entry, the kind "action" included."""
    return registry.catalogue() | {"action": {name: _entry(action) for name, action in ACTIONS.items()}}


def _entry(action: type[Action]) -> dict[str, Any]:
    schema = action.model_json_schema()
    return {
        "name": action.name,
        "kind": "action",
        "title": action.title,
        "lane": action.lane,
        "about": action.about,
        "schema": schema,
        "defaults": _defaults(schema),
    }


def _defaults(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
