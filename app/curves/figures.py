"""A sweep's numbers as curves: means with intervals, protocol, and one sentence.

Which numbers there are follows from the cells and from what the catalogue's metrics declare: rates with their
control (`noise_NAME` beside `NAME`), agreement with the labels, and every other number that stands among the
first ones of an attack. An objective without success is drawn by its mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from app import measured
from app.address import connection
from app.attack import takeaway as words
from app.charts import line_chart, plot
from app.curves.axes import SweepAxis
from app.curves.which import model_of
from app.forms import possible
from app.forms.threat import NORMS
from app.runs.record import Record
from app.words import N_, _, n_, within
from engine.metrics.intervals import mean_interval, wilson
from engine.models.declared import title_of as called
from engine.store.run import Run

TRIED = {"starts": N_("starts {n}"), "targets": N_("targets {n}")}
"""What some attacks try several of -> how many, in words."""
HEIGHT = 480
"""Pixels of a figure: its protocol above and its key below take half of them on a phone."""
LEFT = {
    "clusters": N_("What is left of the clusters"),
    "classifies": N_("What is left of the classes"),
    "": N_("Are the samples still what they were?"),
}
"""Ability to sort samples -> what the figure of the agreement with the labels asks of a model that has it."""
OWN = {"clusters": N_("its cluster"), "classifies": N_("its class"), "": N_("what it was")}
"""The same ability -> where a sample was before the attack."""
STUDENT, WILSON = N_("bands: 95 %, Student over seeds"), N_("bands: 95 %, Wilson in the cell")


@dataclass(frozen=True)
class Figure:
    """Lines that share a figure: metric -> what its line is called; `controls` are drawn as such."""

    title: str
    y_title: str
    lines: Mapping[str, str]
    controls: tuple[str, ...] = field(default=())
    share: bool = True


def cells(record: Record, axis: SweepAxis, at: float) -> pd.DataFrame:
    """One row a finished cell, those where the other axis is `at`: epsilon, lam, seed and every measured
    number.
    """
    table = record.evaluations()
    return table if table.empty else table[np.isclose(table[axis.other.column], at)].reset_index(drop=True)


def planned(table: pd.DataFrame, run: Run) -> dict[str, Figure]:
    """The figures that these cells give: their place on the page -> what is drawn."""
    metrics = {name: said for name, said in measured.of_attacks().items() if _measured(table, name)}
    rates = {name: said for name, said in metrics.items() if measured.controls_of(name, metrics)}
    success = _success(run, table)
    found = {name: _rate(name, said, metrics, success) for name, said in _once(table, rates).items()}
    if "objective_mean" in metrics and not possible.has_success(run.spec.settings["objective"]):
        found["objective"] = _objective(run)
    first = {name: said for name, said in metrics.items() if said.get("headline") is not None}
    labelled = {name: said for name, said in first.items() if said["labels"]}
    if labelled:
        found["agreement"] = _agreement(labelled, _grouping(table))
    drawn = {*labelled, *rates}
    return found | _rest(
        {name: said for name, said in first.items() if not drawn & {name, said.get("control_of")}}
    )


def _objective(run: Run) -> Figure:
    """The mean of an objective that knows no success."""
    name = run.spec.settings["objective"]
    return Figure(
        _("Objective"),
        within(possible.title("objective", name)),
        {"objective_mean": _("this attack")},
        share=False,
    )


def _rest(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Every other number that stands among the first ones, those of one unit together."""
    found = {}
    for unit in dict.fromkeys(said["unit"] for said in metrics.values()):
        alike = {name: _(said["title"]) for name, said in metrics.items() if said["unit"] == unit}
        title = next(iter(alike.values())) if len(alike) == 1 else _("Under attack")
        found[f"of {unit}"] = Figure(title, _(unit), alike, share=measured.between_0_and_1({"unit": unit}))
    return found


def _measured(table: pd.DataFrame, name: str) -> bool:
    return name in table and bool(table[name].notna().any())


def _once(table: pd.DataFrame, rates: Mapping[str, Any]) -> dict[str, Any]:
    """The rates without those that say the same as one before: leaving the cluster and the flip rate are
    one.
    """
    found: dict[str, Any] = {}
    for name in sorted(rates, key=lambda name: rates[name].get("headline") or 99):
        if not any(table[name].equals(table[other]) for other in found):
            found[name] = rates[name]
    return found


