"""Which of a result's numbers are said first, as the metrics in the catalogue declare it. Torch-free."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 5
"""How many are said where there is a line for them."""
CONTROLS = ("noise_", "other_delta_")
"""What the name of a rate under a control begins with."""


def headlines(measured: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of at most MOST numbers that were measured: scores in the order of their `headline`, then the
    first rate that has a control under noise, with that control.
    """
    known = [name for name in ranked(metrics) if _is_number(measured.get(name))]
    rates = controlled(known, metrics)[:1]
    beside = [f"noise_{name}" for name in rates if _is_number(measured.get(f"noise_{name}"))]
    controls = {control + name for control in CONTROLS for name in metrics}
    scores = [name for name in known if name not in controls and name not in controlled(known, metrics)]
    return scores[: MOST - len(rates) - len(beside)] + rates + beside


def ranked(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every metric that is declared to be among the first numbers, in their order; those of a training follow
    those of what came of it.
    """
    first = (name for name, said in metrics.items() if said.get("headline") is not None)
    return sorted(
        first, key=lambda name: (metrics[name].get("of") == "training", metrics[name]["headline"], name)
    )


def controlled(names: Sequence[str], metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those of the names that are measured under noise too."""
    return [name for name in names if f"noise_{name}" in metrics]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
