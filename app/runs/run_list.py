"""The list of runs: what they are, and all that can be done with them. And the machine they run on."""

from collections.abc import Sequence

import streamlit as st

from app.address import state
from app.runs import launching, live
from app.runs.launching import LIVE
from engine.errors import FeintError
from engine.store.run import Run


def cards(names: Sequence[str]) -> None:
    """Runs, one card each, kept up to date while one of them lives."""
    runs = _here()
    shown = [name for name in names if name in runs]
    lives = any(runs[name].status() in LIVE for name in shown)
    st.fragment(_cards, run_every=2 * live.TICK if lives else None)(shown, lives)


def machine() -> None:
    """What computes here, and what waits."""
    with st.container(border=True):
        st.markdown("**This machine**")
        st.caption(" · ".join(launching.machine()))
        try:
            waiting = state.engine().queue()
        except FeintError as error:
            state.refused(error)
            return
        at_work = sum(item["state"] == "running" for item in waiting)
        st.caption(f"{at_work} at work, {len(waiting) - at_work} waiting.")


def _here() -> dict[str, Run]:
    shelf = state.store()
    return {run.name: run for run in (*shelf.all(), *shelf.zoo().values())}


def _cards(names: Sequence[str], lived: bool) -> None:
    runs = _here()
    for name in names:
        if name in runs:  # else it was deleted meanwhile
            with st.container(border=True, key=f"card/{name}"):
                _card(runs[name])
    live.drawn_once_more(lived, any(runs[name].status() in LIVE for name in names if name in runs))


def _card(run: Run) -> None:
    status = run.status()
    if status == "broken":
        st.markdown(f"**Unreadable run** `{run.name}`")
        st.error(run.reason())
        _delete(run)
        return
    told = live.read(run) if status in LIVE else None
    with st.container(horizontal=True, vertical_alignment="center"):
        live.headline(run)
        live.open_link(run)
        if status not in (*LIVE, "zoo"):
            _delete(run)
    if words := _words(run):
        st.caption(words)
    if told is not None:
        live.progress(run, told)
    if status == "failed":
        st.caption(run.reason())


def _words(run: Run) -> str:
    """What it came to, in a few words: a model's ACC, or whom an attack moved."""
    found, said = run.result(), []
    if "model" in run.spec.builds_on:
        key = run.spec.builds_on["model"]
        said.append(_terms(run))
        said.append(
            "on " + next((name for name, entry in state.store().zoo().items() if entry.key == key), key[:8])
        )
    if isinstance(found.get("acc"), float):
        said.append(f"ACC {found['acc']:.3f}")
    if isinstance(found.get("flip_rate"), float):
        control = found.get("noise_flip_rate")
        said.append(
            f"flipped {found['flip_rate']:.3f}"
            + (f", noise {control:.3f}" if isinstance(control, float) else "")
        )
    return " · ".join(part for part in said if part)


def _terms(run: Run) -> str:
    """What an attack was after, and how far it could go."""
    settings, result = run.spec.settings, run.result()
    symbol, size = ("ν", result["nu"]) if result.get("nu") is not None else ("ε", settings.get("epsilon"))
    return " · ".join(
        [
            str(settings.get("objective", "")).replace("_", " "),
            *([f"{symbol} {size:g}"] if isinstance(size, float) else []),
        ]
    ).strip(" ·")


def _delete(run: Run) -> None:
    """Delete, after a second press that says what is lost."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(
            f"Delete the run `{run.name}` with its curves, pictures and weights? This cannot be undone; "
            "the same settings and seed make it again."
        )
        st.button(
            "Delete for good", type="primary", key=f"delete/{run.name}", on_click=_gone, args=(run.name,)
        )


def _gone(name: str) -> None:
    try:
        state.store().delete(name)
    except FeintError as error:
        state.notice(str(error))
