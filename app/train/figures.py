"""The figures of one training run: what its events say, as charts. Pure functions.

Which values are drawn, in which figure and under which name is declared: a method's curves and panels in its
settings class, measured numbers beside the metric. Of a method that declares nothing, every value that it
reports is drawn under its own name.

Angles between gradients are drawn with what it takes to read them: a moving average over their probes, the
stretches in which the gradient nearly vanishes, the blocks in which only the decoder moves, and the control
on the same base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import commonprefix
from typing import Any

import pandas as pd

from app.charts import palette, training_chart
from app.charts.plot import Chart
from app.runs.record import Record, averaged_over, decoder_blocks, probed, stretches
from app.train.measured import ANGLE, ATTACKED, NORM, OTHER, SCORE, Entry, named, present
from app.words import N_, _

ZOOM = 300
"""Iterations of the close-up, in which single blocks can be seen."""
BLOCKS = 40
"""Blocks that are shaded, at most: more would be a grey wall."""
ALONG = {"step": N_("iterations")}
"""The axis that every training has; a method may declare more."""
ENDS = {"largest": N_("largest cluster"), "median": N_("median cluster"), "smallest": N_("smallest cluster")}
ON_ALL = N_("On all samples; labels are used for scoring only.")
SUPERVISED = N_("Trained with the labels of the training rows; the test rows are only scored.")


@dataclass(frozen=True)
class View:
    """How a run is looked at: along which value, called `x_title`, and whether the last stretch alone."""

    x: str = "step"
    x_title: str = ALONG["step"]
    zoom: bool = False

    def cut(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that are looked at."""
        if not self.zoom or table.empty:
            return table
        return table[table["step"] >= table["step"].max() - ZOOM].reset_index(drop=True)


@dataclass(frozen=True)
class Drawn:
    """A run as its figures need it.

    `entry` is the catalogue's of the method, `metrics` its entries of all measured numbers, `control` the
    evaluations of the control on the same base, by its name, `watched` the attack that this very run is
    watched under, in words.
    """

    record: Record
    entry: Entry
    settings: Mapping[str, Any]
    metrics: Mapping[str, Entry]
    control: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    view: View = View()
    watched: str = ""

    @property
    def evaluations(self) -> pd.DataFrame:
        """One row an evaluation."""
        return self.view.cut(self.record.evaluations())

    @property
    def scored_on(self) -> str:
        """Which samples its scores are taken on, and what labels are used for."""
        return _(SUPERVISED if self.entry.get("supervised") else ON_ALL)

    @property
    def past(self) -> dict[str, pd.DataFrame]:
        """The control's evaluations, where they have this axis."""
        return {name: self.view.cut(table) for name, table in self.control.items() if self.view.x in table}

    def blocks(self) -> list[tuple[float, float]]:
        """Stretches in which the decoder alone moves, where there is room for them; along another axis than
        the steps they have no width.
        """
        table, length = self.evaluations, self.settings.get(self.entry.get("blocks") or "")
        if self.view.x != "step" or table.empty or not length:
            return []
        found = decoder_blocks(int(length), float(table["step"].min()), float(table["step"].max()))
        return found if len(found) <= BLOCKS else []

    def chart(self, table: pd.DataFrame, names: Mapping[str, str], title: str, **more: Any) -> Chart:
        """Lines along the view's axis."""
        return training_chart.curves(
            table, names, title=title, x=self.view.x, x_title=self.view.x_title, **more
        )


def of_run(run: Drawn) -> dict[str, Chart]:
    """Name -> chart of one run: what was measured, then what the method itself watches."""
    found = {
        "scores": scores(run),
        "attacked": under_attack(run),
        "angles": angles(run),
        **{f"panel/{panel['name']}": _panel(run, panel) for panel in panels(run.entry, run.record)},
        "norms": norms(run),
        **{f"unit/{unit}": chart for unit, chart in others(run).items()},
        "sizes": sizes(run),
    }
    return {name: chart for name, chart in found.items() if chart is not None}


def scores(run: Drawn) -> Chart | None:
    """The measured shares that need labels: ACC and its like, clean and attacked."""
    names = present(run.evaluations, named(run.metrics, SCORE), run.view.x)
    if not names:
        return None
    attacked = any(run.metrics[name]["of"] == "attack" for name in names)
    first = next(iter(names))
    watched = " " + _("Attacked: {watched}.").format(watched=run.watched) if attacked and run.watched else ""
    control = {name: table[[run.view.x, first]] for name, table in run.past.items() if first in table}
    return run.chart(
        run.evaluations,
        names,
        _("Scores"),
        controls=control,
        caption=f"{run.scored_on} {_('The axis need not begin at 0.')}{watched}",
    )


