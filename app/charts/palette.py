"""Colours that people with any kind of colour vision can tell apart, and images as the colours of a signed
scale. A class has one colour on every page: that of its place among the classes of its data.

Source of the first seven: Okabe & Ito, "Color Universal Design", 2008; more follow for k > 7. Never the only
sign: charts add line shapes and marker symbols, maps add the legend's counts and highlight.
"""

LIGHT = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#5B5B5B",
    "#D4C832",
    "#882255",
    "#999933",
    "#44AA99",
    "#7B5CC6",
)
"""Categories on a light page; the first ten are those of .streamlit/config.toml."""

DARK = (
    "#3D8FD1",
    "#E69F00",
    "#2BC79A",
    "#E69BC4",
    "#F0793A",
    "#8CCBF2",
    "#B5B5B5",
    "#F0E442",
    "#B84C86",
    "#B9B95A",
    "#6FD6C6",
    "#A184EC",
)
"""The same categories on a dark page: the same hues, so that a class keeps its own."""


def category(place: int, dark: bool) -> str:
    """The colour of a class or cluster by its place; beyond the last one hues follow by the golden angle."""
    known = DARK if dark else LIGHT
    if place < len(known):
        return known[place]
    return f"hsl({place * 137.5 % 360:g}, 60%, {65 if dark else 42}%)"


LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C7AD6", "#8A8A8A")
"""Lines of a chart: readable on both pages, since one Plotly figure serves both."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "triangle-down", "star")

QUIET = "#8A8F98"
"""Controls, references and whatever should stand back, on both pages."""

NEGATIVE, POSITIVE = (33, 102, 172), (213, 94, 0)
"""Ends of the zero-centred scale of perturbations: blue is darker than before, vermillion brighter."""

RAMPS = {
    "viridis": ((0.0, "#440154"), (0.25, "#3B528B"), (0.5, "#21918C"), (0.75, "#5EC962"), (1.0, "#FDE725")),
    "cividis": ((0.0, "#00204D"), (0.25, "#414D6B"), (0.5, "#7C7B78"), (0.75, "#BCAF6F"), (1.0, "#FFEA46")),
    "magma": ((0.0, "#000004"), (0.25, "#51127C"), (0.5, "#B73779"), (0.75, "#FC8961"), (1.0, "#FCFDBF")),
    "greys": ((0.0, "#252525"), (0.25, "#636363"), (0.5, "#969696"), (0.75, "#CCCCCC"), (1.0, "#F7F7F7")),
}
"""Ramps of growing lightness, by five of their points each, the usual one first."""
HUES = {
    "viridis": (0, 114, 178),
    "cividis": (150, 125, 20),
    "magma": (183, 55, 121),
    "greys": (128, 128, 128),
}
"""The one hue in which matrices are drawn beside a ramp: red, green, blue."""
