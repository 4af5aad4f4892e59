"""What an attack may not change: pixels that are marked on the sample's own picture, or features of a row."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address import links
from app.address.notices import notice
from app.attack import takeaway
from app.components import pad
from app.forms.choose_model import Victim
from app.words import _
from engine.asking import keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import LadderQuestion
from engine.data.fixed import Bits, fixed_of, text_of
from engine.errors import SettingsError

PAD, STAMP = "fixed_pad", "fixed_stamp"


def of_address(victim: Victim) -> str:
    """The text of what the address fixes; one that is none of this model's samples, or leaves nothing to
    attack, is told and left out.
    """
    text = links.value("fixed", "")
    if not text:
        return ""
    try:
        if not fixed_of(text, victim.shape).all():
            return text
        notice(_("Everything is marked, which leaves nothing to attack: the marks are left out. Mark less."))
    except SettingsError:
        told = _("The link says fixed={text}, which marks no sample of this model: it is left out.")
        notice(told.format(text=text[:20]))
    links.forget("fixed")
    return ""


def expander() -> DeltaGenerator:
    """Where the marks are chosen, among the other choices; `choose` fills it once there is a picture."""
    return st.expander(
        _("Fix a region"), icon=":material/lock:", expanded=bool(links.value("fixed", "")), key="open_fixed"
    )


def choose(victim: Victim, answer: LadderAnswer, place: DeltaGenerator) -> None:
    """Mark what may not change: on the picture, or in a list of the features of a row."""
    with place:
        if len(answer.shape) != 3:
            _choose_features(victim)
            return
        marked, stamp = bits(victim), st.session_state.get(STAMP, ("", ""))
        told = stamp[1] if stamp[0] == links.value("fixed", "") else ""
        pad.mark(answer.clean.reshape(answer.shape), marked, told, key=PAD, on_marked=_marked)


def bits(victim: Victim) -> Bits:
    """The places (H·W,) or (d,) that the address fixes."""
    text, shape = links.value("fixed", ""), victim.shape
    if text:
        return fixed_of(text, shape)
    return np.zeros(int(np.prod(shape[-2:] if len(shape) == 3 else shape)), dtype=bool)


def beside_free(victim: Victim, objective: str, question: LadderQuestion) -> None:
    """What the same attack came to with nothing fixed, where that is known."""
    if not question.fixed:
        return
    free = keeping.kept(question.model_copy(update={"fixed": ""}))
    if free is not None:
        sentence = takeaway.sentence(victim, objective, free)
        st.caption(_("With nothing fixed: {sentence}").format(sentence=sentence))


def _choose_features(victim: Victim) -> None:
    features = victim.features
    names = features.names if features else ()
    chosen = st.multiselect(
        _("Features that may not change"),
        range(len(names)),
        default=np.flatnonzero(bits(victim)).tolist(),
        format_func=lambda number: names[number],
        key=f"fixed_features/{victim.run.key}",
    )
    text = text_of(np.isin(np.arange(len(names)), chosen))
    if text != links.value("fixed", ""):
        links.put("fixed", text)
        st.rerun()


def _marked() -> None:
    told = pad.reported(PAD, "marked")
    if told is None:
        return
    packed, stamp = told
    text = text_of(np.unpackbits(np.frombuffer(packed, dtype=np.uint8)))
    st.session_state[STAMP] = (text, stamp)
    links.put("fixed", text)
