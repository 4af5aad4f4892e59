"""What was measured of an attack, as the catalogue's metrics declare it."""

import re
from collections.abc import Mapping
from typing import Any

from app.address import connection
from app.words import _


def headlines(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics that stand among the first numbers of an attack and were measured here, in their order.

    An objective without success comes first, by its mean.
    """
    ranked = {
        name: entry
        for name, entry in of_attacks().items()
        if entry.get("headline") is not None and result.get(name) is not None
    }
    if _the_same(result, "success_rate", "flip_rate"):
        ranked.pop("success_rate", None)
    if result.get("success_rate") is None and result.get("objective_mean") is not None:
        ranked["objective_mean"] = of_attacks()["objective_mean"] | {"headline": 0}
    return dict(sorted(ranked.items(), key=lambda item: item[1]["headline"]))


def _the_same(result: Mapping[str, Any], one: str, other: str) -> bool:
    """Whether two rates of a result say the same, as success and flips where only the cluster counts."""
    parts = ("", "_low", "_high")
    return one in result and all(result.get(one + part) == result.get(other + part) for part in parts)


def of_attacks() -> dict[str, dict[str, Any]]:
    """The declared metrics of attacks."""
    return {
        name: entry for name, entry in connection.catalogue()["metric"].items() if entry.get("of") == "attack"
    }


def controls_of(name: str, metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The controls of a metric among these -> what it is held against, from their titles: "noise"."""
    return {
        control: _(said["title"]).rpartition(", ")[2]
        for control, said in metrics.items()
        if said.get("control_of") == name
    }


ZERO = re.compile(r"(?<!\d)[-+](?=0+(?:\.0+)?(?![.\d]))")
"""The sign of what was rounded to zero."""


def minus(number: str) -> str:
    """A formatted number with a minus sign in place of its hyphen, and none before a zero."""
    return ZERO.sub("", number).replace("-", "−")


def between_0_and_1(entry: Mapping[str, Any]) -> bool:
    """Whether a number is a share or an index: drawn from 0 to 1, and written with three decimals."""
    return entry["unit"] in ("share", "index")


def written(entry: Mapping[str, Any], value: float) -> str:
    """A measured number as it is shown: shares with three decimals."""
    return minus(f"{value:.3f}" if between_0_and_1(entry) else f"{value:.4g}")
