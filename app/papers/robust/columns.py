"""The rounds side by side: a column each, and all their numbers in one table."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection
from app.papers.robust import attacked, figures
from app.papers.robust.attacked import Attacked
from app.papers.robust.pictures import pictures
from app.papers.robust.rounds import Rounds
from app.words import N_, _
from engine.store.run import Run

TITLES = {
    "base": N_("1 · The attack"),
    "same": N_("2 · Defended, the same attack"),
    "again": N_("3 · Defended, attacked anew"),
}
LEADS = {
    "base": N_("A small network reads a shift of the embedding off each sample."),
    "same": N_("The network was trained on so that this shift no longer matters."),
    "again": N_("The attacker learns once more, against the defended network."),
}


def show(rounds: Rounds, sample: int) -> None:
    """A column a round, on the same samples; below them all numbers."""
    known: dict[str, Attacked] = {}
    for column, (name, run) in zip(st.columns(3, gap="medium"), rounds.attacks().items(), strict=True):
        with column:
            st.subheader(_(TITLES[name]), anchor=False)
            st.caption(_(LEADS[name]))
            _column(name, run, sample, known)
    if known:
        numbers(known)


def _column(name: str, run: Run | None, sample: int, known: dict[str, Attacked]) -> None:
    """One round, which is added to those that are `known`; the first of them chooses the samples of all."""
    here = attacked.read(run) if run is not None else None
    if here is None:
        st.info(_("Not there yet."), icon=":material/hourglass_empty:")
        return
    known[name] = here
    attacked.scores(here)
    pictures(here, attacked.samples(next(iter(known.values())), sample), sample, name)
    figures.clusters(here, sample, name)
    figures.arrows(here, sample, name)
    figures.flow(here, name)


def numbers(known: Mapping[str, Attacked]) -> None:
    """All measured numbers of the rounds beside one another; what they mean comes with them."""
    metrics = connection.catalogue()["metric"]
    results = {_(TITLES[name]): one.run.result() for name, one in known.items()}
    measured = [name for name in metrics if any(_is_number(found.get(name)) for found in results.values())]
    measured.sort(key=lambda name: (metrics[name]["headline"] is None, metrics[name]["headline"] or 0))
    rows = [
        {"": _(metrics[name]["title"])}
        | {title: _written(found.get(name)) for title, found in results.items()}
        | {_("what it is"): _(metrics[name]["summary"])}
        for name in measured
    ]
    st.markdown(_("**All numbers**"))
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, key="rounds/numbers")
    st.caption(
        _(
            "D before and after the defence are not to be compared where the embedding's own scale has"
            " changed;"
            " coordinates that are switched off dominate the relative D."
        )
    )
    take_away.below(frame, "feint-rounds", "rounds/numbers")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(value: object) -> str:
    """A number in four decimals, a whole one as it is."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:g}" if float(value).is_integer() or abs(value) < 1e-3 else f"{value:.4f}"
