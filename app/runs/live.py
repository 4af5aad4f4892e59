"""A run on a page, whatever it does: its name and status, its progress, pause, stop, resume.

What is shown is read from the run's folder alone, so a reload, a second viewer or a restarted server see the
same run.
"""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from app.address import state
from app.runs import launching, record
from app.runs.launching import LIVE, bold, title
from app.runs.record import Record
from engine.errors import FeintError
from engine.store.run import Run

Colour = Literal["grey", "blue", "green", "red", "orange"]

TICK = 0.5
"""Seconds between looks at a live run."""
SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""
BADGES: dict[str, tuple[str, Colour]] = {
    "queued": ("hourglass_empty", "grey"),
    "running": ("play_arrow", "blue"),
    "finished": ("check", "green"),
    "zoo": ("inventory_2", "green"),
    "failed": ("error", "red"),
    "broken": ("broken_image", "red"),
    "paused": ("pause", "orange"),
    "stopped": ("stop", "orange"),
}


def find(name: str) -> Run | None:
    """The run of a name in the address; None, and a sentence on the page, where there is none."""
    try:
        return state.store().find(name)
    except FeintError as error:
        state.refused(error)
        return None


def readable(name: str) -> bool:
    """Whether a run of this name is here and can be read."""
    try:
        return bool(state.store().find(name).spec)
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
    told = records.get(run.key) or Record()
    try:
        told.read(run)
    except FeintError as error:
        state.refused(error)
        return None
    records[run.key] = told
    return told


def headline(run: Run) -> None:
    """Status and name, then at the right what can be done; for a horizontal container."""
    status = run.status()
    icon, colour = BADGES[status]
    st.badge("from the zoo" if status == "zoo" else status, icon=f":material/{icon}:", color=colour)
    st.markdown(f"{bold(title(run.spec))} · {run.spec.data} · seed {run.spec.seed}", width="content")
    st.caption(f"`{run.name if run.zoo else run.name[:8]}`", width="content")
    st.space("stretch")
    _buttons(run, status)


def open_link(run: Run) -> None:
    """A link to the page that shows a run."""
    link(launching.page_of(run.spec), "Open", "open_in_full", {"run": run.name})


def link(page: str, label: str, icon: str, parameters: Mapping[str, str]) -> None:
    """A link to a page with these parameters."""
    st.page_link(
        state.ROOT / "pages" / f"{page}.py",
        label=label,
        icon=f":material/{icon}:",
        query_params={"v": state.ADDRESS_VERSION} | dict(parameters),
    )


def progress(run: Run, told: Record, first: str = "") -> None:
    """The bar of a live run, with its words; `first` stands before them."""
    status = run.status()
    if status in LIVE:
        share = told.pace().share if status == "running" else 0.0
        st.progress(share, first + _progress_text(run, told, status))


def ending(run: Run, told: Record) -> None:
    """Why a run that goes on no more is not finished, and what Resume does."""
    status, pace = run.status(), told.pace()
    if status == "failed":
        st.error(
            f"{run.reason()} Resume goes on from its last checkpoint, or from the start where there is none."
        )
    elif status in ("paused", "stopped"):
        of_base = " of its base" if pace.of_base else ""
        where = f" at iteration {pace.step:,} of {pace.total:,}{of_base}" if pace.total else ""
        st.info(f"{status.capitalize()}{where}. What was learned is kept; Resume goes on from there.")


def _buttons(run: Run, status: str) -> None:
    """Pause and stop for what lives, resume for what can go on. They only write the wish; the worker heeds
    it.
    """
    key = f"do/{run.key}"
    if status in LIVE:
        wish = run.wanted()
        st.button(
            "Pause",
            icon=":material/pause:",
            key=f"{key}/pause",
            on_click=_wish,
            args=(run, "pause"),
            disabled=wish != "run",
            help="Saves a checkpoint and frees the worker; resume later.",
        )
        st.button(
            "Stop and keep",
            icon=":material/stop:",
            key=f"{key}/stop",
            on_click=_wish,
            args=(run, "stop"),
            disabled=wish == "stop",
            help="Ends it at the next step. Curves, pictures and the checkpoint stay.",
        )
    elif status in ("paused", "stopped", "failed"):
        st.button(
            "Resume",
            icon=":material/play_arrow:",
            key=f"{key}/resume",
            type="primary",
            on_click=_wish,
            args=(run, "run"),
        )


def _wish(run: Run, wish: str) -> None:
    try:
        state.engine().submit(run) if wish == "run" else run.want(wish)
    except FeintError as error:
        state.notice(str(error))


def _progress_text(run: Run, told: Record, status: str) -> str:
    """Phase, place, rate, time left; or the place in the queue; or what is wrong."""
    pace, age = told.pace(), run.heartbeat_age()
    if status == "queued":
        return _queue_text(run)
    if run.wanted() != "run":
        return "Saving what was learned…"
    if age is not None and age > SILENT:
        return (
            f"The worker has been silent for {record.duration(age)}. If it died, this run can be resumed in a"
            " moment."
        )
    if not pace.total:
        return "Starting the worker…"
    phases = state.catalogue()["model"].get(run.spec.name, {}).get("phases", {})
    phase = (
        f"First its base, {pace.phase.removeprefix('base: ')}"
        if pace.of_base
        else (phases.get(pace.phase, pace.phase) or "done").capitalize()
    )
    parts = [f"{phase}: {pace.step:,} of {pace.total:,}"]
    if pace.per_second:
        left = record.duration(pace.remaining or 0) + (" left for the base" if pace.of_base else " left")
        parts += [f"{pace.per_second * _batch(run, pace):,.0f} images/s", left]
    return " · ".join(parts)


def _queue_text(run: Run) -> str:
    try:
        waiting = {item["key"]: item for item in state.engine().queue()}
    except FeintError as error:
        return f"Waiting. {error}"
    place = waiting.get(run.key, {}).get("position")
    return f"Waiting: number {place} in the queue." if place else "Waiting for a worker…"


def _batch(run: Run, pace: record.Pace) -> int:
    settings = launching.settings(run.spec)
    settings = settings.get("attack_settings", settings)
    return int((settings.get("base", {}) if pace.of_base else settings).get("batch", 1))