def under_attack(run: Drawn) -> Chart | None:
    """What else was measured under the attack that is watched."""
    names = present(run.evaluations, named(run.metrics, ATTACKED), run.view.x)
    if not names:
        return None
    caption = _("The same attacked samples. KL of assignments: 0 where the attack changes none; in nats.")
    return run.chart(run.evaluations, names, _("Under attack"), caption=caption)


def angles(run: Drawn) -> Chart | None:
    """Cosines between gradients."""
    probes = probed(run.evaluations)
    names = present(probes, named(run.metrics, ANGLE), run.view.x)
    if not names:
        return None
    if "hypothetical" in probes and probes["hypothetical"].eq(1).any():
        names = {
            name: _("{title} (hypothetical)").format(title=title) if name == "delta_fd" else title
            for name, title in names.items()
        }
    window = averaged_over(len(probes))
    return run.chart(
        probes,
        names,
        _("Angles between gradients"),
        y_title=_("cosine"),
        smooth=window,
        zero=True,
        stationary=stretches(probes, "near_stationary", run.view.x),
        blocks=run.blocks(),
        controls={name: probed(table) for name, table in run.past.items()},
        caption=_(
            "Bold: moving average over {n} probes; faint: single probes. Higher is not better by itself."
        ).format(n=window),
    )


def norms(run: Drawn) -> Chart | None:
    """Norms of gradients."""
    probes = probed(run.evaluations)
    names = present(probes, named(run.metrics, NORM), run.view.x)
    if not names:
        return None
    return run.chart(
        probes,
        names,
        _("Sizes of the gradients"),
        stationary=stretches(probes, "near_stationary", run.view.x),
        caption=_(
            "Of the whole encoder. Grey: ‖∇total‖ below 5 % of its parts; there Δ_FD tends to −1 by itself."
        ),
    )


def others(run: Drawn) -> dict[str, Chart]:
    """Unit -> chart of every other metric that was measured, such as one of a person's own."""
    names = present(run.evaluations, named(run.metrics, OTHER), run.view.x)
    by_unit: dict[str, dict[str, str]] = {}
    for name, title in names.items():
        by_unit.setdefault(run.metrics[name]["unit"], {})[name] = title
    return {
        unit: run.chart(
            run.evaluations, titles, together(list(titles.values())), y_title=_(unit), caption=run.scored_on
        )
        for unit, titles in by_unit.items()
    }


def together(titles: Sequence[str]) -> str:
    """One title for several: how all of them begin, else all of them."""
    return commonprefix([*titles]).rstrip(" ,") or ", ".join(titles)


def panels(entry: Entry, record: Record) -> list[dict[str, Any]]:
    """The figures of a method's own values, each with its `curves`: those that it declares, else one with
    every value that it reports.
    """
    curves = entry.get("curves") or [
        {"name": name, "title": name, "panel": "losses"} for name in record.reported()
    ]
    declared = {panel["name"]: panel for panel in entry.get("panels", ())}
    names = dict.fromkeys([*declared, *(curve["panel"] for curve in curves)])
    return [
        {"name": name, "title": N_("Parts of the loss") if name == "losses" else name}
        | declared.get(name, {})
        | {"curves": {curve["name"]: _(curve["title"]) for curve in curves if curve["panel"] == name}}
        for name in names
    ]


def _panel(run: Drawn, panel: Mapping[str, Any]) -> Chart | None:
    """One figure of a method's own values; one with a limit only where something comes near it."""
    table = run.view.cut(run.record.values(panel["curves"], run.view.x))
    names = present(table, panel["curves"], run.view.x)
    limit = panel.get("limit")
    if not names or (limit is not None and not (table[list(names)] > 0).any(axis=None)):
        return None
    only = next(iter(names.values())) if len(names) == 1 else ""  # a single line has no legend
    chart = run.chart(
        table,
        names,
        _(panel["title"]),
        y_title=_(panel.get("y_title", "")) or only,
        share=panel.get("share", False),
        blocks=run.blocks(),
        caption=_(panel.get("caption", "")),
    )
    if limit is not None:
        chart.figure.add_hline(y=limit, line={"color": palette.LINES[1], "dash": "dash", "width": 1.5})
    return chart


def sizes(run: Drawn) -> Chart | None:
    """Sizes of the largest, the median and the smallest cluster."""
    table = run.view.cut(run.record.sizes())
    clusters = [column for column in table if column != "step"]
    if not clusters:
        return None
    counts = table[clusters]  # (evaluations, clusters)
    ends = {"largest": counts.max(axis=1), "median": counts.median(axis=1), "smallest": counts.min(axis=1)}
    table = pd.DataFrame({"step": table["step"]} | ends)
    if run.view.x != "step":
        table = table.merge(run.evaluations[["step", run.view.x]].drop_duplicates("step"), on="step")
    return run.chart(
        table,
        {name: _(ENDS[name]) for name in ends},
        _("Cluster sizes"),
        y_title=_("samples"),
        caption=_("Of {n} clusters. A cluster of 0 has died out.").format(n=len(clusters)),
    )
