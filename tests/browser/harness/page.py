"""A page with one component on it, chosen in the address: ?show=ladder&..., for the browser tests."""

import sys
from pathlib import Path

import numpy as np
import streamlit as st

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from app import gallery  # noqa: E402
from app.charts import plot  # noqa: E402
from app.components.ladder import ladder  # noqa: E402
from app.components.map import Classes, MapDrawing, Values, map_payload, point_map  # noqa: E402
from app.components.wipe import wipe, wipe_payload  # noqa: E402
from tests.browser.harness import samples  # noqa: E402

st.set_page_config(page_title="Components", layout="wide", initial_sidebar_state="collapsed")
asked = st.query_params
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
DIGITS = [str(digit) for digit in range(10)]


def show_ladder() -> None:
    """A ladder with everything in it."""
    drawing = samples.ladder_drawing(
        int(asked.get("sample", 3)),
        int(asked.get("levels", 65)),
        asked.get("axis", "epsilon"),
        int(asked.get("factor", 1)),
        groups="nothing" not in asked,
    )
    level = ladder(drawing, key="ladder", autoplay="autoplay" in asked)
    st.text(f"released: {level}")


@st.cache_data(max_entries=4)
def made(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points of a map of size n."""
    return samples.many_points(n)


def show_map() -> None:
    """A map of made-up points that can be recoloured; ids are not positions."""
    places, moved, codes = made(int(asked.get("n", 10000)))
    by = st.segmented_control("Colour", ["cluster", "margin"], default="cluster", key="by")
    colour = Classes("cluster", codes, DIGITS) if by == "cluster" else Values("margin", places[:, 0])
    payload = map_payload(
        MapDrawing(
            xy=places,
            colour=colour,
            title="Made-up points",
            caption="Blobs, for tests.",
            ids=np.arange(len(places)) + 100,
            xy_attacked=moved,
            xy_error=0.4,
            attacked_name="attacked, ε 0.1",
        )
    )
    report(point_map(payload, key="map"))


def show_digits() -> None:
    """A map of the digits with thumbnails."""
    x, labels, centres = samples.digits()
    place = samples.ladder_drawing().place
    sheet = gallery.sprite_sheet(x.reshape(-1, 8, 8), range(len(x)))
    colour = Classes("cluster", place.group, DIGITS)
    payload = map_payload(
        MapDrawing(
            xy=place.points,
            colour=colour,
            title="Where the digits lie",
            caption="PCA of the pixels, 1,797 digits.",
            sprite=sheet,
            extra=[Classes("label", labels, DIGITS)],
            uncertain=np.arange(len(x)) % 40 == 0,
            focus=5,
        )
    )
    report(point_map(payload, key="map"))


def report(picked: object) -> None:
    """Write down what a map gave back."""
    st.text(f"selected: {'none' if picked.ids is None else len(picked.ids)}")
    st.text(f"lowest: {'none' if picked.ids is None else picked.ids.min()}")
    st.text(
        f"point: {picked.point if picked.point is not None else st.session_state.get('last_point', 'none')}"
    )
    if picked.point is not None:
        st.session_state["last_point"] = picked.point


def show_wipe() -> None:
    """Two digits, one before and one after."""
    x = samples.digits()[0].reshape(-1, 8, 8)
    wipe(
        wipe_payload(
            x[3],
            x[9],
            before_name="clean, in “3”",
            after_name="adversarial, in “9”",
            title="Before and after",
            caption="Two digits of scikit-learn.",
        ),
        key="wipe",
    )


def show_charts() -> None:
    """One of each chart; a click in the matrix is written down."""
    picked = plot.show(samples.confusion_chart(), "confusion", on_select="rerun")
    st.text(f"cell: {picked[0] if picked else 'none'}")
    for name, chart in samples.other_charts().items():
        plot.show(chart, name)


SHOWS = {
    "ladder": show_ladder,
    "map": show_map,
    "digits": show_digits,
    "wipe": show_wipe,
    "charts": show_charts,
}
SHOWS[asked.get("show", "ladder")]()
st.text(f"runs: {st.session_state['runs']}")
