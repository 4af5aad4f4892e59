"""All charts under one name, until every page names the one it draws."""

from app.charts.bar_chart import bars
from app.charts.line_chart import curves
from app.charts.matrix_chart import confusion, difference
from app.charts.plot import (
    BLUE,
    BRIGHTER,
    CAPTION_LETTERS,
    CLEAR,
    DARKER,
    GREY,
    Chart,
    bound,
    clicked,
    dress,
    show,
    st,
)

__all__ = [
    "BLUE",
    "BRIGHTER",
    "CAPTION_LETTERS",
    "CLEAR",
    "DARKER",
    "GREY",
    "Chart",
    "bars",
    "bound",
    "clicked",
    "confusion",
    "curves",
    "difference",
    "dress",
    "show",
    "st",
]
