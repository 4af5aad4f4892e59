"""Where on a training page each metric belongs: read off what the metric declares, so that a new one has its
place without a line here.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.measured import between_0_and_1
from app.words import _

Entry = Mapping[str, Any]
"""An entry of the catalogue."""
SCORE, ATTACKED, ANGLE, NORM, OTHER = "score", "attacked", "angle", "norm", "other"


def place_of(metric: Entry) -> str | None:
    """In which figure a metric is drawn; None for marks and for what only explains another one."""
    if metric["unit"] == "0 or 1":
        return None
    if metric["of"] == "training":
        if metric["unit"] == "norm":
            return NORM
        wanted = metric["headline"] is not None
        return (ANGLE if metric["unit"] == "cosine" else OTHER) if wanted else None
    if metric["labels"] and between_0_and_1(metric):
        return SCORE
    return ATTACKED if metric["of"] == "attack" else OTHER


def named(metrics: Mapping[str, Entry], place: str) -> dict[str, str]:
    """Name -> title of the metrics of one figure, the first numbers first."""
    found = [(order(entry), name) for name, entry in metrics.items() if place_of(entry) == place]
    return {name: _(metrics[name]["title"]) for __, name in sorted(found)}


def first_of(names: Mapping[str, str], metrics: Mapping[str, Entry]) -> dict[str, str]:
    """Those of them that are among the first numbers of a result."""
    return {name: title for name, title in names.items() if metrics[name]["headline"] is not None}


def order(metric: Entry) -> tuple[int, float]:
    """Where a metric stands: those of the clean model, of an attack, of the training; the first numbers
    first.
    """
    kinds = ("model", "attack", "training")
    kind = kinds.index(metric["of"]) if metric["of"] in kinds else len(kinds)
    return kind, float("inf") if metric["headline"] is None else float(metric["headline"])


def present(table: pd.DataFrame, names: Mapping[str, str], x: str) -> dict[str, str]:
    """Those of `names` that the table has a value of."""
    if x not in table:
        return {}
    return {column: name for column, name in names.items() if column in table and table[column].notna().any()}
