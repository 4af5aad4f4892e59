"""Tables -> Plotly figures. Pure functions; only `show` draws on the page.

Every chart is a `Chart`: the figure, the table behind it, and one sentence that says what it shows, which is
also its text for people who do not see it. Title and caption carry units and protocol. Colours are Okabe and
Ito's; dashes and symbols say the same again. The background is clear, so that one figure serves the light and
the dark page; Streamlit's theme sets the text.
"""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from app.charts import palette

Array = NDArray[Any]
Stretches = Sequence[tuple[float, float]]

CAPTION_LETTERS = 62
"""A caption's line: what a phone of 390 pixels holds."""
NAME_LETTERS = 22
"""A line of a lying bar's name."""
CLEAR = "rgba(0,0,0,0)"
GREY = palette.QUIET
INK = {"light": "#3A4654", "dark": "#C9D2DB"}
BLUE, DARKER, BRIGHTER = (
    f"rgb({','.join(map(str, colour))})" for colour in ((0, 114, 178), palette.NEGATIVE, palette.POSITIVE)
)


@dataclass(frozen=True)
class Chart:
    """A figure, the table behind it, and what it shows in one sentence."""

    figure: go.Figure
    table: pd.DataFrame
    takeaway: str


def show(
    chart: Chart,
    key: str,
    on_select: Literal["rerun", "ignore"] | Callable[[], None] = "ignore",
    table: bool = True,
) -> list[tuple[Any, ...]]:
    """Draw the figure, under it (where `table`) its table and a CSV; the customdata of the points clicked,
    where clicks are asked for.
    """
    event = st.plotly_chart(
        _inked(chart.figure, st.context.theme.type),
        key=key,
        on_select=on_select,
        selection_mode="points",
        alt=chart.takeaway,
        config=_CONFIG,
    )
    if table:
        with st.expander("Table", icon=":material/table:"):
            st.dataframe(chart.table, key=f"{key}/table", alt=chart.takeaway)
            st.download_button(
                "CSV",
                chart.table.to_csv(),
                f"{key.replace('/', '-')}.csv",
                "text/csv",
                key=f"{key}/csv",
                on_click="ignore",
                icon=":material/download:",
            )
    return clicked(event) if on_select != "ignore" else []


def _inked(figure: go.Figure, theme: str | None) -> go.Figure:
    """The figure with letters in the page's own colour: Streamlit's template makes them pale on a
    light page.
    """
    if theme not in INK:
        return figure
    inked = go.Figure(figure)
    inked.update_layout(
        font={"color": INK[theme]},
        title={"font": {"color": INK[theme]}},
        legend={"font": {"color": INK[theme]}},
    )
    inked.update_xaxes(tickfont={"color": INK[theme]}, title={"font": {"color": INK[theme]}})
    inked.update_yaxes(tickfont={"color": INK[theme]}, title={"font": {"color": INK[theme]}})
    return inked


def bound(epsilon: float) -> str:
    """An upper bound ε* in thousandths, rounded up: rounded down it would be none."""
    return f"{math.ceil(epsilon * 1000 - 1e-4) / 1000:.3f}"


def clicked(event: Any) -> list[tuple[Any, ...]]:
    """The customdata of the points in a selection event, each as a tuple; an empty list where nothing was
    clicked.
    """
    points = event["selection"]["points"] if event and "selection" in event else []
    return [tuple(point["customdata"]) for point in points if point.get("customdata") is not None]


