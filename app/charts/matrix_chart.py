"""Matrices of counts or of changes, whose cells and headers can be clicked."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.address import ramp
from app.charts import contrast, palette, plot
from app.words import _

Array = NDArray[Any]
Places = tuple[Sequence[int], Sequence[int]]
"""Places in the palette of what rows and columns stand for."""
LETTERS, WORD = 9, 7
"""A header at most, and what of it stands beside another word."""
GROWING = ((0.0, 0.03), (0.0001, 0.10), (0.5, 0.5), (1.0, 1.0))
"""Share of the largest count -> how strongly the hue covers the page."""
SIGNED = ((0.0, (*palette.NEGATIVE, 1)), (0.5, (128, 128, 128, 0.06)), (1.0, (*palette.POSITIVE, 1)))


@dataclass(frozen=True)
class Matrix:
    """What is drawn: `values` (r, c), names of rows and columns, and what rows and columns are (`titles`).

    `signed` values are changes. `texts` replaces the numbers in the cells, `places` colours the headers.
    """

    values: Array
    row_names: Sequence[str]
    column_names: Sequence[str]
    titles: tuple[str, str]
    signed: bool
    texts: Sequence[Sequence[str]] | None = None
    places: Places | None = None

    @property
    def scale(self) -> contrast.Stops:
        """The colours of its cells, from the smallest value to the largest."""
        if self.signed:
            return SIGNED
        hue = palette.HUES[ramp.chosen()]
        return tuple((share, (*hue, alpha)) for share, alpha in GROWING)

    def letters(self, theme: str) -> Array:
        """The colour (r, c) of the number in each cell."""
        shares = np.nan_to_num(self.values) / (self.reach or 1)
        shares = (shares + 1) / 2 if self.signed else shares
        page, ink = contrast.rgb(plot.PAGE[theme]), plot.INK[theme]
        found = [
            [contrast.letters(contrast.ground(self.scale, share, page), ink) for share in row]
            for row in shares
        ]
        return np.array(found).reshape(self.values.shape)

    @property
    def reach(self) -> float:
        """The largest absolute value; 0 where none is known."""
        known = np.isfinite(self.values)
        return float(np.abs(self.values[known]).max()) if known.any() else 0.0

    @property
    def written(self) -> list[list[str]]:
        """What stands in each cell."""
        if self.texts is not None:
            return [list(row) for row in self.texts]
        return [[_number(value, self.signed) for value in row] for row in self.values]

    def cell(self, row: int, column: int) -> str:
        """A cell's name."""
        return f"{self.titles[0]} {self.row_names[row]}, {self.titles[1]} {self.column_names[column]}"

    def extreme(self) -> str:
        """Its largest cell, in a sentence."""
        if not np.isfinite(self.values).any():
            return _("No value is known.")
        row, column = divmod(int(np.nanargmax(np.abs(self.values))), self.values.shape[1])
        said = (
            _("The largest change is {cell}: {value}.")
            if self.signed
            else _("The largest cell is {cell}: {value}.")
        )
        value = _number(self.values[row, column], self.signed)
        return said.format(cell=self.cell(row, column), value=value)


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
    places: Places | None = None,
    takeaway: str = "",
) -> plot.Chart:
    """A matrix of counts (or other non-negative numbers; NaN: no value) whose cells and headers can be
    clicked.

    A click reports (row, column); on a row's header (row, −1), on a column's (−1, column). `chosen` is
    outlined, with −1 a whole row or column. `texts` replaces the numbers in the cells; `places` are those of
    the classes of rows and columns in the palette. Raises ValueError where a row or column has no name.
    """
    drawn = _named(matrix, row_names, column_names, (row_title, column_title), False, texts, places)
    return _chart(drawn, title, caption, chosen, takeaway)


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
    places: Places | None = None,
    takeaway: str = "",
) -> plot.Chart:
    """A matrix of changes: vermillion where there is more than before, blue where less, clear at zero. Clicks
    and errors as in `confusion`.
    """
    drawn = _named(matrix, row_names, column_names, (row_title, column_title), True, None, places)
    return _chart(drawn, title, caption, chosen, takeaway)


def _named(
    matrix: Array,
    row_names: Sequence[str],
    column_names: Sequence[str],
    titles: tuple[str, str],
    signed: bool,
    texts: Sequence[Sequence[str]] | None,
    places: Places | None,
) -> Matrix:
    values = np.asarray(matrix, dtype=float)
    if values.shape != (len(row_names), len(column_names)):
        raise ValueError(
            f"a matrix needs a name for each row and column; got {len(row_names)} and {len(column_names)} for"
            f" {values.shape}"
        )
    return Matrix(values, row_names, column_names, titles, signed, texts, places)


