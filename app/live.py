"""Follows runs: progress, curves, pictures, pause, stop. What is shown is read from the run's folder alone, so a reload,
a second viewer or a restarted server see the same run. One fragment draws, and it ticks only while the run lives.
"""

from collections.abc import Container, Iterable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from app import charts, launching, panels, record, state
from app.components.map import Classes, map_payload, point_map
from app.launching import DONE, LIVE, title
from app.record import Record
from engine.errors import FeintError
from engine.events import Picture
from engine.runs.store import Run

TICK = 0.5
"""Seconds between looks at a live run."""
SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""
BADGES = {"queued": ("hourglass_empty", "grey"), "running": ("play_arrow", "blue"), "finished": ("check", "green"), "zoo": ("inventory_2", "green"),
          "failed": ("error", "red"), "broken": ("broken_image", "red"), "paused": ("pause", "orange"), "stopped": ("stop", "orange")}
PHASES = {"autoencoder": "training the autoencoder", "discriminator": "the discriminator's head start", "clustering": "clustering"}


# --- following --------------------------------------------------------------------------------------------------------

def find(name: str) -> Run | None:
    """The run of a name in the address; None, and a sentence on the page, where there is none."""
    try:
        return state.store().find(name)
    except FeintError as error:
        state.refused(error)
        st.caption("A link holds the key of a run on the machine where it was made. Here the same settings and seed make the same run: press Train.")
        return None


def follow(name: str) -> None:
    """Everything about one run, kept up to date while it lives."""
    run = find(name)
    if run is not None:
        lives = run.status() in LIVE
        st.fragment(_follow, run_every=TICK if lives else None)(name, lives, _control(run))


def compare(names: Sequence[str]) -> None:
    """Several runs in the same figures, kept up to date while one of them lives."""
    runs = [run for name in names if (run := find(name)) is not None]
    lives = any(run.status() in LIVE for run in runs)
    st.fragment(_compare, run_every=TICK if lives else None)([run.name for run in runs], lives)


def cards(names: Sequence[str]) -> None:
    """Runs as a list with all that can be done with them, kept up to date while one of them lives."""
    runs = {run.name: run for run in [*state.store().all(), *state.store().zoo().values()]}
    shown = [name for name in names if name in runs]
    lives = any(runs[name].status() in LIVE for name in shown)
    st.fragment(_cards, run_every=2 * TICK if lives else None)(shown, lives)


def shown(names: Sequence[str], data: str, method: str) -> list[str]:
    """What the Train page shows: the runs of the address; else one at work; else the newest finished one of this method, own before zoo."""
    if names:
        return list(names)
    shelf = state.store()
    runs = [run for run in shelf.all() if run.status() != "broken" and run.spec.action == "train"]
    working = [run.name for run in runs if run.status() in LIVE]
    like_it = [run.name for run in [*runs, *shelf.zoo().values()] if (run.spec.name, run.spec.data) == (method, data) and run.status() in DONE]
    return (working or like_it)[:1]


def method_of(names: Sequence[str]) -> str:
    """The registered name of what one run trains; "" for none, several, or one that cannot be read."""
    return state.store().find(names[0]).spec.name if len(names) == 1 and readable(names[0]) else ""


def readable(name: str) -> bool:
    """Whether a run of this name is here and can be read."""
    try:
        return bool(state.store().find(name).spec)
    except FeintError:
        return False


def first_method(names: Sequence[str], models: Container[str]) -> None:
    """When the page opens, the form starts with the method of the run in the address, else with ADEC."""
    method = method_of(names)
    if "train_method" not in st.session_state:
        st.session_state["train_method"] = method if method in models else "adec"


def system_card() -> None:
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


def _follow(name: str, lived: bool, control: pd.DataFrame | None) -> None:
    run = state.store().find(name)
    told = _read(run)
    if told is None:
        return
    status = run.status()
    _head(run, told, status)
    _drawn_once_more(lived, status in LIVE)
    _scores(run, told)
    if len(told.evaluations()):
        _figures(run, told, control)
    elif (base := _base(run)) is not None:
        st.caption(f"Until its own training begins: its base, {title(base[0].spec)}.")
        _scores(*base)
        _figures(*base, None)
    elif status in LIVE:
        st.skeleton(height=260)


def _compare(names: Sequence[str], lived: bool) -> None:
    records: dict[str, Record] = {}
    runs = [state.store().find(name) for name in names]
    for run in runs:
        told = _read(run)
        if told is not None:
            records[title(run.spec)] = told
            _line(run, told)
    _drawn_once_more(lived, any(run.status() in LIVE for run in runs))
    if any(len(told.evaluations()) for told in records.values()):
        for name, chart in panels.compared(records, *_view(records.values())).items():
            charts.show(chart, key=f"arms/{name}", table=not lived)


