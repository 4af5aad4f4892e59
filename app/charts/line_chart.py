"""Lines over an axis, with intervals as bands."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette, plot
from app.words import _


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
) -> plot.Chart:
    """Lines over `x`: `ys` maps a column to its name, `bands` a column to those of its lower and upper end
    (an interval, drawn as a band).

    `controls` are columns that stand back, grey and dashed. `share` fixes the axis to 0 … 1. A click on a
    point reports (row of the frame, column).
    """
    figure, bands = go.Figure(), bands or {}
    for place, (column, name) in enumerate(ys.items()):
        control = column in controls
        style = style_of(list(controls).index(column) if control else place, control)
        if column in bands:
            _band(figure, frame, x, bands[column], style["colour"])
        _marked_line(figure, frame, x, column, name, style)
    plot.dress(figure, title, caption, x_title, y_title, share)
    figure.update_layout(hovermode="x unified", clickmode="event+select")
    if log_x:
        figure.update_xaxes(type="log")
    edges = [column for pair in bands.values() for column in pair]
    table = frame[[x, *ys, *edges]].rename(columns=dict(ys))
    return plot.Chart(figure, table, takeaway or f"{plot.ended(title)} {course(frame, x, ys, x_title)}")


def _marked_line(
    figure: go.Figure, frame: pd.DataFrame, x: str, column: str, name: str, style: dict[str, str]
) -> None:
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


def _band(figure: go.Figure, frame: pd.DataFrame, x: str, ends: tuple[str, str], colour: str) -> None:
    low, high = ends
    figure.add_scatter(
        x=[*frame[x], *frame[x][::-1]],
        y=[*frame[high], *frame[low][::-1]],
        fill="toself",
        fillcolor=faint(colour, 0.16),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def style_of(place: int, control: bool = False) -> dict[str, str]:
    """Colour, dash and symbol of the line at a place; those of controls are grey."""
    if control:
        symbol = f"{palette.MARKERS[place % len(palette.MARKERS)]}-open"
        return {"colour": plot.GREY, "dash": "dot" if place % 2 else "dash", "symbol": symbol}
    return {
        "colour": palette.LINES[place % len(palette.LINES)],
        "dash": palette.DASHES[place % len(palette.DASHES)],
        "symbol": palette.MARKERS[place % len(palette.MARKERS)],
    }


def course(frame: pd.DataFrame, x: str, ys: Mapping[str, str], x_title: str) -> str:
    """Where each line begins and ends, in words."""
    parts = []
    for column, name in ys.items():
        known = frame[frame[column].notna()]
        if len(known):
            first, last = known.iloc[0], known.iloc[-1]
            parts.append(
                _("{name} goes from {first:.3f} at {start:.4g} to {last:.3f} at {end:.4g}").format(
                    name=name, first=first[column], start=first[x], last=last[column], end=last[x]
                )
            )
    if not parts:
        return _("Nothing was measured yet.")
    return _("Over {axis}: {courses}.").format(axis=x_title, courses="; ".join(parts))


def faint(colour: str, alpha: float) -> str:
    """A colour (#rrggbb) that lets through what is behind it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