def _chart(
    drawn: Matrix, title: str, caption: str, chosen: tuple[int, int] | None, takeaway: str
) -> plot.Chart:
    figure = go.Figure(_heat_map(drawn))
    _cells(figure, drawn)
    _headers(figure, drawn)
    if chosen is not None:
        figure.add_shape(**_outline(chosen, drawn.values.shape))
    plot.dress(figure, title, caption)
    _without_axes(figure, drawn)
    rows, columns = (
        pd.Index(names, name=name)
        for names, name in zip((drawn.row_names, drawn.column_names), drawn.titles, strict=True)
    )
    table = pd.DataFrame(drawn.values, index=rows, columns=columns)
    return plot.Chart(figure, table, takeaway or f"{plot.ended(title)} {drawn.extreme()}")


def _heat_map(drawn: Matrix) -> go.Heatmap:
    return go.Heatmap(
        z=drawn.values,
        zmin=-drawn.reach if drawn.signed else 0,
        zmax=drawn.reach or 1,
        colorscale=[[share, f"rgba{rgba}"] for share, rgba in drawn.scale],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )


def _without_axes(figure: go.Figure, drawn: Matrix) -> None:
    """Room for the headers, which stand in the place of axes; a click selects, a drag does nothing."""
    figure.update_layout(
        hovermode="closest",
        hoverdistance=-1,
        clickmode="event+select",
        dragmode=False,
        showlegend=False,
        height=136 + 34 * (len(drawn.row_names) + 1),
        margin={"l": 6, "r": 6, "b": 6, "t": figure.layout.margin.t + 6},
    )
    figure.update_xaxes(visible=False, range=[-1.5, len(drawn.column_names) - 0.5], fixedrange=True)
    figure.update_yaxes(visible=False, range=[len(drawn.row_names) - 0.5, -1.7], fixedrange=True)


def _cells(figure: go.Figure, drawn: Matrix) -> None:
    """The numbers, on clear points that carry (row, column): a heat map itself reports no clicks."""
    written, letters = drawn.written, drawn.letters("dark" if plot.dark() else "light")
    for colour in np.unique(letters).tolist():
        cells = np.argwhere(letters == colour).tolist()  # plain lists: numpy's arrive as text
        figure.add_scatter(
            x=[column for _, column in cells],
            y=[row for row, _ in cells],
            customdata=cells,
            mode="markers+text",
            text=[written[row][column] for row, column in cells],
            hovertext=[f"{drawn.cell(row, column)}: {written[row][column]}" for row, column in cells],
            hovertemplate="%{hovertext}<extra></extra>",
            textfont={"color": colour, "size": 12},
            marker={"opacity": 0, "size": 24},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}, "textfont": {"color": colour}},
        )


def _headers(figure: go.Figure, drawn: Matrix) -> None:
    """Names of rows and columns, as points that carry (row, −1) and (−1, column)."""
    names = (drawn.row_names, drawn.column_names)
    rows, columns = (list(range(len(each))) for each in names)
    figure.add_scatter(
        x=[-1.0] * len(rows) + columns,
        y=rows + [-1.0] * len(columns),
        mode="markers+text",
        text=[*map(_in_lines, drawn.row_names), *map(_short, drawn.column_names)],
        customdata=[[row, -1] for row in rows] + [[-1, column] for column in columns],
        hovertext=[
            _("all of {title} {name}").format(title=title, name=name)
            for title, each in zip(drawn.titles, names, strict=True)
            for name in each
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        textfont={"size": 12, "weight": 600},
        marker={"opacity": 0, "size": 24},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}, "textfont": {"color": plot.ink()}},
    )
    if drawn.places is not None:
        _swatches(figure, *drawn.places)
    figure.add_annotation(
        x=-1.5,
        y=-1.62,
        text=f"{drawn.titles[0]} ↓   {drawn.titles[1]} →",
        showarrow=False,
        xanchor="left",
        yanchor="middle",
        font={"size": 11},
    )


def _swatches(figure: go.Figure, rows: Sequence[int], columns: Sequence[int]) -> None:
    """The colours of the classes of rows and columns, between their names and the cells."""
    figure.add_scatter(
        x=[-0.6] * len(rows) + list(range(len(columns))),
        y=list(range(len(rows))) + [-0.62] * len(columns),
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [plot.category(place) for place in (*rows, *columns)],
            "symbol": ["line-ns"] * len(rows) + ["line-ew"] * len(columns),
            "size": 14,
            "line": {"width": 4, "color": [plot.category(place) for place in (*rows, *columns)]},
        },
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
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
        "line": {"color": plot.BRIGHTER, "width": 3},
    }


def _number(value: float, signed: bool) -> str:
    if value != value:
        return "–"
    if value == 0:
        return "0" if not signed else ""
    whole = float(value).is_integer()
    return f"{value:{'+' if signed else ''}{',.0f' if whole else '.3f'}}".replace("-", "−")


def _in_lines(name: str) -> str:
    """A row's name, in two lines where these hold it: on a phone a row's header is a cell wide."""
    lines = textwrap.wrap(name, WORD, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(lines) if len(lines) == 2 and max(map(len, lines)) <= LETTERS else _short(name)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
