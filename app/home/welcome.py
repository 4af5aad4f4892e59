"""What only Home says: the story of its picture, one's newest runs, and what computes here."""

import streamlit as st

from app.address import connection, notices
from app.charts import plot
from app.runs import headline, this_machine
from engine.asking.answers import LadderAnswer
from engine.asking.questions import epsilon_text
from engine.errors import FeintError


def story(answer: LadderAnswer) -> str:
    """The hero's picture in two sentences, with its control."""
    if answer.first_reached is None or answer.q is None or answer.own_group is None:
        return f"This handwritten digit stays in its cluster up to ε = {epsilon_text(answer.levels[-1])}."
    taken = int(answer.q[answer.first_reached].argmax())
    own, other = answer.group_names[answer.own_group], answer.group_names[taken]
    noise = f"random noise of the same size does so in {answer.noise_draws}"
    return (
        "A real handwritten digit, and a model that sorts digits without ever seeing a label. Moving each"
        f" pixel by at most **{plot.bound(answer.epsilon_star or 0.0)}** takes it from cluster **{own}** to"
        f" **{other}**; {noise}. **Grab the slider: it is yours.**"
    )


def recent(count: int = 3) -> None:
    """The newest runs of one's own."""
    runs = [run for run in connection.store().all() if run.status() != "broken"][:count]
    if runs:
        st.subheader("Where you left off", anchor=False)
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center"):
                headline.headline(run)
                headline.open_link(run)


def machine() -> None:
    """What computes here."""
    try:
        st.caption(f"This machine computes: {' · '.join(this_machine.words())}")
    except FeintError as error:
        notices.refused(error)
