"""Numbers in the cells of a matrix are read on both pages, and a class has one colour on both."""

import colorsys
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st

from app.charts import contrast, matrix_chart, palette, plot

CONFIG = tomllib.loads((Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text())["theme"]
VALUES = np.linspace(0, 200, 121).reshape(11, 11)
NAMES = [f"class {number}" for number in range(11)]


def seen(figure: go.Figure, page: contrast.Colour) -> dict[tuple[int, int], contrast.Colour]:
    """The colour (red, green, blue) of every cell as Plotly mixes it, over the page."""
    heat = figure.data[0]
    stops = [
        (share, [float(part) for part in re.findall(r"[\d.]+", rgba)]) for share, rgba in heat.colorscale
    ]
    found = {}
    for row, column in np.ndindex(*np.shape(heat.z)):
        share = (heat.z[row][column] - heat.zmin) / (heat.zmax - heat.zmin)
        at = [
            np.interp(share, [stop for stop, _ in stops], [parts[i] for _, parts in stops]) for i in range(4)
        ]
        mixed = [at[3] * own + (1 - at[3]) * below for own, below in zip(at[:3], page, strict=True)]
        found[row, column] = (mixed[0], mixed[1], mixed[2])
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("signed", [False, True])
def test_every_cell_of_a_matrix_is_read(theme: str, signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(theme=SimpleNamespace(type=theme)))
    draw = matrix_chart.difference if signed else matrix_chart.confusion
    values = VALUES - 100 if signed else VALUES
    figure = draw(values, NAMES, NAMES, title="t", row_title="r", column_title="c").figure
    ground = seen(figure, contrast.rgb(CONFIG[theme]["backgroundColor"]))
    read = 0
    for trace in figure.data[1:]:
        for cell in trace.customdata if trace.mode == "markers+text" else ():
            if min(cell) < 0:
                below = contrast.rgb(CONFIG[theme]["backgroundColor"])
                letters = [trace.unselected.textfont.color]
            else:
                below, read = ground[tuple(cell)], read + 1
                letters = [trace.textfont.color, trace.unselected.textfont.color]
            for colour in letters:
                assert contrast.ratio(contrast.rgb(colour), below) >= 4.5, (cell, colour, below)
    assert read == VALUES.size


def test_contrast_is_that_of_wcag() -> None:
    assert contrast.ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast.ratio(contrast.rgb("#767676"), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)


def test_a_class_keeps_its_hue_on_a_dark_page_and_is_seen_on_both() -> None:
    assert len(palette.LIGHT) == len(palette.DARK) == len(set(palette.LIGHT)) == len(set(palette.DARK))
    for place, pair in enumerate(zip(palette.LIGHT, palette.DARK, strict=True)):
        hues = [colorsys.rgb_to_hls(*(part / 255 for part in contrast.rgb(colour)))[0] for colour in pair]
        apart = abs(hues[0] - hues[1])
        assert min(apart, 1 - apart) < 0.06, (place, pair)
        for colour, theme in zip(pair, ("light", "dark"), strict=True):
            page = contrast.rgb(CONFIG[theme]["backgroundColor"])
            assert contrast.ratio(contrast.rgb(colour), page) >= 1.6, (place, theme)


def test_streamlits_own_charts_have_the_same_colours_and_pages() -> None:
    for theme, colours in (("light", palette.LIGHT), ("dark", palette.DARK)):
        assert CONFIG[theme]["chartCategoricalColors"] == list(colours[:10])
        assert CONFIG[theme]["backgroundColor"] == plot.PAGE[theme]
