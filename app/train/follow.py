"""A training as it goes on: progress, scores, curves, pictures; of one run, or of several side by side.

What is shown is read from the run's folder alone, so a reload, a second viewer or a restarted server see the
same run. One fragment draws, and it ticks only while the run lives.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection, links
from app.charts import plot
from app.runs import apart, headline, naming, progress, reading
from app.runs.naming import title
from app.runs.record import Record
from app.train import arms, compared, figures, pictures, scores, worth
from app.train.figures import ZOOM, Drawn, View
from app.train.measured import Entry
from app.words import _, language
from engine.store.run import Run
from engine.store.store import DONE, HALTED, LIVE

REDRAW = 2.0
"""Seconds that the figures of a live run stand: seven of them take a seventh of a second."""


def shown(names: Sequence[str], data: str, method: str) -> list[str]:
    """What the Train page shows: the runs of the address; else one at work, of this method and data where a
    link asked for the method; else the newest of them that is finished or was stopped, own before zoo.
    """
    if names:
        return list(names)
    shelf, asked = connection.store(), links.chosen("method", method)
    working = shelf.query(
        action="train", name=method if asked else None, data=data if asked else None, status=LIVE
    )
    ended = shelf.query(action="train", name=method, data=data, status=(*DONE, *HALTED))
    return [run.name for run in (*working, *sorted(ended, key=lambda run: bool(run.zoo)))][:1]


def in_address() -> list[str]:
    """The runs that the address names."""
    return [name for name in links.value("run", "").split(",") if name]


def method_of(names: Sequence[str]) -> str:
    """The registered name of what one run trains; "" for none, several, or one that cannot be read."""
    return (
        connection.store().find(names[0]).spec.name if len(names) == 1 and reading.readable(names[0]) else ""
    )


def watched_with(names: Sequence[str]) -> str:
    """The attack that one run is watched under while it trains, in words; "" for none, or several runs."""
    if len(names) != 1 or not reading.readable(names[0]):
        return ""
    return str(connection.store().find(names[0]).card().get("watched", ""))


def nothing_yet(takes: str) -> None:
    """What to do where nothing was trained, and how long it `takes`."""
    st.info(
        _("Nothing was trained with this method yet. Press Train; {takes}.").format(takes=takes),
        icon=":material/model_training:",
    )


def one(name: str) -> None:
    """Everything about one run, kept up to date while it lives."""
    run = reading.find(name)
    if run is not None:
        lives = run.status() in LIVE
        st.fragment(_follow, run_every=reading.TICK if lives else None)(name, lives, control_of(run))


def several(names: Sequence[str]) -> None:
    """Several runs in the same figures, kept up to date while one of them lives."""
    runs = [run for name in names if (run := reading.find(name)) is not None]
    lives = any(run.status() in LIVE for run in runs)
    st.fragment(_compare, run_every=reading.TICK if lives else None)([run.name for run in runs], lives)


Control = Mapping[str, pd.DataFrame]
"""Name of the control -> its evaluations; empty where there is none."""


def control_of(run: Run) -> Control:
    """The evaluations of the control that the method declares, on the same base."""
    other = arms.control_run(run)
    record = reading.read(other) if other is not None else None
    if other is None or record is None or record.evaluations().empty:
        return {}
    return {title(other.spec): record.evaluations()}


def _entry(run: Run) -> Entry:
    """The catalogue's entry of the method of a run; empty where nobody here knows it."""
    entry: Entry = connection.catalogue()["model"].get(run.spec.name, {})
    return entry


def _follow(name: str, lived: bool, control: Control) -> None:
    run = connection.store().find(name)
    record = reading.read(run)
    if record is None:
        return
    status = run.status()
    _head(run, record, status)
    reading.drawn_once_more(lived, status in LIVE)
    if _says_something(record):
        _learned(run, record, control)
        _say_what_control_is_missing(run, control)
    elif (base := _base(run)) is not None:
        st.caption(_("Until its own training begins: its base, {name}.").format(name=title(base[0].spec)))
        _learned(*base, {})
    elif status in LIVE:
        st.skeleton(height=260)


def _head(run: Run, record: Record, status: str) -> None:
    """Status, name and what can be done; where a finished model leads to; why it ended where it is not."""
    with st.container(horizontal=True, vertical_alignment="center"):
        headline.headline(run)
        if status in DONE:
            headline.link("attack", _("Attack this model"), "bolt", {"model": run.name})
            headline.link("inspect", _("Inspect"), "search", {"model": run.name})
        headline.attack_as_it_is(run)
    progress.progress(run, record)
    progress.ending(run, where=progress.stood_at(record))


def _say_what_control_is_missing(run: Run, control: Control) -> None:
    declared = arms.control(run.spec)
    if declared is not None and not control:
        name = arms.title(declared)
        st.caption(
            _(
                "Its control, {name} on the same base, is not here yet: {button} trains it, and draws it in"
                " grey."
            ).format(name=name, button=arms.words(_entry(run)))
        )