def _rate(name: str, said: Mapping[str, Any], metrics: Mapping[str, Any], success: str) -> Figure:
    """A rate beside its controls."""
    lines = {name: _("this attack")} | measured.controls_of(name, metrics)
    share = _("share that {does}").format(does=success)
    y_title = share if name == "success_rate" else within(said["title"])
    return Figure(_(said["title"]), y_title, lines, tuple(lines)[1:])


def _agreement(metrics: Mapping[str, Any], grouping: str) -> Figure:
    """What is left of the agreement with the labels. The clean samples and what the samples still show are
    drawn as controls.
    """
    ranked = sorted(metrics, key=lambda name: metrics[name]["headline"])
    controls = tuple(
        name for name in ranked if name.endswith("_clean") or "recognised" in metrics[name]["needs"]
    )
    titles = {name: _(metrics[name]["title"]) for name in ranked}
    return Figure(_(LEFT[grouping]), _("agreement with labels"), titles, controls)


def _grouping(table: pd.DataFrame) -> str:
    """The ability by which the model sorts samples, as far as the cells tell; "" for none."""
    needed = {
        need
        for name, said in measured.of_attacks().items()
        if _measured(table, name)
        for need in said["needs"]
    }
    return next((ability for ability in LEFT if ability in needed), "")


def _success(run: Run, table: pd.DataFrame) -> str:
    """What a sample does that the objective reached, without names."""
    said = possible.entry("objective", run.spec.settings["objective"]).get("success") or N_("is reached")
    return _(str(said)).format(own=_(OWN[_grouping(table)]), target=_("the target"))


