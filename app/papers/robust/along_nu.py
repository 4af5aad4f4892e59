"""One sample along ν: δ found for it alone, or read off it by one network at each ν."""

from collections.abc import Sequence

import streamlit as st

from app.address import links
from app.forms.choose_model import Victim, victim_of
from app.papers.robust import rounds
from app.papers.robust.rounds import Rounds
from engine.asking.answers import EmbeddingLadderAnswer
from engine.asking.questions import EmbeddingLadderQuestion
from engine.store.run import Run

ALONE, NETWORK = "for this sample", "one network"


def choose(chosen: Rounds) -> tuple[Victim, list[Run]]:
    """The network, and the attacks that make the levels; none of them where δ is found for the sample
    alone.
    """
    shown = {"base": chosen.base} | ({"defended": chosen.defended} if chosen.defended is not None else {})
    name = str(
        st.segmented_control(
            "Network",
            list(shown),
            required=True,
            key=links.key("network", "base", lambda one: one in shown),
        )
    )
    fitted = rounds.over_nu(shown[name])
    kinds = [ALONE, NETWORK] if len(fitted) > 1 else [ALONE]
    kind = st.segmented_control(
        "δ",
        kinds,
        required=True,
        key=links.key("delta", ALONE, lambda one: one in kinds),
        help="One network: a level for each ν at which an attack was fitted.",
    )
    return victim_of(shown[name]), fitted if kind == NETWORK else []


def question(victim: Victim, sample: int, fitted: Sequence[Run]) -> EmbeddingLadderQuestion:
    """The ladder over ν of a sample."""
    size = victim.overview.size
    return EmbeddingLadderQuestion.usual(victim.run.key, sample, size, [run.key for run in fitted])


def takeaway(answer: EmbeddingLadderAnswer) -> None:
    """From which ν on the sample is in another cluster, beside a random direction of the same length."""
    if answer.own_group is None or answer.noise_reached is None:
        return
    first = answer.first_reached
    found = (
        f"first leaves it at **ν = {answer.levels[first]:.3g}**"
        if first is not None
        else f"stays there up to ν = {answer.levels[-1]:g}"
    )
    st.markdown(
        f"It is in cluster **{answer.group_names[answer.own_group]}** and {found}; a random direction of the"
        f" same length leaves it in {answer.noise_draws}."
    )


def likeness(answer: EmbeddingLadderAnswer, level: int) -> None:
    """How alike the two decoded pictures are, against how well the network decodes at all."""
    words = ""
    if answer.read_as is not None:
        words = (
            " A 5-nearest-neighbour look at the pictures reads"
            f" **{answer.read_as[0]}** before and **{answer.read_as[level]}** after."
        )
    st.caption(
        f"At ν = {answer.levels[level]:.3g} the decoded picture changes by {answer.shift_mse[level]:.4f}"
        f" (mean square); its own error is {answer.error_mse:.4f}. ‖δ‖/‖z‖ ="
        f" {answer.ratio[level]:.3f}.{words}"
    )
