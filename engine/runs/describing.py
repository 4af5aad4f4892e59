"""What the catalogue holds: every registered class, and the actions, described as plain JSON."""

from typing import Any

from engine import registry
from engine.runs.actions import ACTIONS


def entries() -> dict[str, dict[str, Any]]:
    """kind -> name -> entry, the kind "action" included."""
    actions = {name: {"name": name, "kind": "action", "title": action.title, "lane": action.lane, "about": action.about,
                      "schema": action.model_json_schema(), "defaults": _defaults(action.model_json_schema())} for name, action in ACTIONS.items()}
    return registry.catalogue() | {"action": actions}


def _defaults(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
