"""A form's changes as one parameter of the address: what differs from the preset, as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.address import links
from app.address.notices import notice
from app.forms import possible
from app.forms.fields import Knob, complaint, in_words, leaves
from app.words import _
from engine.store.spec import Spec

TYPES: dict[str, Any] = {
    "boolean": bool,
    "text": str,
    "numbers": list,
    "integer": int,
    "number": int | float,
}
"""Kind of a field -> the type of its values."""


def brought(parameter: str, written: str | None) -> str:
    """What a link says of a form that has `written` something else itself; "" where it says nothing new."""
    text = links.value(parameter, "")
    return "" if text == (written or "") else text


def changes_of(text: str, owner: str, knobs: Sequence[Knob]) -> dict[str, Any]:
    """The changes that a link holds; of each that cannot be, a notice."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        told = _("The link's settings of {owner} cannot be read; its defaults are used instead.")
        notice(told.format(owner=owner))
        return {}
    known = {knob.path: knob for knob in leaves(knobs)}
    found = {}
    for path, value in said.items():
        wrong = _wrong(owner, known.get(path), path, value)
        if wrong:
            told = _("The link says {path}={value}: {wrong} Its default is used instead.")
            notice(told.format(path=path, value=str(value)[:40], wrong=wrong))
        else:
            number = known[path].kind == "number" and value is not None
            found[path] = float(value) if number else value
    return found


def of_attack(spec: Spec) -> dict[str, str]:
    """The parameters that hold the settings of an attack run, of its attack and of its objective."""
    attack = possible.entry("attack", spec.name)["defaults"]
    objective = possible.entry("objective", spec.settings.get("objective", ""))["defaults"]
    said = (
        ("attack_settings", attack, spec.settings.get("attack_settings", {}), "steps"),
        ("objective_settings", objective, spec.settings.get("objective_settings", {}), "cluster"),
    )
    return {
        parameter: text_of(
            {name: value for name, value in settings.items() if name != own and value != defaults.get(name)}
        )
        for parameter, defaults, settings, own in said
    }


def text_of(changes: Mapping[str, Any]) -> str:
    """Changes as the address has them; "" where there are none."""
    return json.dumps(changes, separators=(",", ":"), ensure_ascii=False) if changes else ""


def _wrong(owner: str, knob: Knob | None, path: str, value: Any) -> str | None:
    """Why a value is none for a field, as a sentence."""
    if knob is None:
        return _("{owner} has no such setting.").format(owner=owner)
    if value is None and knob.optional:
        return None
    kind: dict[str, Any] = {
        "boolean": bool,
        "text": str,
        "numbers": list,
        "integer": int,
        "number": int | float,
    }
    right = (
        value in knob.options
        if knob.kind == "choice"
        else isinstance(value, kind[knob.kind])
        and (knob.kind == "boolean" or not isinstance(value, bool))
        and (not isinstance(value, float) or math.isfinite(value))
    )
    if not right:
        told = _("{field} must be such as {default}.")
        return told.format(field=f"{owner}.{path}", default=in_words(knob.default))
    return complaint(owner, knob, value)
