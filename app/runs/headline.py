"""The line of a run: its status and name, pause, stop and resume, and the link to the page that shows it."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from app.address import connection, links, notices
from app.runs.naming import STATUSES, about, address_of, page_of
from app.words import _
from engine.errors import FeintError
from engine.store import snapshot
from engine.store.run import Run
from engine.store.store import LIVE

RESUMED = ("paused", "stopped", "failed")
"""Statuses of a run that can go on."""
Colour = Literal["grey", "blue", "green", "red", "orange"]

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


def headline(run: Run) -> None:
    """Status and name, then at the right what can be done; for a horizontal container."""
    status = run.status()
    icon, colour = BADGES[status]
    st.badge(_(STATUSES[status]), icon=f":material/{icon}:", color=colour)
    seed = _("seed {seed}").format(seed=run.spec.seed)
    st.markdown(f"{about(run.spec)} · {seed}", width="content")
    if not run.zoo:
        st.caption(run.name[:8], width="content")
    st.space("stretch")
    _buttons(run, status)


def open_link(run: Run) -> None:
    """A link to the page that shows a run."""
    link(page_of(run.spec), _("Open"), "open_in_full", address_of(run))


def attack_as_it_is(run: Run) -> None:
    """The button that attacks a training which is not finished, as it stands at its last checkpoint; nothing
    for any other run, or before its first.
    """
    if run.spec.action != "train" or run.status() not in (*LIVE, *RESUMED) or not snapshot.possible(run):
        return
    if st.button(
        _("Attack as it is now"),
        icon=":material/bolt:",
        key=f"do/{run.key}/attack",
        help=_("Its model at its last checkpoint is kept and attacked; the training itself is not touched."),
    ):
        try:
            kept = connection.store().as_it_is(run)
        except (FeintError, OSError) as error:
            notices.notice(str(error))
            st.rerun()
        links.go("attack", {"model": kept.name})


def link(page: str, label: str, icon: str, parameters: Mapping[str, str]) -> None:
    """A link to a page with these parameters."""
    st.page_link(
        links.ROOT / "pages" / f"{page}.py",
        label=label,
        icon=f":material/{icon}:",
        query_params={"v": links.ADDRESS_VERSION} | dict(parameters),
    )


def _buttons(run: Run, status: str) -> None:
    """Pause and stop for what lives, resume for what can go on. They only write the wish; the worker heeds
    it.
    """
    key = f"do/{run.key}"
    if status in LIVE:
        wish = run.wanted()
        st.button(
            _("Pause"),
            icon=":material/pause:",
            key=f"{key}/pause",
            on_click=wish_for,
            args=(run, "pause"),
            disabled=wish != "run",
            help=_("Saves a checkpoint and frees the worker; resume later."),
        )
        st.button(
            _("Stop and keep"),
            icon=":material/stop:",
            key=f"{key}/stop",
            on_click=wish_for,
            args=(run, "stop"),
            disabled=wish == "stop",
            help=_("Ends it at the next step. Curves, maps and the checkpoint stay."),
        )
    elif status in RESUMED:
        resume(run)


def resume(run: Run) -> None:
    """The button that lets a run go on."""
    st.button(
        _("Resume"),
        icon=":material/play_arrow:",
        key=f"do/{run.key}/resume",
        type="primary",
        on_click=wish_for,
        args=(run, "run"),
    )


def wish_for(run: Run, wish: str) -> None:
    """Ask for a run to go on ("run"), to pause or to stop; what the engine refuses is a notice."""
    try:
        connection.engine().submit(run) if wish == "run" else run.want(wish)
    except FeintError as error:
        notices.notice(str(error))
