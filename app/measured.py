"""What was measured of an attack, as the catalogue's metrics declare it."""

from collections.abc import Mapping
from typing import Any

from app.address import connection


def headlines(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics that stand among the first numbers of an attack and were measured here, in their order."""
    ranked = {
        name: entry
        for name, entry in of_attacks().items()
        if entry.get("headline") is not None and result.get(name) is not None
    }
    return dict(sorted(ranked.items(), key=lambda item: item[1]["headline"]))


def of_attacks() -> dict[str, dict[str, Any]]:
    """The declared metrics of attacks."""
    return {
        name: entry for name, entry in connection.catalogue()["metric"].items() if entry.get("of") == "attack"
    }


def written(entry: Mapping[str, Any], value: float) -> str:
    """A measured number as it is shown: shares with three decimals."""
    return f"{value:.3f}" if entry["unit"] == "share" else f"{value:.4g}"
