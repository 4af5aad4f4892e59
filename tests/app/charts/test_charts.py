"""Charts: the table behind each, what a click reports, what is said to people who do not see them."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.charts import bar_chart, line_chart, matrix_chart, palette, plot, training_chart
from tests.browser.harness import samples

ALL = {"confusion": samples.confusion_chart(), **samples.other_charts()}


def points(chart: plot.Chart) -> dict[tuple[int, int], tuple[float, float]]:
    """(row, column) of every clickable point -> its place."""
    return {
        tuple(said): (x, y)
        for trace in chart.figure.data
        if trace.type == "scatter"
        for said, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }


@pytest.mark.parametrize("name", list(ALL))
def test_every_chart_has_a_table_a_sentence_and_a_clear_background(name: str) -> None:
    chart = ALL[name]
    assert len(chart.table) > 0
    assert chart.takeaway.endswith(".") and len(chart.takeaway) > 10
    assert chart.figure.layout.paper_bgcolor == chart.figure.layout.plot_bgcolor == plot.CLEAR


def test_every_cell_and_header_of_a_matrix_can_be_clicked() -> None:
    chart = matrix_chart.confusion(
        np.arange(6).reshape(2, 3),
        ["a", "b"],
        ["x", "y", "z"],
        title="t",
        row_title="label",
        column_title="cluster",
    )
    places = points(chart)
    assert set(places) == {(row, column) for row in range(-1, 2) for column in range(-1, 3)} - {(-1, -1)}
    assert places[1, 2] == (2, 1) and places[1, -1] == (-1, 1) and places[-1, 2] == (2, -1)
    assert not [
        trace for trace in chart.figure.data if trace.type == "scatter" and trace.hoverinfo == "skip"
    ], "skip kills the click"
    assert chart.table.loc["b", "z"] == 5
    assert "label b, cluster z: 5" in chart.takeaway


def test_a_rows_name_in_two_words_stands_in_two_lines_and_one_long_word_is_cut() -> None:
    names = ["ohne Angriff", "view 1", "Automobile"]
    chart = matrix_chart.confusion(np.eye(3), names, names, title="t", row_title="r", column_title="c")
    rows = next(trace.text for trace in chart.figure.data if trace.text and "view 1" in trace.text)
    assert rows[:3] == ("ohne<br>Angriff", "view 1", "Automobi…") and rows[3] == "ohne Ang…"


def test_a_matrix_needs_its_names_and_bears_missing_values() -> None:
    with pytest.raises(ValueError, match="a name for each row and column; got 1 and 2"):
        matrix_chart.confusion(
            np.zeros((2, 2)), ["a"], ["x", "y"], title="t", row_title="r", column_title="c"
        )
    empty = matrix_chart.confusion(
        np.full((2, 2), np.nan), ["a", "b"], ["x", "y"], title="t", row_title="r", column_title="c"
    )
    assert empty.takeaway == "t. No value is known."


def test_a_difference_is_centred_on_zero_and_signed() -> None:
    chart = matrix_chart.difference(
        np.array([[3, 0], [-9, 1]]),
        ["a", "b"],
        ["x", "y"],
        title="t",
        row_title="r",
        column_title="c",
        chosen=(1, -1),
    )
    assert (chart.figure.data[0].zmin, chart.figure.data[0].zmax) == (-9, 9)
    assert {text for trace in chart.figure.data[1:3] for text in trace.text} == {"+3", "", "−9", "+1"}
    outline = chart.figure.layout.shapes[0]
    assert (outline.x0, outline.x1, outline.y0, outline.y1) == (-0.5, 1.5, 0.5, 1.5)


def test_lines_differ_in_more_than_colour() -> None:
    frame = pd.DataFrame({"x": [0, 1], **{name: [0.0, 1.0] for name in "abcdef"}})
    lines = line_chart.curves(
        frame, "x", {name: name for name in "abcdef"}, title="t", x_title="x"
    ).figure.data
    looks = [(line.line.color, line.line.dash, line.marker.symbol) for line in lines]
    assert [len(set(kind)) for kind in zip(*looks, strict=True)] == [6, 6, 6]


def test_curves_report_row_and_column_and_draw_their_intervals() -> None:
    frame = pd.DataFrame(
        {"e": [0.0, 0.1], "acc": [0.9, 0.2], "low": [0.85, 0.15], "high": [0.95, 0.25], "noise": [0.9, 0.88]}
    )
    chart = line_chart.curves(
        frame,
        "e",
        {"acc": "ACC", "noise": "noise"},
        bands={"acc": ("low", "high")},
        controls=["noise"],
        title="ACC",
        x_title="ε",
    )
    band, line, control = chart.figure.data
    assert band.fill == "toself" and list(band.y) == [0.95, 0.25, 0.15, 0.85]
    assert list(line.customdata[1]) == [1, "acc"]
    assert control.line.color == palette.QUIET
    assert "ACC goes from 0.900 at 0 to 0.200 at 0.1" in chart.takeaway
    assert list(chart.table.columns) == ["e", "ACC", "noise", "low", "high"]


def test_training_curves_smooth_shade_and_compare() -> None:
    frame = pd.DataFrame(
        {"step": range(6), "encoder_updates": range(0, 12, 2), "delta_fd": [0.0, 6, 0, 6, 0, np.nan]}
    )
    chart = training_chart.curves(
        frame,
        {"delta_fd": "Δ_FD", "absent": "absent"},
        x="encoder_updates",
        smooth=2,
        stationary=[(4, 6)],
        blocks=[(0, 2)],
        controls={"DEC*": frame.assign(delta_fd=0.5)},
        title="t",
        zero=True,
    )
    named = {trace.name: trace for trace in chart.figure.data if trace.name}
    assert list(named["Δ_FD"].y) == [0, 3, 3, 3, 3] and list(named["Δ_FD"].x) == [0, 2, 4, 6, 8]
    assert named["Δ_FD, DEC*"].line.color == palette.QUIET
    assert {"gradient nearly zero", "only the decoder moves"} <= named.keys()
    assert [(shape.x0, shape.x1) for shape in chart.figure.layout.shapes[:2]] == [(4, 6), (0, 2)]
    assert list(chart.table.columns) == ["encoder_updates", "Δ_FD"]


def test_a_run_that_said_nothing_yet_is_a_chart_too() -> None:
    chart = training_chart.curves(pd.DataFrame({"step": []}), {"acc": "ACC"}, title="Scores")
    assert chart.takeaway == "Scores. Nothing was measured yet."
    nothing = training_chart.side_by_side({"ADEC": pd.DataFrame({"step": []})}, "acc", "ACC")
    assert nothing.takeaway.endswith("nothing measured yet.")


def test_an_arm_looks_the_same_in_every_figure() -> None:
    frame = pd.DataFrame({"step": [0, 1], "acc": [0.5, 0.6], "nmi": [0.4, 0.5]})
    begun = [{"ADEC": frame, "DEC*": frame}, {"ADEC": frame[["step"]], "DEC*": frame}]
    found = [
        training_chart.side_by_side(frames, column, column) for frames in begun for column in ("acc", "nmi")
    ]
    styles = {
        name: {
            (trace.line.color, trace.line.dash)
            for chart in found
            for trace in chart.figure.data
            if trace.name == name
        }
        for name in ("ADEC", "DEC*")
    }
    assert all(len(style) == 1 for style in styles.values()) and styles["ADEC"] != styles["DEC*"]
    assert len(found[0].figure.data) == 2 and found[0].table["acc"].tolist() == [0.5, 0.6] * 2


def test_bars_have_their_interval_and_controls_are_hatched() -> None:
    chart = bar_chart.bars(
        ["attack", "noise"], [0.8, 0.1], low=[0.7, 0.05], high=[0.9, 0.2], controls=["noise"], title="t"
    )
    bar = chart.figure.data[0]
    assert bar.error_x.array == pytest.approx([0.1, 0.1]) and bar.error_x.arrayminus == pytest.approx(
        [0.1, 0.05]
    )
    assert bar.marker.pattern.shape == ("", "/")
    assert chart.table.loc["noise", "high"] == 0.2


def test_a_title_that_asks_keeps_its_own_mark_in_the_text_alternative() -> None:
    asked = bar_chart.bars(["attack"], [0.8], title="What moves it?")
    assert asked.takeaway.startswith("What moves it? ") and "?." not in asked.takeaway
    assert bar_chart.bars(["attack"], [0.8], title="t").takeaway.startswith("t. ")


def test_the_protocol_is_on_the_figure_and_fits_a_phone() -> None:
    protocol = (
        "PGD-20, leave_cluster, L∞ 0.1, one start, n = 1,000, seed 0, digits/adec, 95 % Wilson intervals."
    )
    chart = bar_chart.bars(["a"], [1.0], title="t", caption=protocol)
    lines = chart.figure.layout.title.subtitle.text.split("<br>")
    assert " ".join(lines) == protocol and max(map(len, lines)) <= plot.CAPTION_LETTERS


def test_a_single_point_has_an_axis_that_begins_at_0() -> None:
    for x, y in ((40, 0.8), (0, -2.0)):
        chart = line_chart.curves(pd.DataFrame({"x": [x], "y": [y]}), "x", {"y": "y"}, title="t", x_title="x")
        layout = plot.with_room(chart.figure).layout
        assert layout.xaxis.range == (0, 2 * x or 1) and layout.yaxis.range == tuple(sorted((0, 2 * y)))
    two = pd.DataFrame({"x": [0, 1], "y": [1.0, 3.0]})
    layout = plot.with_room(line_chart.curves(two, "x", {"y": "y"}, title="t", x_title="x").figure).layout
    assert layout.xaxis.range is None and layout.yaxis.range is None, "two values set their own axis"


def test_a_click_is_read_from_the_event_and_from_an_injected_one() -> None:
    assert plot.clicked({"selection": {"points": [{"customdata": [3, -1]}, {"x": 1}]}}) == [(3, -1)]
    assert plot.clicked({"selection": {"points": []}}) == plot.clicked(None) == []


def test_a_chart_on_a_page_has_its_table_and_its_csv() -> None:
    def page() -> None:
        from app.charts import bar_chart, plot

        plot.show(bar_chart.bars(["a", "b"], [1.0, 2.0], title="Bars"), "bars")

    ran = AppTest.from_function(page, default_timeout=240).run()
    assert not ran.exception
    assert ran.expander[0].label == "Table, and this figure to take away"
    assert ran.dataframe[0].value["value"].tolist() == [1.0, 2.0]
    assert len(ran.get("plotly_chart")) == 1
    assert [button.proto.label for button in ran.get("download_button")] == ["CSV", "LaTeX"]
