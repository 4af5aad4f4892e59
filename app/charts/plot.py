"""What every chart is: the figure, the table behind it, and one sentence that says what it shows, which is
also its text for people who do not see it. Only `show` draws on the page.

Title and caption carry units and protocol. Colours are Okabe and Ito's; dashes and symbols say the same
again. The background is clear, so that one figure serves the light and the dark page; Streamlit's theme sets
the text.
"""

import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app import take_away
from app.charts import palette
from app.components.figure import figure
from app.words import _

CAPTION_LETTERS = 62
"""A caption's line: what a phone of 390 pixels holds."""
CLEAR = "rgba(0,0,0,0)"
GREY = palette.QUIET
INK = {"light": "#3A4654", "dark": "#C9D2DB"}
INK_FOLLOWS = f"""<style>
.js-plotly-plot :is(.gtitle, .gtitle-subtitle, .xtitle, .ytitle, .xtick > text, .ytick > text, .legendtext) {{
  fill: light-dark({INK["light"]}, {INK["dark"]}) !important; }}
</style>"""
"""By this the letters of figures follow a theme that changes while somebody looks."""
PAGE = {"light": "#FFFFFF", "dark": "#12171D"}
"""Backgrounds of .streamlit/config.toml."""
BLUE, DARKER, BRIGHTER = (
    f"rgb({','.join(map(str, colour))})" for colour in ((0, 114, 178), palette.NEGATIVE, palette.POSITIVE)
)
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 3},
}


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
    """Draw the figure, under it (where `table`) its table and what is taken away; the customdata of points
    clicked, where clicks are asked for.
    """
    event = st.plotly_chart(
        _inked(with_room(chart.figure), st.context.theme.type),
        key=key,
        on_select=on_select,
        selection_mode="points",
        alt=chart.takeaway,
        config=CONFIG,
    )
    if table:
        with st.expander(_("Table, and this figure to take away"), icon=":material/table:"):
            st.dataframe(chart.table, key=f"{key}/table", alt=chart.takeaway)
            name = f"feint-{key.replace('/', '-')}"
            take_away.table(chart.table, name, key, index=not isinstance(chart.table.index, pd.RangeIndex))
            figure(key, name)
    return clicked(event) if on_select != "ignore" else []


def stand(figure: go.Figure, x: float, words: str) -> None:
    """An upright line where a person stands on the axis, named above the figure."""
    line = {"color": GREY, "dash": "dot", "width": 1.5}
    figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    figure.add_annotation(x=x, y=1, yref="paper", yanchor="bottom", text=words, showarrow=False)


def with_room(figure: go.Figure) -> go.Figure:
    """The figure; along an axis on which its lines have one value only, from 0 to twice that value: alone it
    would stand on an axis from one below to one above it.
    """
    lines = [trace for trace in figure.data if trace.type == "scatter" and "lines" in (trace.mode or "")]
    for name, axis in (("x", figure.layout.xaxis), ("y", figure.layout.yaxis)):
        values = [number for trace in lines for number in _numbers(getattr(trace, name))]
        if axis.range is None and axis.type != "log" and values and len(set(values)) == 1:
            axis.range = sorted((0.0, 2 * values[0] or 1.0))
    return figure


def _numbers(values: Any) -> list[float]:
    """The finite numbers of a trace; none where it has none or is no row of numbers."""
    found = pd.to_numeric(pd.Series([] if values is None else list(values), dtype=object), errors="coerce")
    return [float(number) for number in found if math.isfinite(number)]


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


def clicked(event: Any) -> list[tuple[Any, ...]]:
    """The customdata of the points in a selection event, each as a tuple; an empty list where nothing was
    clicked.
    """
    points = event["selection"]["points"] if event and "selection" in event else []
    return [tuple(point["customdata"]) for point in points if point.get("customdata") is not None]


def dress(
    figure: go.Figure, title: str, caption: str, x_title: str = "", y_title: str = "", share: bool = False
) -> None:
    """Title with its caption, axes, legend below, clear background."""
    lines = _lines(caption)
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
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom", "x": 0, "title": None},
    )
    figure.update_xaxes(title=x_title, automargin=True)
    figure.update_yaxes(title=y_title, automargin=True, **({"range": [-0.02, 1.02]} if share else {}))


def _lines(caption: str) -> list[str]:
    """A caption in lines, none of which ends within "λ = 0"."""
    whole = re.sub(" ([=≤≥]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", caption)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(whole, CAPTION_LETTERS)]


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """The colour of letters on the page as it is."""
    return INK["dark" if dark() else "light"]


def category(place: int) -> str:
    """The colour of a class or cluster by its place in the palette, on the page as it is."""
    return palette.category(place, dark())


def ended(title: str) -> str:
    """A title as a sentence of its own: with a full stop, unless it ends in a mark already."""
    return title if title.endswith(("?", "!", ".")) else f"{title}."


def bound(epsilon: float) -> str:
    """An upper bound ε* in thousandths, rounded up: rounded down it would be none."""
    return f"{math.ceil(epsilon * 1000 - 1e-4) / 1000:.3f}"
