"""The colour ramp that a person chooses."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from app.charts import palette


@pytest.mark.parametrize(("said", "used"), [("magma", "magma"), ("rainbow", "viridis"), ("", "viridis")])
def test_matrices_and_maps_are_drawn_in_the_ramp_of_the_address(said: str, used: str) -> None:
    def page(said: str) -> None:
        import json

        import numpy as np
        import streamlit as st

        from app.charts import matrix_chart
        from app.components.map import MapDrawing, Values, map_payload

        st.session_state["address"] = {"ramp": said}
        names = ["a", "b"]
        chart = matrix_chart.confusion(np.eye(2), names, names, title="t", row_title="r", column_title="c")
        drawing = MapDrawing(xy=np.eye(2), colour=Values("ε*", np.array([0.1, 0.2])), title="m", caption="")
        shown = [map_payload(drawing)["colour"]["ramp"], chart.figure.data[0].colorscale[-1][1]]
        st.text(json.dumps(shown))

    ran = AppTest.from_function(page, kwargs={"said": said}, default_timeout=240).run()
    assert not ran.exception
    ramp, darkest = json.loads(ran.text[0].value)
    assert ramp == [list(stop) for stop in palette.RAMPS[used]]
    assert darkest == f"rgba{(*palette.HUES[used], 1.0)}"
