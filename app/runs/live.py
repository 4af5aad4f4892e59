"""Follows runs: progress, curves, pictures, pause, stop. What is shown is read from the run's folder alone,
so a reload, a second viewer or a restarted server see the same run. One fragment draws, and it ticks only
while the run lives.
"""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.runs import launching, record
from app.runs.launching import DONE, LIVE, bold, title
from app.runs.record import Record
from app.train import panels, sketches
from engine.errors import FeintError
from engine.store.run import Run

Colour = Literal["grey", "blue", "green", "red", "orange"]

TICK = 0.5
"""Seconds between looks at a live run."""
REDRAW = 2.0
"""Seconds that the figures of a live run stand: seven of them take a seventh of a second."""
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
PHASES = {
    "autoencoder": "training the autoencoder",
    "discriminator": "the discriminator's head start",
    "clustering": "clustering",
}
SCORES = {
    "acc": ("ACC", "Accuracy after the best matching of clusters to classes."),
    "nmi": ("NMI", "Normalised mutual information of clusters and classes."),
    "ari": ("ARI", "Adjusted Rand index of clusters and classes."),
    "acc_attacked": ("Attacked", "ACC of 100 samples that are not trained on, under PGD-5 at ε = 0.2."),
    "assignment_kl_mean": (
        "L_AM",
        "Mean KL of clean and attacked assignments: 0 where the attack changes none.",
    ),
    "delta_fr": ("Δ_FR", "Cosine between the gradient of the true labels and what the encoder descends."),
    "delta_fd": (
        "Δ_FD",
        "Cosine between the gradients of clustering and regulariser. Higher is not better by itself.",
    ),
    "ratio_adv_kl": (
        "adv : KL",
        f"‖∇adv‖/‖∇KL‖. Above {panels.ALARM:g} the adversary rules; clusterings were seen to collapse there.",
    ),
    "label_change": (
        "Changed",
        "Share of the samples that changed their cluster since the last refresh of P.",
    ),
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


def shown(names: Sequence[str], data: str, method: str) -> list[str]:
    """What the Train page shows: the runs of the address; else one at work; else the newest finished one of
    this method, own before zoo.
    """
    if names:
        return list(names)
    shelf = state.store()
    own = [run for run in shelf.all() if run.status() != "broken" and run.spec.action == "train"]
    working = [run.name for run in own if run.status() in LIVE]
    alike = [run for run in (*own, *shelf.zoo().values()) if (run.spec.name, run.spec.data) == (method, data)]
    return (working or [run.name for run in alike if run.status() in DONE])[:1]


def method_of(names: Sequence[str]) -> str:
    """The registered name of what one run trains; "" for none, several, or one that cannot be read."""
    return state.store().find(names[0]).spec.name if len(names) == 1 and readable(names[0]) else ""


def first_method(names: Sequence[str], models: Container[str], first: str = "adec") -> None:
    """When the page opens, or the data no longer fit the method, the form has that of the run in the address,
    else `first`.
    """
    method = method_of(names)
    if st.session_state.get("train_method") not in models:
        st.session_state["train_method"] = method if method in models else first


def follow(name: str) -> None:
    """Everything about one run, kept up to date while it lives."""
    run = find(name)
    if run is not None:
        lives = run.status() in LIVE
        st.fragment(_follow, run_every=TICK if lives else None)(name, lives, control(run))


def newest(data: str, method: str, takes: str) -> Run | None:
    """Follow the run of the address, or the newest of a method on a data set; where there is none, say how to
    begin and how long it `takes`.
    """
    names = shown([name for name in state.value("run", "").split(",") if name], data, method)
    if not names:
        st.info(
            f"Nothing was trained with this method yet. Press Train; {takes}.",
            icon=":material/model_training:",
        )
        return None
    follow(names[0])
    return find(names[0])


def compare(names: Sequence[str]) -> None:
    """Several runs in the same figures, kept up to date while one of them lives."""
    runs = [run for name in names if (run := find(name)) is not None]
    lives = any(run.status() in LIVE for run in runs)
    st.fragment(_compare, run_every=TICK if lives else None)([run.name for run in runs], lives)


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


def control(run: Run) -> pd.DataFrame | None:
    """The evaluations of DEC* on the same base, from own runs or the zoo; None for DEC* itself and where
    there is none.
    """
    base = run.spec.builds_on.get("base")
    if base is None or run.spec.name == "dec_star":
        return None
    shelf = state.store()
    for other in (*shelf.all(), *shelf.zoo().values()):
        if other.status() != "broken" and (other.spec.name, other.spec.builds_on.get("base")) == (
            "dec_star",
            base,
        ):
            told = read(other)
            if told is not None and len(told.evaluations()):
                return told.evaluations()
    return None


def _follow(name: str, lived: bool, past: pd.DataFrame | None) -> None:
    run = state.store().find(name)
    told = read(run)
    if told is None:
        return
    status = run.status()
    _head(run, told, status)
    drawn_once_more(lived, status in LIVE)
    if len(told.evaluations()):
        _scores(told)
        if past is None and run.spec.builds_on.get("base") and run.spec.name != "dec_star":
            st.caption(
                "Its control, DEC* on the same base, is not here yet: Compare the four arms trains it, and"
                " draws it in grey."
            )
        _figures(run, told, past)
    elif (base := _base(run)) is not None:
        st.caption(f"Until its own training begins: its base, {title(base[0].spec)}.")
        _scores(base[1])
        _figures(*base, None)
    elif status in LIVE:
        st.skeleton(height=260)


def _compare(names: Sequence[str], lived: bool) -> None:
    records: dict[str, Record] = {}
    runs = [state.store().find(name) for name in names]
    for run in runs:
        told = read(run)
        if told is not None:
            records[title(run.spec)] = told
            with st.container(horizontal=True, vertical_alignment="center"):
                headline(run)
                open_link(run)
            progress(run, told)
    drawn_once_more(lived, any(run.status() in LIVE for run in runs))
    if any(len(told.evaluations()) for told in records.values()):
        axis, zoom = _view(records.values())
        found = _redrawn("+".join(names), (axis, zoom, lived), lambda: panels.compared(records, axis, zoom))
        _draw(found, "arms", lived)
        table = panels.final(records)
        st.dataframe(table, hide_index=True, alt="The newest scores of each arm, and its mean angles.")


def _base(run: Run) -> tuple[Run, Record] | None:
    """The run that this one begins from, where it has something to show."""
    key = run.spec.builds_on.get("base")
    if key is None or not readable(key):
        return None
    base = state.store().find(key)
    told = read(base)
    return (base, told) if told is not None and len(told.evaluations()) else None


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
    """The page that shows a run."""
    page = state.ROOT / "pages" / f"{launching.page_of(run.spec)}.py"
    st.page_link(
        page,
        label="Open",
        icon=":material/open_in_full:",
        query_params={"v": state.ADDRESS_VERSION, "run": run.name},
    )


def progress(run: Run, told: Record, first: str = "") -> None:
    """The bar of a live run, with its words; `first` stands before them."""
    status = run.status()
    if status in LIVE:
        share = told.pace().share if status == "running" else 0.0
        st.progress(share, first + _progress_text(run, told, status))


def _head(run: Run, told: Record, status: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        headline(run)
        if status in DONE:
            for page, label, icon in (
                ("attack", "Attack this model", "bolt"),
                ("inspect", "Inspect", "search"),
            ):
                st.page_link(
                    state.ROOT / "pages" / f"{page}.py",
                    label=label,
                    icon=f":material/{icon}:",
                    query_params={"v": state.ADDRESS_VERSION, "model": run.name},
                )
    progress(run, told)
    pace = told.pace()
    if status == "failed":
        st.error(
            f"{run.reason()} Resume goes on from its last checkpoint, or from the start where there is none."
        )
    elif status in ("paused", "stopped"):
        where = (
            f" at iteration {pace.step:,} of {pace.total:,}{' of its base' if pace.of_base else ''}"
            if pace.total
            else ""
        )
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
    phase = (
        f"First its base, {pace.phase.removeprefix('base: ')}"
        if pace.of_base
        else (PHASES.get(pace.phase, pace.phase) or "done").capitalize()
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


def _scores(told: Record) -> None:
    """The newest scores, with the alarm where the adversary rules."""
    now = told.now()
    hypothetical = bool(now.get("hypothetical"))
    with st.container(horizontal=True):
        for name, (label, help_) in SCORES.items():
            if name in now:
                unreal = hypothetical and name == "delta_fd"
                st.metric(
                    label + (" (hyp.)" if unreal else ""),
                    f"{now[name]:.3f}",
                    width=100,
                    help=help_ + (" Hypothetical: this regulariser is not trained here." if unreal else ""),
                )
    if now.get("ratio_adv_kl", 0) > panels.ALARM:
        st.warning(
            f"The adversary's gradient is {now['ratio_adv_kl']:.1f} times the clustering's (alarm above"
            f" {panels.ALARM:g}): the discriminator is too sure. Lower its learning rate or the adversary's"
            " weight."
        )


def _figures(run: Run, told: Record, past: pd.DataFrame | None) -> None:
    """Scores and angles, pictures as they come, then the rest."""
    axis, zoom = _view([told])
    live = run.status() in LIVE
    found = _redrawn(
        run.key,
        (axis, zoom, live),
        lambda: panels.followed(told, launching.settings(run.spec), past, axis, zoom),
    )
    first: list[str] = [name for name in ("scores", "fates", "angles") if name in found]
    _draw({name: found[name] for name in first}, run.key, live)
    beside = sketches.show(run, told)
    if beside is not None and "sizes" in found:
        first.append("sizes")
        with beside:
            charts.show(found["sizes"], key=f"{run.key}/sizes", table=not live)
    _draw({name: chart for name, chart in found.items() if name not in first}, run.key, live)


def _redrawn(
    key: str, view: tuple[str, bool, bool], build: Callable[[], dict[str, charts.Chart]]
) -> dict[str, charts.Chart]:
    """The figures of `view` (axis, close-up, live); those of a live run are made anew every REDRAW seconds:
    it takes a while.
    """
    kept = st.session_state.setdefault("figures", {})
    seen, when, found = kept.get(key, (None, 0.0, {}))
    if seen != view or not view[2] or time.monotonic() - when > REDRAW:
        found = build()
        kept[key] = (view, time.monotonic(), found)
    return found


def _draw(found: dict[str, charts.Chart], key: str, live: bool) -> None:
    """Charts, two abreast; their tables once the run rests, so that nothing is sent twice a second that
    nobody looks at.
    """
    every = list(found.items())
    for place in range(0, len(every), 2):
        for column, (name, chart) in zip(st.columns(2, gap="medium"), every[place : place + 2], strict=False):
            with column:
                charts.show(chart, key=f"{key}/{name}", table=not live)


def _view(records: Iterable[Record]) -> tuple[str, bool]:
    """The x axis, and whether to look at the last stretch only."""
    axis, whole = "step", "whole run"
    with st.container(horizontal=True):
        if any("encoder_updates" in told.evaluations() for told in records):
            axis = st.segmented_control(
                "Along",
                list(panels.AXES),
                format_func=lambda name: panels.AXES[name],
                default=axis,
                required=True,
                key="live_axis",
                persist_state="session",
                help=(
                    "ADEC spends half of its iterations on the "
                    "decoder, so arms should also be compared along encoder updates."
                ),
            )
        stretch = st.segmented_control(
            "Stretch",
            [whole, f"last {panels.ZOOM}"],
            default=whole,
            required=True,
            key="live_stretch",
            persist_state="session",
            help="The close-up shows single points, and shades the blocks in which only the decoder moves.",
        )
    return axis, stretch != whole