def curves(
    frame: pd.DataFrame,
    x: str,
    ys: Mapping[str, str],
    *,
    title: str,
    x_title: str,
    y_title: str = "",
    caption: str = "",
    bands: Mapping[str, tuple[str, str]] | None = None,
    controls: Sequence[str] = (),
    share: bool = False,
    log_x: bool = False,
    takeaway: str = "",
) -> Chart:
    """Lines over `x`: `ys` maps a column to its name, `bands` a column to those of its lower and upper end
    (an interval, drawn as a band).

    `controls` are columns that stand back, grey and dashed. `share` fixes the axis to 0 … 1. A click on a
    point reports (row of the frame, column).
    """
    figure = go.Figure()
    for place, (column, name) in enumerate(ys.items()):
        style = _line_style(place, column in controls)
        if bands and column in bands:
            _band(figure, frame, x, bands[column], style["colour"])
        figure.add_scatter(
            x=frame[x],
            y=frame[column],
            name=name,
            mode="lines+markers",
            line={"color": style["colour"], "dash": style["dash"], "width": 2.2},
            marker={"symbol": style["symbol"], "size": 7},
            customdata=[[row, column] for row in range(len(frame))],
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    dress(figure, title, caption, x_title, y_title, share)
    figure.update_layout(hovermode="x unified", clickmode="event+select")
    if log_x:
        figure.update_xaxes(type="log")
    edges = [column for pair in (bands or {}).values() for column in pair]
    return Chart(
        figure,
        frame[[x, *ys, *edges]].rename(columns=dict(ys)),
        takeaway or f"{title}. {_course(frame, x, ys, x_title)}",
    )


def training_curves(
    frame: pd.DataFrame,
    ys: Mapping[str, str],
    *,
    title: str,
    x: str = "step",
    x_title: str = "iteration",
    y_title: str = "",
    caption: str = "",
    smooth: int = 1,
    stationary: Stretches = (),
    blocks: Stretches = (),
    controls: Mapping[str, pd.DataFrame] | None = None,
    share: bool = False,
    zero: bool = False,
    takeaway: str = "",
) -> Chart:
    """Lines along training, over `step` or `encoder_updates`.

    `smooth` > 1 draws a moving average over so many rows, the rows themselves faint behind it. `stationary`
    are stretches of x in which the gradient nearly vanishes (grey: angles mean little there), `blocks` those
    in which only the decoder moves (shaded). `controls` maps the name of another run to its frame, drawn grey
    and dashed. `zero` draws the line y = 0.
    """
    figure = go.Figure()
    for at, colour, opacity in [
        *((pair, GREY, 0.28) for pair in stationary),
        *((pair, palette.LINES[4], 0.13) for pair in blocks),
    ]:
        figure.add_vrect(x0=at[0], x1=at[1], fillcolor=colour, opacity=opacity, line_width=0, layer="below")
    for place, (column, name) in enumerate(ys.items()):
        _training_line(figure, frame, x, column, name, _line_style(place, False), smooth)
        for other, past in (controls or {}).items():
            if column in past and x in past:
                _training_line(figure, past, x, column, f"{name}, {other}", _line_style(place, True), smooth)
    _keys_of_stretches(figure, stationary, blocks)
    dress(figure, title, caption, x_title, y_title, share)
    figure.update_layout(hovermode="x unified")
    if zero:
        figure.add_hline(y=0, line={"color": GREY, "width": 1})
    kept = [column for column in ys if column in frame]
    table = (
        frame[[x, *kept]].rename(columns=dict(ys)).dropna(how="all", subset=[ys[column] for column in kept])
    )
    return Chart(
        figure,
        table,
        takeaway or f"{title}. {_course(frame, x, {column: ys[column] for column in kept}, x_title)}",
    )


def arms(
    frames: Mapping[str, pd.DataFrame],
    x: str = "step",
    ys: Mapping[str, str] | None = None,
    *,
    title: str = "The arms beside one another",
    x_title: str = "",
    caption: str = "",
    smooth: int = 1,
) -> Chart:
    """Several runs in the same small figures, one for each column of `ys`; a run keeps its colour, dash and
    symbol in all of them.
    """
    ys = ys or {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "delta_fr": "Δ_FR", "delta_fd": "Δ_FD"}
    measured = {
        (run, column)
        for run, frame in frames.items()
        for column in ys
        if column in frame and frame[column].notna().any()
    }
    present = {
        column: name for column, name in ys.items() if any((run, column) in measured for run in frames)
    }
    rows = -(-max(1, len(present)) // 2)
    figure = make_subplots(
        rows,
        min(2, max(1, len(present))),
        vertical_spacing=0.36 / max(1, rows),
        horizontal_spacing=0.1,
        subplot_titles=list(present.values()) if len(present) > 1 else None,
    )
    for place, (run, frame) in enumerate(frames.items()):
        for at, column in enumerate(present):
            if (run, column) in measured:
                known = frame[frame[column].notna()]
                style = _line_style(place, False)
                figure.add_scatter(
                    x=known[x],
                    y=known[column].rolling(smooth, min_periods=1).mean(),
                    name=run,
                    legendgroup=run,
                    showlegend=at == 0,
                    mode="lines",
                    line={"color": style["colour"], "dash": style["dash"], "width": 2},
                    row=at // 2 + 1,
                    col=at % 2 + 1,
                    hovertemplate=f"{run}: %{{y:.3f}}<extra></extra>",
                )
    dress(figure, title, caption, "", "", False)
    figure.update_xaxes(title=x_title or x.replace("_", " "))
    figure.update_layout(height=130 + 260 * rows, legend={"y": -0.3 / rows})
    figure.update_annotations(font={"size": 13})
    kept = [
        frame[[column for column in (x, *present) if column in frame]].assign(run=run)
        for run, frame in frames.items()
    ]
    table = pd.concat(kept or [pd.DataFrame()])
    last = [
        f"{run} {name} {frames[run][column].dropna().iloc[-1]:.3f}"
        for column, name in list(present.items())[:1]
        for run in frames
        if (run, column) in measured
    ]
    return Chart(
        figure,
        table.rename(columns=present),
        f"{title}. At the end: {', '.join(last) or 'nothing measured yet'}.",
    )


def sparkline(values: Sequence[float], name: str, *, colour: str = palette.LINES[0]) -> Chart:
    """A line without axes, for a table or a card: where it came from, where it is."""
    known = pd.Series(values, dtype=float)
    figure = go.Figure(
        go.Scatter(
            y=known,
            mode="lines",
            line={"color": colour, "width": 2},
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[len(known) - 1],
        y=known.tail(1),
        mode="markers",
        marker={"color": colour, "size": 7},
        hoverinfo="skip",
    )
    figure.update_layout(
        height=60,
        margin={"l": 2, "r": 6, "t": 4, "b": 4},
        showlegend=False,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    course = (
        f"from {known.dropna().iloc[0]:.3f} to {known.dropna().iloc[-1]:.3f}"
        if known.notna().any()
        else "nothing yet"
    )
    return Chart(figure, pd.DataFrame({name: known}), f"{name}: {course}.")


def confusion(
    matrix: Array,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    title: str,
    row_title: str,
    column_title: str,
    caption: str = "",
    chosen: tuple[int, int] | None = None,
    texts: Sequence[Sequence[str]] | None = None,
    takeaway: str = "",
) -> Chart:
    """A matrix of counts (or other non-negative numbers; NaN: no value) whose cells and headers can be
    clicked.

    A click reports (row, column); on a row's header (row, −1), on a column's (−1, column). `chosen` is
    outlined, with −1 a whole row or column. `texts` replaces the numbers in the cells.
    """
    return _matrix(
        matrix,
        row_names,
        column_names,
        title=title,
        titles=(row_title, column_title),
        caption=caption,
        chosen=chosen,
        texts=texts,
        takeaway=takeaway,
        signed=False,
    )


def difference(
    matrix: Array,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    title: str,
    row_title: str,
    column_title: str,
    caption: str = "",
    chosen: tuple[int, int] | None = None,
    takeaway: str = "",
) -> Chart:
    """A matrix of changes: vermillion where there is more than before, blue where less, clear at zero. Clicks
    as in `confusion`.
    """
    return _matrix(
        matrix,
        row_names,
        column_names,
        title=title,
        titles=(row_title, column_title),
        caption=caption,
        chosen=chosen,
        texts=None,
        takeaway=takeaway,
        signed=True,
    )


def _matrix(
    matrix: Array,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    title: str,
    titles: tuple[str, str],
    caption: str,
    chosen: tuple[int, int] | None,
    texts: Sequence[Sequence[str]] | None,
    takeaway: str,
    signed: bool,
) -> Chart:
    values = np.asarray(matrix, dtype=float)
    if values.shape != (len(row_names), len(column_names)):
        raise ValueError(
            f"a matrix needs a name for each row and column; got {len(row_names)} and {len(column_names)} for"
            f" {values.shape}"
        )
    reach = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    written = (
        [[_number(value, signed) for value in row] for row in values]
        if texts is None
        else [list(row) for row in texts]
    )
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=-reach if signed else 0,
            zmax=reach or 1,
            colorscale=_SIGNED if signed else _COUNTS,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    _cells(figure, values, written, row_names, column_names, titles, reach)
    _headers(figure, row_names, column_names, titles)
    if chosen is not None:
        figure.add_shape(**_outline(chosen, values.shape))
    dress(figure, title, caption, "", "", False)
    figure.update_layout(
        hovermode="closest",
        hoverdistance=-1,
        clickmode="event+select",
        dragmode=False,
        showlegend=False,
        height=136 + 34 * (len(row_names) + 1),
        margin={"l": 6, "r": 6, "b": 6, "t": figure.layout.margin.t + 6},
    )
    figure.update_xaxes(visible=False, range=[-1.5, len(column_names) - 0.5], fixedrange=True)
    figure.update_yaxes(visible=False, range=[len(row_names) - 0.5, -1.7], fixedrange=True)
    table = pd.DataFrame(
        values, index=pd.Index(row_names, name=titles[0]), columns=pd.Index(column_names, name=titles[1])
    )
    return Chart(
        figure, table, takeaway or f"{title}. {_extreme(values, row_names, column_names, titles, signed)}"
    )


def _cells(
    figure: go.Figure,
    values: Array,
    written: Sequence[Sequence[str]],
    row_names: Sequence[str],
    column_names: Sequence[str],
    titles: tuple[str, str],
    reach: float,
) -> None:
    """The numbers, on clear points that carry (row, column): a heat map itself reports no clicks."""
    strong = np.abs(np.nan_to_num(values)) > 0.55 * reach
    for wanted, colour in ((False, None), (True, "#FFFFFF")):
        cells = np.argwhere(strong == wanted).tolist()  # plain lists: numpy's arrive as text
        figure.add_scatter(
            x=[column for _, column in cells],
            y=[row for row, _ in cells],
            customdata=cells,
            mode="markers+text",
            text=[written[row][column] for row, column in cells],
            hovertext=[
                f"{titles[0]} {row_names[row]}, {titles[1]} {column_names[column]}: {written[row][column]}"
                for row, column in cells
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            textfont={"color": colour, "size": 12},
            marker={"opacity": 0, "size": 24},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}, "textfont": {"color": colour or GREY}},
        )


def _headers(
    figure: go.Figure, row_names: Sequence[str], column_names: Sequence[str], titles: tuple[str, str]
) -> None:
    """Names of rows and columns, as points that carry (row, −1) and (−1, column)."""
    rows, columns = range(len(row_names)), range(len(column_names))
    places = {"x": [-1.0] * len(rows) + list(columns), "y": [*rows, *([-1.0] * len(columns))]}
    figure.add_scatter(
        **places,
        mode="markers+text",
        text=[_short(name) for name in (*row_names, *column_names)],
        customdata=[[row, -1] for row in rows] + [[-1, column] for column in columns],
        hovertext=[
            f"all of {title} {name}"
            for title, names in zip(titles, (row_names, column_names), strict=True)
            for name in names
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        textfont={"size": 12, "weight": 600},
        marker={"opacity": 0, "size": 24},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}, "textfont": {"color": GREY}},
    )
    figure.add_annotation(
        x=-1.5,
        y=-1.62,
        text=f"{titles[0]} ↓   {titles[1]} →",
        showarrow=False,
        xanchor="left",
        yanchor="middle",
        font={"size": 11},
    )


def _outline(chosen: tuple[int, int], shape: tuple[int, ...]) -> dict[str, Any]:
    row, column = chosen
    across = (-0.5, shape[1] - 0.5) if column < 0 else (column - 0.5, column + 0.5)
    down = (-0.5, shape[0] - 0.5) if row < 0 else (row - 0.5, row + 0.5)
    return {
        "type": "rect",
        "x0": across[0],
        "x1": across[1],
        "y0": down[0],
        "y1": down[1],
        "line": {"color": BRIGHTER, "width": 3},
    }


def _extreme(
    values: Array,
    row_names: Sequence[str],
    column_names: Sequence[str],
    titles: tuple[str, str],
    signed: bool,
) -> str:
    if not np.isfinite(values).any():
        return "No value is known."
    row, column = divmod(int(np.nanargmax(np.abs(values))), values.shape[1])
    kind = "largest change" if signed else "largest cell"
    return (
        f"The {kind} is {titles[0]} {row_names[row]}, {titles[1]} {column_names[column]}:"
        f" {_number(values[row, column], signed)}."
    )


def bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    y_title: str = "",
    caption: str = "",
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    controls: Sequence[str] = (),
    share: bool = False,
    takeaway: str = "",
) -> Chart:
    """A lying bar a name, with its interval where `low` and `high` are given; `controls` are grey and
    hatched. A click reports (place,).
    """
    lines = ["<br>".join(textwrap.wrap(name, NAME_LETTERS)) for name in names]
    figure = go.Figure(
        go.Bar(
            y=lines,
            x=list(values),
            orientation="h",
            customdata=[[place] for place in range(len(names))],
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            marker={
                "color": [GREY if name in controls else BLUE for name in names],
                "pattern": {"shape": ["/" if name in controls else "" for name in names]},
            },
            error_x=_interval(values, low, high),
        )
    )
    dress(figure, title, caption, y_title, "", False)
    figure.update_layout(clickmode="event+select", showlegend=False, height=110 + 42 * len(names))
    figure.update_xaxes(range=[-0.02, 1.02] if share else None)
    figure.update_yaxes(autorange="reversed")
    ends = {name: list(end) for name, end in (("low", low), ("high", high)) if end is not None}
    table = pd.DataFrame({"": list(names), y_title or "value": list(values)} | ends)
    known = [(value, name) for name, value in zip(names, values, strict=True) if value == value]
    said = (
        "; ".join(f"{name}: {value:.3f}" for value, name in sorted(known, reverse=True)[:6])
        or "no value is known"
    )
    return Chart(figure, table.set_index(""), takeaway or f"{title}. {said[0].upper()}{said[1:]}.")


def _interval(
    values: Sequence[float], low: Sequence[float] | None, high: Sequence[float] | None
) -> dict[str, Any] | None:
    if low is None or high is None:
        return None
    middle = np.asarray(values, dtype=float)
    return {
        "type": "data",
        "symmetric": False,
        "array": np.asarray(high, dtype=float) - middle,
        "arrayminus": middle - np.asarray(low, dtype=float),
        "color": GREY,
        "thickness": 2,
    }


_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 3},
}
_COUNTS = [
    [0, "rgba(0,114,178,0.03)"],
    [0.0001, "rgba(0,114,178,0.10)"],
    [0.5, "rgba(0,114,178,0.5)"],
    [1, "rgba(0,98,155,1)"],
]
_SIGNED = [[0, DARKER], [0.5, "rgba(128,128,128,0.06)"], [1, BRIGHTER]]


