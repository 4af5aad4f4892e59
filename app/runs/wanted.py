"""A run that a page wants: there, going on, failed with its reason, or a button that begins it.

    run = wanted.wanted_or_button(Wanted("attack", "pgd", ..., models={"model": key}), "Attack 300 samples")
    if run is not None:
        ...  # it is finished: show it

What is here is read from the store alone, so a reload, a second viewer and a second press find the same run.
`at_once` begins it without a button; `wait` lets the page wait some seconds for a short run before it shows
progress; `beside` draws under the progress what the run has shown so far.
"""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.address import connection, notices
from app.address.fetching import DataAway
from app.runs import headline, progress, reading
from app.runs.record import Record
from app.words import _
from engine.asking.questions import PrepareQuestion
from engine.errors import FeintError
from engine.store import wanted as choices
from engine.store.run import Run
from engine.store.store import DONE, LIVE
from engine.store.wanted import Wanted

Beside = Callable[[Run, Record], None]
"""Draws what a run has shown so far."""
LOOK_EVERY = 0.05
"""Seconds between looks at a run that the page waits for."""


def found(wanted: Wanted) -> Run | None:
    """The run of these choices, whatever became of it; None where nobody has begun it. Needs no worker."""
    here = choices.found(wanted, connection.catalogue(), connection.store())
    if here is not None:
        return here
    key = _begun_here().get(wanted.text())
    return connection.store().find(key) if key is not None and reading.readable(key) else None


def begin(wanted: Wanted) -> Run | None:
    """Create the run and put it into the queue, unless it is there; None where it was refused: the engine's
    sentence is on the page. Raises DataAway.
    """
    question = PrepareQuestion(**choices.plain(vars(wanted)))
    try:
        answer = connection.ask(question, _("Checking the choices…"))
        if answer.spec is None:
            st.error(notices.plain(answer.sentence or _("The engine refused these choices.")))
            return None
        run = connection.store().create(answer.spec)
        connection.engine().submit(run)
    except DataAway:
        raise  # said by the page, which may go on with other data
    except FeintError as error:
        notices.refused(error)
        return None
    _begun_here()[wanted.text()] = run.key
    return run


def wanted_or_button(
    wanted: Wanted,
    words: str,
    *,
    at_once: bool = False,
    wait: float = 0.0,
    doing: str = "",
    beside: Beside | None = None,
    icon: str = ":material/play_arrow:",
    help: str | None = None,
    primary: bool = True,
    width: Any = "content",
    key: str | None = None,
) -> Run | None:
    """The finished run of these choices; None while there is none, with what is to be seen of it on the page.

    `words` are on the button and name the run in progress and errors ("Fit the attack"); `doing` says instead
    what is shown while it goes on.
    """
    run = found(wanted)
    if run is None and at_once:
        run = begin(wanted)
        if run is None:
            return None
    if run is None:
        pressed = st.button(
            words,
            icon=icon,
            help=help,
            type="primary" if primary else "secondary",
            width=width,
            key=key or f"begin/{wanted.text()}",
        )
        if pressed and begin(wanted) is not None:
            st.rerun()
        return None
    if at_once and _never_queued(run):
        headline.wish_for(run, "run")
    return finished(run, words, wait=wait, doing=doing, beside=beside)


def finished(
    run: Run, words: str, *, wait: float = 0.0, doing: str = "", beside: Beside | None = None
) -> Run | None:
    """The run, where it is finished; else None, with its progress, or why it ended and a button that lets it
    go on.
    """
    if wait > 0 and run.status() in LIVE:
        with st.spinner(doing or f"{words}…"):
            end = time.monotonic() + wait
            while run.status() in LIVE and time.monotonic() < end:
                time.sleep(LOOK_EVERY)
    status = run.status()
    if status in DONE:
        return run
    if status in LIVE:
        st.fragment(_going_on, run_every=reading.TICK)(run.name, doing or words, beside)
    else:
        progress.ending(run, words, button=True)
    return None


def _going_on(name: str, words: str, beside: Beside | None) -> None:
    """The progress of a run, until it ends: then the whole page is drawn anew."""
    run = connection.store().find(name)
    record = reading.read(run)
    status = run.status()
    if record is not None and status in LIVE:
        with st.container(horizontal=True, vertical_alignment="center"):
            headline.headline(run)
        progress.progress(run, record, f"{words}: ")
        if beside is not None:
            beside(run, record)
    if status not in LIVE:
        st.rerun()


def _never_queued(run: Run) -> bool:
    """Whether a run was created and nobody has asked for it, as when the page server ended just then."""
    return run.status() == "stopped" and run.wanted() == "run"


def _begun_here() -> dict[str, str]:
    """Wish -> key of what this session began: finds a run too whose data are a file of one's own."""
    kept: dict[str, str] = st.session_state.setdefault("wanted/begun", {})
    return kept