def _learned(run: Run, record: Record, control: Control) -> None:
    """Scores, then the first figures, pictures as they come, and the rest."""
    entry, metrics, lives = _entry(run), connection.catalogue()["metric"], run.status() in LIVE
    watched = watched_with([run.name])
    scores.show(record, entry, metrics, watched)
    if not lives:
        worth.show(run)
    view = _view([entry], [record.evaluations()])
    drawn = Drawn(record, entry, naming.settings(run.spec), metrics, control, view, watched)
    found = _redrawn(run.key, (view, lives, language()), lives, lambda: figures.of_run(drawn))
    first: list[str] = [name for name in ("scores", "attacked", "angles") if name in found]
    _draw({name: found[name] for name in first}, run.key, lives)
    beside = pictures.show(run, record)
    if beside is not None and "sizes" in found:
        first.append("sizes")
        with beside:
            plot.show(found["sizes"], key=f"{run.key}/sizes", table=not lives)
    _draw({name: chart for name, chart in found.items() if name not in first}, run.key, lives)


def _compare(names: Sequence[str], lived: bool) -> None:
    records: dict[str, Record] = {}
    runs = [connection.store().find(name) for name in names]
    for run, name in zip(runs, apart.names([run.spec for run in runs]), strict=True):
        record = reading.read(run)
        if record is not None:
            records[name] = record
            with st.container(horizontal=True, vertical_alignment="center"):
                headline.headline(run)
                headline.open_link(run)
            progress.progress(run, record)
    reading.drawn_once_more(lived, any(run.status() in LIVE for run in runs))
    tables = [record.evaluations() for record in records.values()]
    if any(len(table) for table in tables):
        entries, metrics = [_entry(run) for run in runs], connection.catalogue()["metric"]
        view = _view(entries, tables)
        found = _redrawn(
            "+".join(names),
            (view, lived, language()),
            lived,
            lambda: compared.charts_of(records, metrics, view),
        )
        _draw(found, "arms", lived)
        table = compared.table(records, metrics, compared.axes(entries, tables))
        st.dataframe(table, hide_index=True, alt=_("The newest scores of each arm, and its mean angles."))
        take_away.below(table, "feint-arms", "arms_table")


def _base(run: Run) -> tuple[Run, Record] | None:
    """The run that this one begins from, where it has something to show."""
    key = run.spec.builds_on.get("base")
    if key is None or not reading.readable(key):
        return None
    base = connection.store().find(key)
    record = reading.read(base)
    return (base, record) if record is not None and _says_something(record) else None


def _says_something(record: Record) -> bool:
    """Whether a run has a score or a loss of its own to draw."""
    return bool(len(record.evaluations()) or record.reported())


def _redrawn(
    key: str, seen: object, lives: bool, build: Callable[[], dict[str, plot.Chart]]
) -> dict[str, plot.Chart]:
    """The figures as they are `seen`; those of a live run are made anew every REDRAW seconds: it takes a
    while.
    """
    kept = st.session_state.setdefault("figures", {})
    before, when, found = kept.get(key, (None, 0.0, {}))
    if before != seen or not lives or time.monotonic() - when > REDRAW:
        found = build()
        kept[key] = (seen, time.monotonic(), found)
    return found


def _draw(found: Mapping[str, plot.Chart], key: str, lives: bool) -> None:
    """Charts, two abreast; their tables once the run rests, so that nothing is sent twice a second that
    nobody looks at.
    """
    every = list(found.items())
    for place in range(0, len(every), 2):
        for column, (name, chart) in zip(st.columns(2, gap="medium"), every[place : place + 2], strict=False):
            with column:
                plot.show(chart, key=f"{key}/{name}", table=not lives)


def _view(entries: Sequence[Entry], tables: Sequence[pd.DataFrame]) -> View:
    """The axis, where there is a choice, and whether to look at the last stretch only."""
    axes = compared.axes(entries, tables)
    axis, stretches = "step", {"whole run": _("whole run"), f"last {ZOOM}": _("last {n}").format(n=ZOOM)}
    with st.container(horizontal=True):
        if len(axes) > 1:
            axis = str(
                st.segmented_control(
                    _("Along"),
                    list(axes),
                    format_func=lambda name: _(axes[name]),
                    required=True,
                    key=links.key("along", axis, lambda name: name in axes),
                    help=_(
                        "A method may spend part of its iterations on the decoder alone, so arms should also"
                        " be compared along encoder updates."
                    ),
                )
            )
        stretch = st.segmented_control(
            _("Stretch"),
            list(stretches),
            format_func=stretches.__getitem__,
            required=True,
            key=links.key("stretch", "whole run", lambda name: name in stretches),
            help=_(
                "The close-up shows single points, and shades the blocks in which only the decoder moves."
            ),
        )
    return View(axis, axes[axis], stretch != "whole run")
