"""The levels of one sample's ladder: along what they lie, which is shown, and where one may jump."""

from dataclasses import replace

import numpy as np
import streamlit as st

from app.address import links
from app.components.ladder import start_level
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import Threat, sizes
from engine.asking.answers import LadderAnswer

OVER = {"epsilon": "over ε", "path": "over the path T", "lambda": "over λ"}
"""What a ladder's axis is called where one is chosen."""
NAMES = {"epsilon": "ε", "path": "step", "lambda": "λ", "nu": "ν"}
"""What a level of it is called."""


def axis_of_address(victim: Victim) -> str:
    """The axis that the address asks for, where an attack on this model can be followed along it."""
    method = victim.run.spec.name
    known = {
        axis
        for attack in possible.attacks(method)
        for objective in possible.objectives(method, victim.labelled)
        for axis in possible.axes(method, attack, objective)
    }
    return links.value("tab", "epsilon", lambda name: name in known)


def choose_axis(victim: Victim, threat: Threat) -> str:
    """Along what the ladder is drawn: what this attack, objective and model allow."""
    options = possible.axes(victim.run.spec.name, threat.attack, threat.objective)
    return str(
        st.segmented_control(
            "Ladder",
            options,
            key=links.key("tab", options[0], lambda name: name in options),
            format_func=OVER.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
    )


def jump(answer: LadderAnswer) -> None:
    """Sizes that people can judge by eye, as places on a ladder over ε."""
    levels = np.array(answer.levels)
    places = {
        f"{name} {size:g}": int(np.abs(levels - size).argmin()) for name, size in sizes(answer.norm).items()
    }

    def chosen() -> None:
        name = st.session_state["jump"]
        if name:
            links.put("step", places[name])
            st.session_state["jump"] = None
            # another ladder, which nobody has released yet
            st.session_state["jumps"] = st.session_state.get("jumps", 0) + 1

    st.pills("Go to", list(places), key="jump", on_change=chosen, label_visibility="collapsed")


def at_level(threat: Threat, answer: LadderAnswer, level: int) -> Threat:
    """The threat as it stands at a level of its ladder."""
    here = float(answer.levels[level])
    if answer.axis == "epsilon":
        return replace(threat, epsilon=here)
    return replace(threat, lam=here) if answer.axis == "lambda" else threat


def shown_level(answer: LadderAnswer, level: int | None) -> int:
    """The level of the address or that was released, at most the last one; where it is none, the one the
    ladder starts at.
    """
    last = len(answer.levels) - 1
    return min(level, last) if level is not None and level >= 0 else start_level(answer)


def adversarial(answer: LadderAnswer, level: int) -> np.ndarray:
    """The sample as it is at a level: (d,) in [0, 1]."""
    return np.clip(answer.clean + answer.delta[level].astype(np.float32), 0, 1)
