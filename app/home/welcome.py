"""What only Home says: the story of its picture, one's newest runs, and what computes here."""

import streamlit as st

from app.address import connection, notices
from app.attack import takeaway
from app.charts import plot
from app.runs import headline, this_machine
from app.words import _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import epsilon_text
from engine.errors import FeintError


def story(answer: LadderAnswer) -> str:
    """The hero's picture in two sentences, with its control."""
    if answer.first_reached is None or answer.q is None or answer.own_group is None:
        told = _("This handwritten digit stays in its cluster up to ε = {top}.")
        return told.format(top=epsilon_text(answer.levels[-1]))
    taken = int(answer.q[answer.first_reached].argmax())
    own, other = answer.group_names[answer.own_group], answer.group_names[taken]
    return _(
        "A real handwritten digit, and a model that sorts digits without ever seeing a label. Moving each"
        " pixel by at most **{bound}** takes it from cluster **{own}** to **{other}**; random noise of the"
        " same size does so in {draws}. **Grab the slider: it is yours.**"
    ).format(
        bound=plot.bound(answer.epsilon_star or 0.0), own=own, other=other, draws=takeaway.noise_draws(answer)
    )


def recent(count: int = 3) -> None:
    """The newest runs of one's own."""
    runs = [run for run in connection.store().all() if run.status() != "broken"][:count]
    if runs:
        st.subheader(_("Where you left off"), anchor=False)
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center"):
                headline.headline(run)
                headline.open_link(run)


def machine() -> None:
    """What computes here."""
    try:
        st.caption(_("This machine computes: {words}").format(words=" · ".join(this_machine.words())))
    except FeintError as error:
        notices.refused(error)
