"""The levels of one sample's ladder: which are asked for, which is shown, and where one may jump."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from app.address import state
from app.components.ladder import start_level
from app.forms.choose_model import Victim
from app.forms.threat import PRESETS, SPAN, Threat
from engine.asking import legacy as answers
from engine.asking.answers import Answer

LAMBDAS = 200.0
"""The largest λ of a ladder over λ."""


def ladder_for(threat: Threat, victim: Victim, sample: int, axis: str) -> dict[str, Any]:
    """The question of the ladder on an axis: 65 levels of ε, the path of one attack, or 41 levels of λ."""
    if axis == "lambda":
        return threat.question(victim.run.key, sample, axis, top=LAMBDAS, count=41)
    top = max(answers.TOP[threat.norm], threat.epsilon)
    return threat.question(victim.run.key, sample, axis, top=top)


def jump(answer: Answer) -> None:
    """Sizes that people can judge by eye, as places on a ladder over ε."""
    levels = np.array(answer.json["levels"])
    sizes = {
        f"{name} {size * SPAN[answer.json['norm']]:g}": size * SPAN[answer.json["norm"]]
        for name, size in PRESETS.items()
    }

    def chosen() -> None:
        name = st.session_state["jump"]
        if name:
            state.put("step", int(np.abs(levels - sizes[name]).argmin()))
            st.session_state["jump"] = None
            st.session_state["jumps"] = (
                st.session_state.get("jumps", 0) + 1
            )  # another ladder, which nobody has released yet

    st.pills("Go to", list(sizes), key="jump", on_change=chosen, label_visibility="collapsed")


def at_level(threat: Threat, answer: Answer, level: int) -> Threat:
    """The threat as it stands at a level of its ladder."""
    here = float(answer.json["levels"][level])
    return {"epsilon": replace(threat, epsilon=here), "lambda": replace(threat, lam=here), "path": threat}[
        answer.json["axis"]
    ]


def axis_name(axis: str) -> str:
    return {"epsilon": "ε", "path": "step", "lambda": "λ"}[axis]


def shown_level(answer: Answer, level: int | None) -> int:
    """The level of the address or that was released, at most the last one; where it is none, the one the
    ladder starts at.
    """
    last = len(answer.json["levels"]) - 1
    return (
        min(level, last)
        if level is not None and level >= 0
        else start_level(answer.json, answer.arrays["flipped"])
    )


def adversarial(answer: Answer, level: int) -> np.ndarray:
    return np.clip(answer.arrays["clean"] + answer.arrays["delta"][level].astype(np.float32), 0, 1)