def _cards(names: Sequence[str], lived: bool) -> None:
    runs = {run.name: run for run in [*state.store().all(), *state.store().zoo().values()]}
    for name in names:
        if name in runs:
            with st.container(border=True, key=f"card/{name}"):
                _card(runs[name])
    _drawn_once_more(lived, any(runs[name].status() in LIVE for name in names if name in runs))


def _card(run: Run) -> None:
    """One run in the list."""
    if run.status() == "broken":
        st.markdown(f"**Unreadable run** `{run.name}`")
        st.error(run.reason())
        _delete(run)
        return
    told = _read(run) if run.status() in LIVE else None
    score = run.result().get("acc")
    _line(run, told, f"ACC {score:.3f}" if isinstance(score, float) else "", deletable=True)
    if run.status() == "failed":
        st.caption(run.reason())


def _line(run: Run, told: Record | None, words: str = "", deletable: bool = False) -> None:
    """One line: what it is, how far it is, what can be done."""
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        _badge(status)
        st.markdown(f"{_bold(title(run.spec))} · {run.spec.data} · seed {run.spec.seed}", width="content")
        st.caption(f"`{run.name if run.zoo else run.name[:8]}` {words}", width="content")
        st.space("stretch")
        _buttons(run, status)
        st.page_link(state.ROOT / "pages" / f"{launching.OPENS.get(run.spec.action, 'runs')}.py", label="Open", icon=":material/open_in_full:",
                     query_params={"v": state.ADDRESS_VERSION, "run": run.name})
        if deletable and status not in (*LIVE, "zoo"):
            _delete(run)
    if told is not None and status in LIVE:
        st.progress(told.pace().share, _progress_text(run, told, status))


def _delete(run: Run) -> None:
    """Delete, after a second press that says what is lost."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete the run `{run.name}` with its curves, pictures and weights? This cannot be undone; the same settings and seed make it again.")
        st.button("Delete for good", type="primary", key=f"delete/{run.name}", on_click=_gone, args=(run.name,))


def _gone(name: str) -> None:
    try:
        state.store().delete(name)
    except FeintError as error:
        state.notice(str(error))


def _read(run: Run) -> Record | None:
    """The session's record of a run, brought up to date; None, and the sentence on the page, where its events are damaged."""
    records = st.session_state.setdefault("records", {})
    told = records.get(run.key) or Record()
    try:
        told.read(run)
    except FeintError as error:
        state.refused(error)
        return None
    records[run.key] = told
    return told


def _drawn_once_more(lived: bool, lives: bool) -> None:
    """When a run that lived as the page was drawn has ended, draw the page anew: without a clock, with what it may now offer.

    No loop: the new page knows that it has ended.
    """
    if lived and not lives:
        st.rerun()


# --- the parts of the page --------------------------------------------------------------------------------------------

def _bold(name: str) -> str:
    """A name in bold; the star of DEC* is a star."""
    return "**" + name.replace("*", r"\*") + "**"


def _badge(status: str) -> None:
    """The status as a coloured word."""
    icon, colour = BADGES[status]
    st.badge("from the zoo" if status == "zoo" else status, icon=f":material/{icon}:", color=colour)


