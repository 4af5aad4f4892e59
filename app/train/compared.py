"""Several training runs in the same figures, and their last numbers in one table. Pure functions."""

from collections.abc import Iterable, Mapping

import pandas as pd

from app.charts import training_chart
from app.charts.plot import Chart
from app.runs.record import AVERAGED, Record, probed
from app.train.figures import ALONG, ON_ALL, View
from app.train.measured import ANGLE, SCORE, Entry, first_of, named
from app.words import N_, _

ONE_SEED = N_("One seed: a point of difference is within its noise.")


def charts_of(records: Mapping[str, Record], metrics: Mapping[str, Entry], view: View) -> dict[str, Chart]:
    """First scores and angles of several runs in the same figures."""
    frames = {name: view.cut(record.evaluations()) for name, record in records.items()}
    note = f"{_(ON_ALL)} {_(ONE_SEED)}"
    found = {
        column: training_chart.side_by_side(
            frames, column, title, x=view.x, x_title=view.x_title, caption=note
        )
        for column, title in first_of(named(metrics, SCORE), metrics).items()
        if any(column in frame and frame[column].notna().any() for frame in frames.values())
    }
    probes = {name: probed(table) for name, table in frames.items()}
    for column, title in named(metrics, ANGLE).items():
        if any(column in table and table[column].notna().any() for table in probes.values()):
            unreal = _hypothetical(probes) if column == "delta_fd" else ""
            found[column] = training_chart.side_by_side(
                probes,
                column,
                title,
                x=view.x,
                x_title=view.x_title,
                smooth=AVERAGED,
                caption=_("Moving average over {n} probes. Higher is not better by itself.").format(
                    n=AVERAGED
                )
                + unreal,
            )
    return found


def _hypothetical(probes: Mapping[str, pd.DataFrame]) -> str:
    """Of which runs Δ_FD compares with a regulariser that they do not train."""
    names = [
        name
        for name, table in probes.items()
        if "hypothetical" in table and table["hypothetical"].eq(1).any()
    ]
    return " " + _("For {names} it is hypothetical.").format(names=_(" and ").join(names)) if names else ""


def table(
    records: Mapping[str, Record], metrics: Mapping[str, Entry], along: Mapping[str, str]
) -> pd.DataFrame:
    """One row a run: its newest scores, its mean angles over all probes, and how far it went along each
    axis.
    """
    shown = first_of(named(metrics, SCORE), metrics)
    shown |= {"reconstruction_mse": _("reconstruction error")}
    rows = []
    for arm, record in records.items():
        now, probes = record.now(), probed(record.evaluations())
        means = {
            _("mean {title}").format(title=title): probes[column].mean() if column in probes else None
            for column, title in named(metrics, ANGLE).items()
        }
        went = {_(title): now.get(column) for column, title in along.items() if column != "step"}
        values = {title: now.get(column) for column, title in shown.items()}
        rows.append({_("arm"): arm} | values | went | means | {_("iterations"): record.pace().step})
    return pd.DataFrame(rows).dropna(axis=1, how="all").round(3)


def axes(entries: Iterable[Entry], tables: Iterable[pd.DataFrame]) -> dict[str, str]:
    """The axes along which runs of these methods can be drawn: those that one of them has values of."""
    tables = list(tables)
    declared = {name: title for entry in entries for name, title in entry.get("along", {}).items()}
    return ALONG | {name: title for name, title in declared.items() if any(name in table for table in tables)}
