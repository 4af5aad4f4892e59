"""One sample along ν: δ found for it alone, or read off it by one network at each ν."""

from collections.abc import Sequence

import streamlit as st

from app.address import links
from app.attack.takeaway import noise_draws
from app.forms.choose_model import Victim, victim_of
from app.papers.robust import rounds
from app.papers.robust.rounds import Rounds
from app.words import N_, _
from engine.asking.answers import EmbeddingLadderAnswer
from engine.asking.questions import EmbeddingLadderQuestion
from engine.store.run import Run

ALONE, NETWORK = N_("for this sample"), N_("one network")
NETWORKS = {"base": N_("base"), "defended": N_("defended")}


def choose(chosen: Rounds) -> tuple[Victim, list[Run]]:
    """The network, and the attacks that make the levels; none of them where δ is found for the sample
    alone.
    """
    shown = {"base": chosen.base} | ({"defended": chosen.defended} if chosen.defended is not None else {})
    name = str(
        st.segmented_control(
            _("Network"),
            list(shown),
            format_func=lambda one: _(NETWORKS[one]),
            required=True,
            key=links.key("network", "base", lambda one: one in shown),
        )
    )
    fitted = rounds.over_nu(shown[name])
    kinds = [ALONE, NETWORK] if len(fitted) > 1 else [ALONE]
    kind = st.segmented_control(
        "δ",
        kinds,
        format_func=_,
        required=True,
        key=links.key("delta", ALONE, lambda one: one in kinds),
        help=_("One network: a level for each ν at which an attack was fitted."),
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
    said = _(
        "It is in cluster **{name}** and stays there up to ν = {last:g}; a random direction of the same"
        " length leaves it in {noise}."
    )
    if first is not None:
        said = _(
            "It is in cluster **{name}** and first leaves it at **ν = {first:.3g}**; a random direction of"
            " the same length leaves it in {noise}."
        )
    st.markdown(
        said.format(
            name=answer.group_names[answer.own_group],
            first=answer.levels[first or 0],
            last=answer.levels[-1],
            noise=noise_draws(answer),
        )
    )


def likeness(answer: EmbeddingLadderAnswer, level: int) -> None:
    """How alike the two decoded pictures are, against how well the network decodes at all."""
    said = _(
        "At ν = {nu:.3g} the decoded picture changes by {change:.4f} (mean square); its own error is"
        " {error:.4f}. ‖δ‖/‖z‖ = {ratio:.3f}."
    ).format(
        nu=answer.levels[level],
        change=answer.shift_mse[level],
        error=answer.error_mse,
        ratio=answer.ratio[level],
    )
    if answer.read_as is not None:
        read = _(
            "A 5-nearest-neighbour look at the pictures reads **{before}** before and **{after}** after."
        )
        said += " " + read.format(before=answer.read_as[0], after=answer.read_as[level])
    st.caption(said)
