"""Runs as a page reads them: by their folders alone, so a reload, a second viewer or a restarted server see
the same.
"""

import streamlit as st

from app.address import connection, notices
from app.runs.record import Record
from engine.errors import FeintError
from engine.store.run import Run

TICK = 0.5
"""Seconds between looks at a live run."""


def find(name: str) -> Run | None:
    """The run of a name in the address; None, and a sentence on the page, where there is none."""
    try:
        return connection.store().find(name)
    except FeintError as error:
        notices.refused(error)
        return None


def readable(name: str) -> bool:
    """Whether a run of this name is here and can be read."""
    try:
        return bool(connection.store().find(name).spec)
    except FeintError:
        return False


def drawn_once_more(lived: bool, lives: bool) -> None:
    """When a run has ended or gone on since the page was drawn, draw the page anew: with its clock stopped or
    started.

    No loop: the new page knows what the run does now. A callback cannot do it, for it runs before its
    fragment alone.
    """
    if lived != lives:
        st.rerun()


def read(run: Run) -> Record | None:
    """The session's record of a run, brought up to date; None, and the sentence on the page, where its events
    are damaged.
    """
    records = st.session_state.setdefault("records", {})
    record = records.get(run.key) or Record()
    try:
        record.read(run)
    except FeintError as error:
        notices.refused(error)
        return None
    records[run.key] = record
    return record
