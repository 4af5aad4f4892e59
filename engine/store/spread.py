"""How the scores of a zoo entry's method spread over seeds, as `zoo --spread` left it beside the entry."""

from collections.abc import Mapping
from typing import Any

from engine.store.files import read_json
from engine.store.run import Run

FILE = "spread.json"


def of(run: Run) -> dict[str, Any]:
    """`seeds`, `clean` and `attacked`, numbers as mean, spread and values by seed; {} where nothing was
    measured.
    """
    return read_json(run.folder / FILE) if run.zoo else {}


def in_words(run: Run) -> list[str]:
    """What it came to, a sentence each: over seeds clean, then under every ε of an attack, with the strongest
    beside it.
    """
    found = of(run)
    if not found:
        return []
    seeds = f"Over {found['seeds']} seeds" if found["seeds"] > 1 else "One seed"
    clean = [f"{name.upper()} {_number(value)}" for name, value in found["clean"].items()]
    said = [f"{seeds}, clean: {', '.join(clean)}."] if clean and found["seeds"] > 1 else []
    return said + [f"{seeds}, {_attacked(each)}" for each in found["attacked"]]


def _attacked(each: Mapping[str, Any]) -> str:
    said = f"{each['attack'].upper()} at ε = {each['epsilon']:g}: {_share(each['success_rate'])} leave their"
    said += f" cluster (noise {_share(each['noise_success_rate'])})"
    if "acc_attacked_fixed_match" in each:
        said += f", ACC {_number(each['acc_attacked_fixed_match'])} with the clean matching"
    if "strongest_success_rate" not in each:
        return f"{said}."
    best, missed = each["strongest_success_rate"]["mean"], each["strongest_missed"]["mean"]
    return (
        f"{said}; of the first {each['strongest_n']} samples {best - missed:.0%}, by the strongest attack"
        f" {best:.0%}."
    )


def _number(value: Mapping[str, Any]) -> str:
    """ "0.842 ± 0.086 (0.752 – 0.934)"; of one seed its value."""
    if value["spread"] is None:
        return f"{value['mean']:.3f}"
    ends = f"{min(value['seeds']):.3f} – {max(value['seeds']):.3f}"
    return f"{value['mean']:.3f} ± {value['spread']:.3f} ({ends})"


def _share(value: Mapping[str, Any]) -> str:
    return f"{value['mean']:.0%}" + ("" if value["spread"] is None else f" ± {100 * value['spread']:.0f}")
