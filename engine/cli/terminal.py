"""Events on a terminal: a progress bar with rate and time left, then a small table; or JSON lines."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from engine.events import Evaluate, Event, Failed, Finished, Progress, Row, Started, Stopped, to_line
from engine.store.headlines import headlines, ranked

CODES = {"finished": 0, "failed": 1, "stopped": 130}
NEXT = (
    "reconstruction_change_mean",
    "n",
    "noise_success_rate",
    "linf_max",
    "l2_mean",
    "embedding_move_mean",
)
"""What follows the first numbers of an attack where few of those were measured."""
WITHIN = ("done", "cell_done")
"""Values of a Progress that say how far one part of it is: a run of a study, a cell of a sweep."""


def follow(
    events: Iterable[Event], as_json: bool, metrics: Mapping[str, Any], most: int | None = None
) -> int:
    """Show a run's events to its end, with the catalogue's `metrics` for what they measured, of which `most`
    are told; the exit code: 0 finished, 1 failed, 130 stopped.
    """
    last = _lines(events) if as_json else _bar(events, metrics)
    if not as_json:
        conclude(last, metrics, most)
    return CODES.get(last.event, 1) if last else 1


def bring(events: Iterable[Event]) -> None:
    """Show a download on stderr, so that stdout keeps one event a line."""
    bar = None
    for event in events:
        if isinstance(event, Progress):
            bar = _advance(bar, event.step, event.total, event.phase)
    if bar is not None:
        bar.close()


def conclude(last: Event | None, metrics: Mapping[str, Any], most: int | None = None) -> None:
    """What a run came to, in a few lines: all its numbers, or the `most` that matter first."""
    if isinstance(last, Finished):
        told = last.metrics if most is None else foremost(last.metrics, metrics, most)
        print(table(metric_rows(told, metrics, last.metrics)))
        if len(told) < len(last.metrics):
            print("(all numbers: --all)")
        if "cells" in last.metrics:
            print(table(cells(last.metrics["cells"], metrics)))
        if "rows" in last.metrics:
            print(table([study_row(row, metrics) for row in last.metrics["rows"]], STUDY_HEAD))
        for doubt in last.metrics.get("doubts", ()):
            print(f"doubt: {doubt}")
        print(f"run {last.run}, {last.seconds:.1f} s")
    elif isinstance(last, Failed):
        print(
            f"failed: {last.reason}" + (f"\n{_resume(last.run)}" if last.resumable else ""), file=sys.stderr
        )
    elif isinstance(last, Stopped):
        where = (
            f" at step {last.step}; "
            if last.step
            else " before a checkpoint of its own (what it builds on is kept); "
        )
        print(f"{'paused' if last.paused else 'stopped'}{where}{_resume(last.run)}", file=sys.stderr)


def foremost(measured: Mapping[str, Any], metrics: Mapping[str, Any], most: int) -> dict[str, Any]:
    """At most so many of what was measured, with their intervals: what the catalogue's `metrics` put first,
    then what is told next, then the others as they come; all that is no number beside them.
    """
    numbers = [name for name, value in measured.items() if isinstance(value, int | float)]
    numbers = [name for name in numbers if name in metrics]
    first = [name for name in dict.fromkeys([*ranked(metrics), *NEXT, *numbers]) if name in numbers][:most]
    words = [name for name, value in measured.items() if not isinstance(value, int | float)]
    intervals = [f"{name}_{end}" for name in first for end in ("low", "high")]
    return {name: measured[name] for name in (*first, *intervals, *words) if name in measured}


def _resume(run: str) -> str:
    return f"go on with: python -m engine resume {run}"


def metric_rows(
    metrics: Mapping[str, Any], titles: Mapping[str, Any], measured: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """(title, value) of every plain number, with its 95 % interval where there is one, and n where it is not
    that of the others: `measured` holds all numbers where `metrics` are some of them.
    """
    rows = []
    for name, value in metrics.items():
        if isinstance(value, bool | int | float | str) and not name.endswith(("_low", "_high")):
            low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
            interval = f"  ({number(low)} to {number(high)})" if low is not None and high is not None else ""
            about = titles.get(name, {})
            n = (measured or metrics).get(about.get("counted_in", ""))
            rows.append((about.get("title", name), number(value) + interval + (f"  n = {n:g}" if n else "")))
    return rows


def cells(found: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[list[str]]:
    """The cells of a sweep as rows under a head: ε, λ, seed, and what the catalogue's `metrics` put among the
    first numbers, as far as it was measured; the objective's mean where it knows no success.
    """
    names = [name for name in ranked(metrics) if _measured(found, name)]
    if not _measured(found, "success_rate"):
        names.append("objective_mean")
    head = ["ε", "λ", "seed", *(metrics.get(name, {}).get("title", name) for name in names), "n"]
    return [head, *([*_where(cell), *_numbers(cell["metrics"], (*names, "n"))] for cell in found)]


def _measured(found: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(cell["metrics"].get(name) is not None for cell in found)


def _where(cell: Mapping[str, Any]) -> list[str]:
    return [number(cell["epsilon"]), number(cell["lam"]), f"{cell['seed']:.0f}"]


def _numbers(measured: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Each number, with its 95 % interval where it has one."""
    texts = []
    for name in names:
        low, high = measured.get(f"{name}_low"), measured.get(f"{name}_high")
        interval = "" if low is None else f" ({low:.2f} to {high:.2f})"
        texts.append(number(measured.get(name)) + interval)
    return texts


