"""Lying bars, with their intervals."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import plot
from app.words import _

NAME_LETTERS = 22
"""A line of a bar's name."""
LINE = 15
"""Pixels of such a line."""


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
) -> plot.Chart:
    """A lying bar a name, with its interval where `low` and `high` are given; `controls` are grey and
    hatched. A click reports (place,).
    """
    wrapped = [textwrap.wrap(name, NAME_LETTERS) for name in names]
    figure = go.Figure(
        go.Bar(
            y=["<br>".join(lines) for lines in wrapped],
            x=list(values),
            orientation="h",
            customdata=[[place] for place in range(len(names))],
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            marker={
                "color": [plot.GREY if name in controls else plot.BLUE for name in names],
                "pattern": {"shape": ["/" if name in controls else "" for name in names]},
            },
            error_x=_interval(values, low, high),
        )
    )
    plot.dress(figure, title, caption, y_title)
    tall = max(42, 8 + LINE * max(map(len, wrapped), default=1))
    figure.update_layout(clickmode="event+select", showlegend=False, height=110 + tall * len(names))
    figure.update_xaxes(range=[-0.02, 1.02] if share else None)
    figure.update_yaxes(autorange="reversed")
    ends = {name: list(end) for name, end in ((_("low"), low), (_("high"), high)) if end is not None}
    table = pd.DataFrame({"": list(names), y_title or _("value"): list(values)} | ends)
    return plot.Chart(
        figure, table.set_index(""), takeaway or f"{plot.ended(title)} {_longest(names, values)}"
    )


def _longest(names: Sequence[str], values: Sequence[float]) -> str:
    """The six longest bars, in words."""
    known = [(value, name) for name, value in zip(names, values, strict=True) if value == value]
    words = "; ".join(f"{name}: {value:.3f}" for value, name in sorted(known, reverse=True)[:6])
    return f"{words[0].upper()}{words[1:]}." if words else _("No value is known.")


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
        "color": plot.GREY,
        "thickness": 2,
    }
