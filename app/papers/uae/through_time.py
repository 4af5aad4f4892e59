"""One sample of the attack through time, along ε, or along K: sample, criterion, price, score and length
move together.
"""

import streamlit as st

from app.address import connection, links
from app.attack import levels, on_the_map, takeaway
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.words import N_, _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import FEW_LEVELS, Axis, LadderQuestion

OVER = {"path": N_("through time"), "epsilon": N_("over ε"), "compressed": N_("over K")}


def show(victim: Victim, threat: Threat, sample: int) -> tuple[LadderQuestion, LadderAnswer, int]:
    """The ladder with the choice of its axis; its question, its answer and the level where it stands."""
    axis = str(
        st.segmented_control(
            _("Drag"),
            list(OVER),
            key=links.key("along", "path", lambda name: name in OVER),
            format_func=lambda name: _(OVER[name]),
            required=True,
            label_visibility="collapsed",
        )
    )
    question = threat.ladder(victim.run.key, sample, axis_of(threat, axis))
    answer = connection.ask(question, possible.waiting(threat.attack))
    takeaway.show(victim, threat.objective, answer)
    level = levels.drawn(on_the_map.drawing(victim, threat.objective, answer), "uae")
    said = _(
        "f is the criterion: below 0 the model handles the sample as asked. c is the price of failing it,"
        " this paper's λ. I is the estimated similarity of the original and what is found: a score that"
        " goes up and down with its estimate, and no number of nats."
    )
    last = _("The last step is the answer: of all before, the best that succeeded.")
    st.caption(f"{said} {last}" if axis == "path" else said)
    return question, answer, level


def axis_of(threat: Threat, name: str) -> Axis:
    """The levels of a ladder on this page."""
    if name == "epsilon":
        return Axis.of_epsilon(threat.norm, 1.0, FEW_LEVELS)
    return threat.axis(name)
