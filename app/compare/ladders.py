"""The slots' ladders under one handle: the same sample at the same ε in every slot."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.address import connection, links
from app.attack.levels import PARAMETERS
from app.charts import plot
from app.compare.choose import Slot
from app.components import slots
from app.components.ladder import Drawing
from app.forms import possible
from app.words import _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import COMPARED_AT, TOP, OwnPicture, epsilon_text

KEY = "compare_slots"


def answers(chosen: Sequence[Slot], sample: int | OwnPicture) -> list[LadderAnswer]:
    """The ladder of the sample, or of a picture of one's own, in every slot."""
    return [
        connection.ask(slot.threat.ladder(slot.victim.run.key, sample), possible.waiting(slot.threat.attack))
        for slot in chosen
    ]


def show(chosen: Sequence[Slot], found: Sequence[LadderAnswer]) -> int:
    """Draw them; the level at which all stand: that of the address, else one that is hardly visible."""
    levels = np.array(found[0].levels)
    said = links.chosen_value(*PARAMETERS["epsilon"])
    usual = COMPARED_AT * TOP[found[0].norm] / TOP["linf"]
    level = int(np.abs(levels - (usual if said is None else float(said))).argmin())

    def let_go() -> None:
        there = st.session_state[KEY].get("level")
        if isinstance(there, int) and 0 <= there < len(levels):
            links.put("eps", float(levels[there]))

    slots.slots(
        [
            slots.Slot(slot.letter, slot.name, star(answer), _drawing(slot, answer))
            for slot, answer in zip(chosen, found, strict=True)
        ],
        key=KEY,
        level=level,
        on_level=let_go,
    )
    links.show("eps", float(levels[level]))
    return level


def star(answer: LadderAnswer) -> str:
    """The smallest ε that was found, as an upper bound."""
    if answer.epsilon_star is None:
        return _("ε* > {epsilon} (none found)").format(epsilon=epsilon_text(answer.levels[-1]))
    return f"ε* ≤ {plot.bound(answer.epsilon_star)}"


def _drawing(slot: Slot, answer: LadderAnswer) -> Drawing:
    """Pictures and groups alone: what else a ladder knows has its place on Attack."""
    bare = answer.model_copy(update={"recon": None, "recon_clean": None, "traces": None})
    victim = slot.victim
    effect = _(str(possible.entry("objective", slot.threat.objective).get("effect") or "{value}"))
    return Drawing(
        bare, None, victim.grouping, effect.replace("{value}", "…"), victim.colours, victim.features
    )
