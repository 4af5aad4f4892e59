"""The list of runs: what they are, and all that can be done with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.address import connection, notices
from app.runs import headline, progress, reading
from app.runs.naming import title
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.store import LIVE


def listed() -> list[dict[str, Any]]:
    """A row for every run, newest first, then the zoo.

    Each has `name`, `title`, `what`, `data`, `seed`, `acc`, `made`, `status`, `from`, `lives`, and `words` to
    search.
    """
    shelf = connection.store()
    return [_row(run) for run in [*shelf.all(), *shelf.zoo().values()]]


def _row(run: Run) -> dict[str, Any]:
    status = run.status()
    row: dict[str, Any] = {
        "name": run.name,
        "title": "Unreadable run",
        "what": "unreadable",
        "data": "",
        "seed": None,
    }
    row |= {"acc": None, "made": None}
    if status != "broken":
        spec, kept = run.spec, run.card()
        made = (
            datetime.fromtimestamp(kept["created"]).isoformat(" ", "minutes") if "created" in kept else None
        )
        row |= {"title": title(spec), "what": spec.action, "data": spec.data, "seed": spec.seed}
        row |= {"acc": kept.get("metrics", {}).get("acc"), "made": made}
    row |= {"status": status, "from": "zoo" if run.zoo else "mine", "lives": status in LIVE}
    return row | {"words": " ".join(str(value) for value in row.values()).lower()}


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The list as a table to take away."""
    return pd.DataFrame(rows).drop(columns=["words", "lives"]).to_csv(index=False)


def cards(names: Sequence[str]) -> None:
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
        st.markdown(f"**Unreadable run** `{run.name}`")
        st.error(run.reason())
        _delete(run)
        return
    told = reading.read(run) if status in LIVE else None
    with st.container(horizontal=True, vertical_alignment="center"):
        headline.headline(run)
        headline.open_link(run)
        if status not in (*LIVE, "zoo"):
            _delete(run)
    if words := _words(run):
        st.caption(words)
    if told is not None:
        progress.progress(run, told)
    if status == "failed":
        st.caption(run.reason())


def _words(run: Run) -> str:
    """What it came to, in a few words: a model's ACC, or whom an attack moved."""
    found, said = run.result(), []
    if "model" in run.spec.builds_on:
        key = run.spec.builds_on["model"]
        said.append(_terms(run))
        said.append(
            "on "
            + next((name for name, entry in connection.store().zoo().items() if entry.key == key), key[:8])
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
        connection.store().delete(name)
    except FeintError as error:
        notices.notice(str(error))