STUDY_HEAD = ("model", "what", "published", "measured", "± over seeds", "controls")


def study_row(row: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """A row of a study under STUDY_HEAD; its first measured name is what is shown, a doubtful published value
    has a "?"; of its controls, what the catalogue's `metrics` put among the first numbers.
    """
    published, measured, controls = row["published"] or {}, row["measured"] or {}, row["controls"]
    name = next(iter(measured or published), "")
    here = measured.get(name, {})
    said = number(published[name]) + "?" * (name in row["doubtful"]) if name in published else ""
    about = ", ".join(
        f"{key} {number(value)}" if isinstance(value, float) else str(value)
        for key, value in _apart(row).items()
    )
    means = {control: said.get("mean") for control, said in controls.items()}
    beside = [
        f"{metrics[control]['title']} {number(means[control])}" for control in headlines(means, metrics)
    ]
    spread = here.get("spread")
    return [
        row["model"],
        about,
        f"{name} {said}".strip(),
        number(here["mean"]) if here else "",
        "" if spread is None else number(spread),
        "; ".join(beside),
    ]


def _apart(row: Mapping[str, Any]) -> dict[str, Any]:
    """What sets a row apart, arm and treatment first."""
    keys = {name: row[name] for name in ("arm", "treatment") if row.get(name)}
    return keys | dict(row["about"])


def number(value: Any) -> str:
    """A number in four digits, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Columns as wide as they need to be."""
    every = [list(head), *map(list, rows)] if head else list(map(list, rows))
    if not every:
        return ""
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    )


def _lines(events: Iterable[Event]) -> Event | None:
    last = None
    for last in events:
        print(to_line(last), flush=True)
    return last


def _bar(events: Iterable[Event], metrics: Mapping[str, Any]) -> Event | None:
    last, bar = None, None
    try:
        for last in events:
            if isinstance(last, Started):
                print(last.title or last.run, file=sys.stderr)
            elif isinstance(last, Progress):
                bar = _advance(bar, last.step, last.total, last.phase)
                within = next((last.values[name] for name in WITHIN if name in last.values), None)
                if within is not None:
                    bar.set_postfix_str(f"{within:.0%} of this one")
            elif isinstance(last, Row):
                bar = _advance(bar, last.step, last.total, last.model)
            elif isinstance(last, Evaluate):
                bar = _advance(
                    bar,
                    last.step,
                    last.total,
                    bar.desc if bar is not None and bar.total == last.total else "",
                )
                bar.set_postfix(
                    {name: number(last.metrics[name]) for name in headlines(last.metrics, metrics)}
                )
    finally:
        if bar is not None:
            bar.close()
    return last


def _advance(bar: "tqdm[Any] | None", step: int, total: int, phase: str) -> "tqdm[Any]":
    if bar is None or (bar.desc or "").removesuffix(": ") != phase.removesuffix(": ") or bar.total != total:
        if bar is not None:
            bar.close()
        bar = tqdm(total=total, initial=step, desc=phase, unit="it", dynamic_ncols=True, smoothing=0.1)
    bar.update(step - bar.n)
    return bar
