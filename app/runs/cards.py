"""Runs as cards: what they are, and all that can be done with them."""

from collections.abc import Sequence

import streamlit as st

from app.address import connection, notices
from app.runs import apart, headline, progress, reading
from app.runs.rows import numbers
from app.words import _
from engine.asking.questions import epsilon_text
from engine.errors import FeintError
from engine.store import spread
from engine.store.run import Run
from engine.store.store import LIVE


def show(names: Sequence[str]) -> None:
    """Runs, one card each, kept up to date while one of them lives."""
    runs = _here()
    shown = [name for name in names if name in runs]
    lives = any(runs[name].status() in LIVE for name in shown)
    st.fragment(_cards, run_every=2 * reading.TICK if lives else None)(shown, lives)


def _here() -> dict[str, Run]:
    shelf = connection.store()
    return {run.name: run for run in (*shelf.all(), *shelf.zoo().values())}


def _cards(names: Sequence[str], lived: bool) -> None:
    runs = _here()
    for name in names:
        if name in runs:  # else it was deleted meanwhile
            with st.container(border=True, key=f"card/{name}"):
                _card(runs[name])
    reading.drawn_once_more(lived, any(runs[name].status() in LIVE for name in names if name in runs))


def _card(run: Run) -> None:
    status = run.status()
    if status == "broken":
        st.markdown(_("**Unreadable run** `{name}`").format(name=run.name))
        st.error(notices.plain(run.reason()))
        _delete(run)
        return
    record = reading.read(run) if status in LIVE else None
    with st.container(horizontal=True, vertical_alignment="center"):
        headline.headline(run)
        headline.open_link(run)
        headline.attack_as_it_is(run)
        if status not in (*LIVE, "zoo"):
            _delete(run)
    for words in filter(None, (_words(run), *spread.in_words(run))):
        st.caption(words)
    if record is not None:
        progress.progress(run, record)
    if status in headline.RESUMED:
        st.caption(notices.plain(f"{run.reason()} {progress.kept(run)}".strip()))


def _words(run: Run) -> str:
    """What sets it apart and what it came to: a model's first score, or what an attack reached."""
    own = connection.catalogue()["data"].get(run.spec.data, {"own": True}).get("own")
    data = _("data {fingerprint}").format(fingerprint=run.spec.fingerprint)
    said = [apart.words(run.spec), data if own else ""]
    if "model" in run.spec.builds_on:
        said = [_terms(run), *said]
    return " · ".join(part for part in [*said, *numbers(run.result())] if part)


def _terms(run: Run) -> str:
    """What an attack was after, and how far it could go."""
    settings, nu = run.spec.settings, run.result().get("nu")
    symbol, size = ("ε", settings.get("epsilon")) if nu is None else ("ν", nu)
    goal = settings.get("objective")
    objective = _(connection.catalogue()["objective"].get(goal, {}).get("title", goal) or "")
    written = f"{size:g}" if nu is not None else epsilon_text(size) if isinstance(size, float) else ""
    reach = f"{symbol} {written}" if written else ""  # a sweep has many
    return " · ".join(part for part in (objective, reach) if part)


def _delete(run: Run) -> None:
    """Delete, after a second press that says what is lost."""
    with st.popover(_("Delete"), icon=":material/delete:"):
        words = _(
            "Delete the run `{name}` with its curves, samples and weights? This cannot be undone; "
            "the same settings and seed make it again."
        )
        st.markdown(words.format(name=run.name))
        st.button(
            _("Delete for good"), type="primary", key=f"delete/{run.name}", on_click=_gone, args=(run.name,)
        )


def _gone(name: str) -> None:
    try:
        connection.store().delete(name)
    except FeintError as error:
        notices.notice(str(error))
