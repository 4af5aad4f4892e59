"""The levels of one sample's ladder: along what they lie, which is shown, and where one may jump.

The address holds where a ladder stands as a value of its own axis, never as the number of a level: so a link
means the same on every ladder, and one axis knows nothing of another's.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from app.address import links
from app.components.ladder import Drawing, ladder
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import Threat, largest, sizes
from app.words import N_, _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import TOP, Axis, epsilon_text

OVER = {
    "epsilon": N_("over ε"),
    "path": N_("over the path T"),
    "lambda": N_("over λ"),
    "compressed": N_("over K"),
}
"""What a ladder's axis is called where one is chosen."""
NAMES = {"epsilon": "ε", "path": N_("step"), "lambda": "λ", "nu": "ν", "compressed": "K"}
"""What a level of it is called."""
PARAMETERS = {
    "epsilon": ("eps", Threat().epsilon),
    "path": ("step", 0),
    "lambda": ("lambda", 0.0),
    "nu": ("nu", 0.0),
    "compressed": ("k", 0),
}
"""Axis of a ladder -> the parameter that holds where it stands, and what that is while nobody has chosen."""

WHOLE = ("path", "compressed")
"""Axes whose levels are whole numbers."""


def axis_of_address(victim: Victim) -> str:
    """The axis that the address asks for, where an attack on this model can be followed along it."""
    method = victim.run.spec.name
    known = {
        axis
        for objective in possible.objectives(method, victim.labelled)
        for attack in possible.attacks(method, objective)
        for axis in possible.axes(method, attack, objective)
    }
    return links.value("tab", "epsilon", lambda name: name in known)


def choose_axis(victim: Victim, threat: Threat) -> str:
    """Along what the ladder is drawn: what this attack, objective and model allow."""
    options = possible.axes(victim.run.spec.name, threat.attack, threat.objective)
    chosen = str(
        st.segmented_control(
            _("Ladder"),
            options,
            key=links.key("tab", options[0], lambda name: name in options),
            format_func=lambda name: _(OVER[name]),
            required=True,
            label_visibility="collapsed",
        )
    )
    for other in set(options) - {chosen}:  # a link says their defaults too, where nobody stands
        links.unsay(*PARAMETERS[other])
    return chosen


def drawn(drawing: Drawing, key: str) -> int:
    """Draw a ladder where the address says, else where it begins; the level at which it stands.

    What is let go is chosen, and the URL holds the value at which the picture stands, chosen or not.
    """
    answer = drawing.answer
    name, value = PARAMETERS[answer.axis][0], _chosen_value(answer)
    level = answer.start if value is None else _nearest(answer.levels, value)
    kept = st.session_state.setdefault("ladder", {"value": value, "count": 0})
    if value is not None and kept["value"] not in (None, value):
        kept["count"] += 1  # chosen elsewhere: another ladder, which nobody has let go yet
    kept["value"] = value
    widget = f"{key}-{answer.axis}-{kept['count']}"

    def let_go() -> None:
        there = st.session_state[widget].get("level")
        if isinstance(there, int) and 0 <= there < len(answer.levels):
            put(answer, there)
            st.session_state["ladder"]["value"] = _chosen_value(answer)

    ladder(drawing, key=widget, level=level, on_level=let_go)
    links.show(name, _value(answer, level))
    return level


def put(answer: LadderAnswer, level: int) -> None:
    """Choose a level of a ladder: its value goes into the address."""
    links.put(PARAMETERS[answer.axis][0], _value(answer, level))


def axis(threat: Threat, name: str) -> Axis:
    """The levels of a threat's ladder. One over ε goes as far as any ε that was asked for, also once a
    smaller one is chosen, else it would change under the hand.
    """
    if name != "epsilon":
        return threat.axis(name)
    said = links.value("top", "", lambda text: not text or 0 <= _number(text) <= largest(threat.norm))
    top = max(TOP[threat.norm], _number(said or "0"), threat.epsilon)
    if top > TOP[threat.norm]:
        links.put("top", f"{top:.6g}")
    return Axis.of_epsilon(threat.norm, top)


def _chosen_value(answer: LadderAnswer) -> float | None:
    """Where the address says that a ladder stands; None while nobody has chosen."""
    value = links.chosen_value(*PARAMETERS[answer.axis])
    return None if value is None else float(value)


def _value(answer: LadderAnswer, level: int) -> float | int:
    """The value of a level, as the address has it."""
    there = answer.levels[level]
    return int(there) if answer.axis in WHOLE else float(there)


def _number(text: str) -> float:
    """The number that a text says, NaN where it says none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _nearest(levels: Sequence[float], value: float) -> int:
    return int(np.abs(np.array(levels) - value).argmin())


def jump(answer: LadderAnswer) -> None:
    """Sizes that people can judge by eye, as places on a ladder over ε."""
    offered = sizes(answer.norm)

    def chosen() -> None:
        name = st.session_state.get("jump")
        if name:
            put(answer, _nearest(answer.levels, offered[name]))
            st.session_state["jump"] = None

    st.pills(
        _("Go to"),
        list(offered),
        key="jump",
        on_change=chosen,
        label_visibility="collapsed",
        format_func=lambda name: f"{_(name)} {offered[name]:g}",
    )


def at_level(threat: Threat, answer: LadderAnswer, level: int) -> Threat:
    """The threat as it stands at a level of its ladder."""
    here = float(answer.levels[level])
    if answer.axis == "epsilon":
        return replace(threat, epsilon=here)
    return replace(threat, lam=here) if answer.axis == "lambda" else threat


def at(answer: LadderAnswer, level: int, norm: str = "") -> str:
    """Where a ladder stands: "λ = 5", "ε = 0.080", with the norm of pixels "ε = 0.080 (20.3/255)"."""
    here, norm = answer.levels[level], norm if len(answer.shape) == 3 else ""
    return f"{_(NAMES[answer.axis])} = " + (
        epsilon_text(here, norm) if answer.axis == "epsilon" else f"{here:.3g}"
    )


def adversarial(answer: LadderAnswer, level: int) -> np.ndarray:
    """The sample as it is at a level: (d,) in [0, 1]."""
    return np.clip(answer.clean + answer.delta[level].astype(np.float32), 0, 1)