def _head(run: Run, told: Record, status: str) -> None:
    """What it is, how far it is, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _badge(status)
        st.markdown(f"{_bold(title(run.spec))} on {run.spec.data}, seed {run.spec.seed}", width="content")
        st.caption(f"`{run.name}`", width="content")
        _buttons(run, status)
        if status in DONE:
            for page, label, icon in (("attack", "Attack this model", "bolt"), ("inspect", "Inspect", "search")):
                st.page_link(state.ROOT / "pages" / f"{page}.py", label=label, icon=f":material/{icon}:",
                             query_params={"v": state.ADDRESS_VERSION, "model": run.name})
    if status in LIVE:
        st.progress(told.pace().share if status == "running" else 0.0, _progress_text(run, told, status))
    elif status == "failed":
        st.error(f"{run.reason()} Resume goes on from its last checkpoint, or from the start where there is none.")
    elif status in ("paused", "stopped"):
        pace = told.pace()
        where = f" at iteration {pace.step:,} of {pace.total:,}{' of its base' if pace.of_base else ''}" if pace.total else ""
        st.info(f"{status.capitalize()}{where}. What was learned is kept; Resume goes on from there.")


def _buttons(run: Run, status: str) -> None:
    """Pause and stop for what lives, resume for what can go on. They only write the wish; the worker heeds it."""
    key = f"do/{run.key}"
    if status in LIVE:
        wish = run.wanted()
        st.button("Pause", icon=":material/pause:", key=f"{key}/pause", on_click=_wish, args=(run, "pause"), disabled=wish != "run",
                  help="Saves a checkpoint and frees the worker; resume later.")
        st.button("Stop and keep", icon=":material/stop:", key=f"{key}/stop", on_click=_wish, args=(run, "stop"), disabled=wish == "stop",
                  help="Ends it at the next step. Curves, pictures and the checkpoint stay.")
    elif status in ("paused", "stopped", "failed") and st.button("Resume", icon=":material/play_arrow:", key=f"{key}/resume", type="primary",
                                                                 on_click=_wish, args=(run, "run")):
        st.rerun()


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
        return f"The worker has been silent for {record.duration(age)}. If it died, this run can be resumed in a moment."
    if not pace.total:
        return "Starting the worker…"
    phase = f"First its base, {pace.phase.removeprefix('base: ')}" if pace.of_base else PHASES.get(pace.phase, pace.phase).capitalize()
    parts = [f"{phase}: {pace.step:,} of {pace.total:,}"]
    if pace.per_second:
        left = record.duration(pace.remaining or 0) + (" left for the base" if pace.of_base else " left")
        parts += [f"{pace.per_second * _batch(run, pace):,.0f} images/s", left]
    return " · ".join(parts)


def _queue_text(run: Run) -> str:
    """The place in the queue, where the engine can be asked."""
    try:
        waiting = {item["key"]: item for item in state.engine().queue()}
    except FeintError as error:
        return f"Waiting. {error}"
    place = waiting.get(run.key, {}).get("position")
    return f"Waiting: number {place} in the queue." if place else "Waiting for a worker…"


def _batch(run: Run, pace: record.Pace) -> int:
    settings = launching.settings(run.spec)
    return int((settings.get("base", {}) if pace.of_base else settings).get("batch", 1))


def _scores(run: Run, told: Record) -> None:
    """The newest scores, with the alarm where the adversary rules."""
    now = told.now()
    drift = "Δ_FD (hyp.)" if now.get("hypothetical") else "Δ_FD"
    shown = {"acc": ("ACC", "Accuracy after the best matching of clusters to classes."), "nmi": ("NMI", "Normalised mutual information."),
             "ari": ("ARI", "Adjusted Rand index."), "delta_fr": ("Δ_FR", "Cosine between the gradient of the true labels and what the encoder descends."),
             "delta_fd": (drift, "Cosine between the gradients of clustering and regulariser. Higher is not better by itself."
                         + (" Hypothetical: the regulariser is not trained here." if now.get("hypothetical") else "")),
             "ratio_adv_kl": ("adv : KL", f"‖∇adv‖/‖∇KL‖. Above {panels.ALARM:g} the adversary rules; clusterings were seen to collapse there."),
             "label_change": ("Changed", "Share of the samples that changed their cluster since the last refresh.")}
    if now.keys() & shown.keys():
        with st.container(horizontal=True):
            for name, (label, help_) in shown.items():
                if name in now:
                    st.metric(label, f"{now[name]:.3f}", help=help_, width=104)
    if now.get("ratio_adv_kl", 0) > panels.ALARM:
        st.warning(f"The adversary's gradient is {now['ratio_adv_kl']:.1f} times the clustering's (alarm above {panels.ALARM:g}): the discriminator is too sure. "
                   "Lower its learning rate or the adversary's weight.")


# --- figures and pictures ---------------------------------------------------------------------------------------------

def _figures(run: Run, told: Record, control: pd.DataFrame | None) -> None:
    """Scores and angles; reconstructions, cluster sizes and the map; then the rest."""
    axis, zoom = _view([told])
    live = run.status() in LIVE
    found = panels.followed(told, launching.settings(run.spec), control, axis, zoom)

    def draw(*names: str) -> None:
        there = [name for name in names if name in found]
        for place in range(0, len(there), 2):
            for column, name in zip(st.columns(2, gap="medium"), there[place : place + 2], strict=False):
                with column:
                    charts.show(found[name], key=f"{run.key}/{name}", table=not live)

    draw("scores", "angles")
    _pictures(run, told)
    draw("losses", "norms", "judged", "ratio", "sizes")


def _view(records: Iterable[Record]) -> tuple[str, bool]:
    """The x axis, and whether to look at the last stretch only."""
    both = any("encoder_updates" in told.evaluations() for told in records)
    with st.container(horizontal=True):
        axis = st.segmented_control("Along", list(panels.AXES), format_func=panels.AXES.get, default="step", required=True, key="live_axis", persist_state="session",
                                    help="ADEC spends half of its iterations on the decoder: compare arms along encoder updates too.") if both else "step"
        stretch = st.segmented_control("Stretch", ["whole run", f"last {panels.ZOOM}"], default="whole run", required=True, key="live_stretch", persist_state="session",
                                       help="The close-up shows single points, and shades the blocks in which only the decoder moves.")
    return axis, stretch != "whole run"


def _pictures(run: Run, told: Record) -> None:
    """Reconstructions and the small map, at the newest step or at the one chosen on the timeline."""
    steps = sorted({picture.step for name in ("reconstructions", "map") for picture in told.pictures(name)})
    if not steps:
        return
    step = _timeline(run.key, steps)
    for column, name in zip(st.columns([2, 3], gap="medium"), ("reconstructions", "map"), strict=True):
        picture = next((picture for picture in reversed(told.pictures(name)) if picture.step <= step), None)
        if picture is not None:
            with column:
                _picture(run, picture)


def _timeline(key: str, steps: list[int]) -> int:
    """A slider over the steps with pictures, which follows the newest until a hand takes it."""
    widget, newest = f"timeline/{key}", f"timeline/{key}/newest"
    if st.session_state.get(widget) in (None, st.session_state.get(newest)):
        st.session_state[widget] = steps[-1]
    st.session_state[newest] = steps[-1]
    if len(steps) < 2:
        return steps[-1]
    return int(st.select_slider("Timeline", steps, key=widget, format_func=lambda step: f"{step:,}", help="Pictures along training; at its end it follows the newest."))


def _picture(run: Run, picture: Picture) -> None:
    try:
        if picture.picture == "map":
            arrays = run.arrays(picture.file)
            codes = arrays.get("cluster", np.zeros(len(arrays["xy"]), np.int16))
            point_map(map_payload(arrays["xy"], Classes("cluster", codes, _cluster_names(run, codes, arrays["index"])), title="The embedding", ids=arrays["index"],
                                  caption=f"{picture.caption} {len(codes):,} samples at iteration {picture.step:,}."), key=f"map/{run.key}")
        else:
            st.markdown(f"**Reconstructions** at iteration {picture.step:,}")
            st.image((run.folder / picture.file).read_bytes(), caption=picture.caption, width="stretch", alt=picture.caption)
    except (FeintError, OSError):
        st.caption(f"The picture of iteration {picture.step:,} is not there any more.")


def _cluster_names(run: Run, codes: np.ndarray, samples: np.ndarray) -> list[str]:
    """What the clusters are called, for people: the class that most of their samples are of; by number where no labels are known yet."""
    count = int(codes.max(initial=0)) + 1
    owner = run.name if run.status() in DONE else run.spec.builds_on.get("base", "")
    labels = _labels(owner) if readable(owner) and state.store().find(owner).status() in DONE else None
    if labels is None or len(labels) <= samples.max(initial=0):
        return [f"cluster {number}" for number in range(count)]
    classes = state.catalogue()["data"].get(run.spec.data, {}).get("classes") or [str(number) for number in range(int(labels.max()) + 1)]
    names: list[str] = []
    for number in range(count):
        votes = np.bincount(labels[samples[codes == number]])
        name = f"mostly {classes[int(votes.argmax())]}" if votes.size else "empty"
        again = sum(other.split(" (")[0] == name for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


@st.cache_data(max_entries=8, show_spinner=False)
def _labels(key: str) -> np.ndarray | None:
    """The label of every sample, as a finished run's table has them; None where there is none."""
    try:
        table = state.store().find(key).table()
    except FeintError:
        return None
    return table["label"].to_numpy() if "label" in table else None


def _base(run: Run) -> tuple[Run, Record] | None:
    """The run that this one begins from, where it has something to show."""
    key = run.spec.builds_on.get("base")
    if key is None or not readable(key):
        return None
    base = state.store().find(key)
    told = _read(base)
    return (base, told) if told is not None and len(told.evaluations()) else None


def _control(run: Run) -> pd.DataFrame | None:
    """The evaluations of DEC* on the same base, from own runs or the zoo; None for DEC* itself and where there is none."""
    base = run.spec.builds_on.get("base")
    if base is None or run.spec.name == "dec_star":
        return None
    shelf = state.store()
    for other in [*shelf.all(), *shelf.zoo().values()]:
        if other.status() in (*DONE, "running", "paused", "stopped") and (other.spec.name, other.spec.builds_on.get("base")) == ("dec_star", base):
            told = _read(other)
            if told is not None and len(told.evaluations()):
                return told.evaluations()
    return None