def _line_style(place: int, control: bool) -> dict[str, str]:
    if control:
        return {"colour": GREY, "dash": "dot" if place % 2 else "dash", "symbol": "circle-open"}
    return {
        "colour": palette.LINES[place % len(palette.LINES)],
        "dash": palette.DASHES[place % len(palette.DASHES)],
        "symbol": palette.MARKERS[place % len(palette.MARKERS)],
    }


def _band(figure: go.Figure, frame: pd.DataFrame, x: str, ends: tuple[str, str], colour: str) -> None:
    low, high = ends
    figure.add_scatter(
        x=[*frame[x], *frame[x][::-1]],
        y=[*frame[high], *frame[low][::-1]],
        fill="toself",
        fillcolor=_faint(colour, 0.16),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _training_line(
    figure: go.Figure, frame: pd.DataFrame, x: str, column: str, name: str, style: dict[str, str], smooth: int
) -> None:
    if column not in frame or x not in frame:
        return
    known = frame[frame[column].notna()]
    if smooth > 1:
        figure.add_scatter(
            x=known[x],
            y=known[column],
            mode="lines",
            line={"color": _faint(style["colour"], 0.3), "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=known[x],
        y=known[column].rolling(smooth, min_periods=1).mean(),
        name=name,
        mode="lines",
        line={"color": style["colour"], "dash": style["dash"], "width": 2.2},
        hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
    )


def _keys_of_stretches(figure: go.Figure, stationary: Stretches, blocks: Stretches) -> None:
    """Legend entries for what is shaded: a shape has none of its own."""
    for there, colour, opacity, name in (
        (stationary, GREY, 0.45, "gradient nearly zero"),
        (blocks, palette.LINES[4], 0.35, "only the decoder moves"),
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


def dress(
    figure: go.Figure, title: str, caption: str, x_title: str = "", y_title: str = "", share: bool = False
) -> None:
    """Title with its caption, axes, legend below, clear background."""
    lines = textwrap.wrap(caption, CAPTION_LETTERS)
    figure.update_layout(
        title={
            "text": title,
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 11}},
            "x": 0,
            "xanchor": "left",
            "font": {"size": 15},
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 10, "l": 4},
        },
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        height=380,
        margin={"l": 8, "r": 8, "t": 50 + 16 * len(lines), "b": 8},
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "title": None},
    )
    figure.update_xaxes(title=x_title, automargin=True)
    figure.update_yaxes(title=y_title, automargin=True, **({"range": [-0.02, 1.02]} if share else {}))


def _course(frame: pd.DataFrame, x: str, ys: Mapping[str, str], x_title: str) -> str:
    """Where each line begins and ends, in words."""
    told = []
    for column, name in ys.items():
        known = frame[frame[column].notna()]
        if len(known):
            first, last = known.iloc[0], known.iloc[-1]
            told.append(
                f"{name} goes from {first[column]:.3f} at {first[x]:.4g} to {last[column]:.3f} at"
                f" {last[x]:.4g}"
            )
    return f"Over {x_title}: {'; '.join(told)}." if told else "Nothing was measured yet."


def _faint(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _number(value: float, signed: bool) -> str:
    if value != value:
        return "–"
    if value == 0:
        return "0" if not signed else ""
    whole = float(value).is_integer()
    return f"{value:{'+' if signed else ''}{',.0f' if whole else '.3f'}}".replace("-", "−")


def _short(name: str, letters: int = 9) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"
