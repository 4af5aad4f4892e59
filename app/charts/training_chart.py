"""Lines along a training, and several trainings in the same axes."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette, plot
from app.charts.line_chart import course, faint, style_of
from app.words import N_, _

Stretches = Sequence[tuple[float, float]]
"""Where something holds, from and to."""
ITERATION = N_("iteration")


def curves(
    frame: pd.DataFrame,
    ys: Mapping[str, str],
    *,
    title: str,
    x: str = "step",
    x_title: str = ITERATION,
    y_title: str = "",
    caption: str = "",
    smooth: int = 1,
    stationary: Stretches = (),
    blocks: Stretches = (),
    controls: Mapping[str, pd.DataFrame] | None = None,
    share: bool = False,
    zero: bool = False,
) -> plot.Chart:
    """Lines along a training, over `x`: `ys` maps a column to its name.

    `smooth` > 1 draws a moving average over so many rows, the rows themselves faint behind it. `stationary`
    are stretches of x in which the gradient nearly vanishes (grey: angles mean little there), `blocks` those
    in which only the decoder moves (shaded). `controls` maps the name of another run to its frame, drawn grey
    and dashed. `zero` draws the line y = 0.
    """
    figure, x_title = go.Figure(), _(x_title)
    _shade(figure, stationary, blocks)
    for place, (column, name) in enumerate(ys.items()):
        _line(figure, frame, x, column, name, style_of(place), smooth)
        for other, past in (controls or {}).items():
            if column in past and x in past:
                _line(figure, past, x, column, f"{name}, {other}", style_of(place, control=True), smooth)
    _keys_of_stretches(figure, stationary, blocks)
    plot.dress(figure, title, caption, x_title, y_title, share)
    figure.update_layout(hovermode="x unified")
    if zero:
        figure.add_hline(y=0, line={"color": plot.GREY, "width": 1})
    shown = {column: name for column, name in ys.items() if column in frame}
    table = frame[[x, *shown]].rename(columns=shown).dropna(how="all", subset=list(shown.values()))
    return plot.Chart(figure, table, f"{plot.ended(title)} {course(frame, x, shown, x_title)}")


def side_by_side(
    frames: Mapping[str, pd.DataFrame],
    column: str,
    name: str,
    *,
    x: str = "step",
    x_title: str = ITERATION,
    caption: str = "",
    smooth: int = 1,
) -> plot.Chart:
    """One value of several runs: a line a run. A run keeps its colour and dash though it has not begun."""
    figure, x_title = go.Figure(), _(x_title)
    known = {
        run: frame[frame[column].notna()]
        for run, frame in frames.items()
        if column in frame and frame[column].notna().any()
    }
    for place, run in enumerate(frames):
        if run in known:
            _line(figure, known[run], x, column, run, style_of(place), smooth, faint_rows=False)
    plot.dress(figure, name, caption, x_title)
    figure.update_layout(hovermode="x unified")
    tables = [
        frame[[x, column]].rename(columns={column: name}).assign(**{_("run"): run})
        for run, frame in known.items()
    ]
    ends = ", ".join(f"{run} {frame[column].iloc[-1]:.3f}" for run, frame in known.items())
    return plot.Chart(
        figure,
        pd.concat(tables or [pd.DataFrame()]),
        _("{name}. At the end: {values}.").format(name=name, values=ends or _("nothing measured yet")),
    )


def _line(
    figure: go.Figure,
    frame: pd.DataFrame,
    x: str,
    column: str,
    name: str,
    style: dict[str, str],
    smooth: int,
    faint_rows: bool = True,
) -> None:
    """One line, smoothed; the rows themselves behind it."""
    if column not in frame or x not in frame:
        return
    known = frame[frame[column].notna()]
    if smooth > 1 and faint_rows:
        figure.add_scatter(
            x=known[x],
            y=known[column],
            mode="lines",
            line={"color": faint(style["colour"], 0.3), "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=known[x],
        y=known[column].rolling(smooth, min_periods=1).mean(),
        name=name,
        mode="lines" if len(known) > 1 else "lines+markers",  # a single point has no line
        marker={"symbol": style["symbol"], "size": 8, "color": style["colour"]},
        line={"color": style["colour"], "dash": style["dash"], "width": 2.2},
        hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
    )


def _shade(figure: go.Figure, stationary: Stretches, blocks: Stretches) -> None:
    for stretches, colour, opacity in ((stationary, plot.GREY, 0.28), (blocks, palette.LINES[4], 0.13)):
        for first, last in stretches:
            figure.add_vrect(
                x0=first, x1=last, fillcolor=colour, opacity=opacity, line_width=0, layer="below"
            )


def _keys_of_stretches(figure: go.Figure, stationary: Stretches, blocks: Stretches) -> None:
    """Legend entries for what is shaded: a shape has none of its own."""
    for there, colour, opacity, name in (
        (stationary, plot.GREY, 0.45, _("gradient nearly zero")),
        (blocks, palette.LINES[4], 0.35, _("only the decoder moves")),
    ):
        if there:
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=name,
                marker={"symbol": "square", "size": 12, "color": colour, "opacity": opacity},
                hoverinfo="skip",
            )