def summary(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row a value of `column`: each measure's mean over the seeds with NAME_lower and NAME_upper, seeds,
    and n together.

    Ends are a 95 % Student interval over two seeds or more, else Wilson's in the one cell; NaN where there is
    neither.
    """
    names = [name for name in measured.of_attacks() if _measured(table, name) and name != "n"]
    rows = []
    for value, group in table.groupby(column):
        row: dict[str, float] = {column: float(str(value)), "seeds": len(group), "n": group["n"].sum()}
        for name in names:
            row[name], row[f"{name}_lower"], row[f"{name}_upper"] = _interval(group, name)
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(group: pd.DataFrame, name: str) -> tuple[float, float, float]:
    values = group[name].dropna().to_numpy(dtype=float)
    entry = measured.of_attacks()[name]
    if len(values) > 1:
        mean, low, high = mean_interval(values)
        return (mean, max(0.0, low), min(1.0, high)) if measured.between_0_and_1(entry) else (mean, low, high)
    if len(values) == 0 or entry["unit"] != "share":
        return float(values[0]) if len(values) else np.nan, np.nan, np.nan
    n = int(group["n"].iloc[0])
    return float(values[0]), *wilson(round(float(values[0]) * n), n)


def protocol(run: Run, axis: SweepAxis, at: float) -> str:
    """The line of a figure that says how its numbers were made."""
    settings, (title, data) = run.spec.settings, model_of(run)[:2]
    entry = possible.entry("attack", run.spec.name)
    inner = entry["defaults"] | settings["attack_settings"]
    goal = _(possible.title("objective", settings["objective"]))
    named = settings["cluster"]
    target = named if named is not None else settings["objective_settings"].get("cluster")
    parts = [
        _("{model} on {data}").format(model=title, data=data),
        called(connection.in_words(entry), settings["attack_settings"]),
        *([f"T = {inner['steps']}"] if "steps" in inner else []),
        *([_("restarts {n}").format(n=inner["restarts"])] if inner.get("restarts", 1) > 1 else []),
        *(_(said).format(n=inner[name]) for name, said in TRIED.items() if inner.get(name) is not None),
        f"{NORMS[settings['norm']]}, {connection.unit(run.spec.data)}",
        goal + (_(" (cluster {name})").format(name=target) if target is not None else ""),
        f"{axis.other.symbol} = {at:g}",
        _("all samples in a cell") if settings["n"] is None else _("n ≤ {n} a cell").format(n=settings["n"]),
        _("seeds {seeds}").format(seeds=", ".join(map(str, settings["attack_seeds"]))),
    ]
    return " · ".join(parts)


def figures(table: pd.DataFrame, run: Run, axis: SweepAxis, at: float) -> dict[str, plot.Chart]:
    """The charts of a sweep's cells, each with its interval."""
    frame = summary(table, axis.column)
    several = frame["seeds"].max() > 1
    caption = f"{protocol(run, axis, at)} · {_(STUDENT if several else WILSON)}"
    title = title_of(axis, run.spec.data)
    return {
        place: _chart(frame, axis, figure, caption, title) for place, figure in planned(table, run).items()
    }


def title_of(axis: SweepAxis, data: str) -> str:
    """What stands under an axis: its symbol, and what ε is measured in."""
    return f"{axis.symbol} ({connection.unit(data)})" if axis.name == "epsilon" else axis.symbol


def _chart(frame: pd.DataFrame, axis: SweepAxis, figure: Figure, caption: str, x_title: str) -> plot.Chart:
    bands = {
        name: (f"{name}_lower", f"{name}_upper")
        for name in figure.lines
        if name not in figure.controls and frame[f"{name}_lower"].notna().all()
    }
    chart = line_chart.curves(
        frame,
        axis.column,
        figure.lines,
        title=figure.title,
        x_title=x_title,
        y_title=figure.y_title,
        bands=bands,
        share=figure.share,
        caption=caption,
        controls=figure.controls,
    )
    chart.figure.update_layout(height=HEIGHT)
    ends = [column for name in figure.lines for column in (name, f"{name}_lower", f"{name}_upper")]
    return replace(chart, table=frame[[axis.column, "seeds", "n", *ends]].set_index(axis.column))


def takeaway(table: pd.DataFrame, run: Run, axis: SweepAxis) -> str:
    """The sweep in one sentence, at its last measured value, with control and interval."""
    last = summary(table, axis.column).iloc[-1]
    seeds = int(last["seeds"])
    told = {
        "at": _("At **{symbol} = {value:g}**").format(symbol=axis.symbol, value=last[axis.column]),
        "counted": n_("(n = {n:,}, {seeds} seed)", "(n = {n:,}, {seeds} seeds)", seeds).format(
            n=int(last["n"]), seeds=seeds
        ),
    }
    said = _reached(last, run, table, told)
    if pd.notna(last.get("flip_rate")) and last.get("flip_rate") != last.get("success_rate"):
        said += " " + _("The cluster is another one in {share}.").format(share=_share(last, "flip_rate"))
    labelled = {
        _(said["title"]): last[name]
        for name, said in measured.of_attacks().items()
        if said["labels"] and said.get("headline") is not None and pd.notna(last.get(name))
    }
    return said + (
        f" {'; '.join(f'{title} {value:.3f}' for title, value in labelled.items())}." * bool(labelled)
    )


def _reached(last: "pd.Series[Any]", run: Run, table: pd.DataFrame, told: Mapping[str, str]) -> str:
    """What the attack reached at the last value, `at` and `counted` being told."""
    noise = last.get("noise_success_rate")
    if pd.notna(last.get("success_rate")):
        said = _("{at} a sample {does} in {share} {counted}.")
        if pd.notna(noise):
            said = _(
                "{at} a sample {does} in {share}, under noise of the same size in {noise:.0%} {counted}."
            )
        share = _share(last, "success_rate")
        return said.format(**told, does=_success(run, table), share=share, noise=noise)
    if pd.notna(last.get("objective_mean")):
        does = words.effect(run.spec.settings["objective"], last["objective_mean"])
        return _("{at} the attack {does} on average {counted}.").format(**told, does=does)
    return "{at} {counted}.".format(**told)


def _share(row: "pd.Series[Any]", name: str) -> str:
    low, high = row[f"{name}_lower"], row[f"{name}_upper"]
    if pd.isna(low):
        return _("**{share:.0%}** of the cases").format(share=row[name])
    said = _("**{share:.0%}** of the cases (95 %: {low:.0%} to {high:.0%})")
    return said.format(share=row[name], low=low, high=high)


def standalone(title: str, drawn: Sequence[plot.Chart]) -> str:
    """The figures as one HTML file that holds Plotly too."""
    parts = [
        f"<p>{escape(chart.takeaway)}</p>"
        + chart.figure.to_html(full_html=False, include_plotlyjs=place == 0)
        for place, chart in enumerate(drawn)
    ]
    return (
        f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title><body style="font-family:'
        f' sans-serif">{"".join(parts)}'
    )
