"""The Multi-view page for models that fuse views and do not cluster."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.store.store import Store
from tests.app.conftest import Worker, method, said

Opened = Callable[..., AppTest]


@pytest.mark.parametrize(("name", "matrices"), [("only_fuses", 0), ("fuses_and_classifies", 2)])
def test_many_samples_are_attacked(
    name: str, matrices: int, limited_home: Store, worker: Worker, opened: Opened
) -> None:
    model = method(limited_home, name)
    at = opened("multiview", model=model.key)
    assert not at.error and at.selectbox(key="p_model").value == model.key, said(at)
    next(button for button in at.button if button.label.startswith("Attack 300 samples")).click()
    at.run()
    assert not at.exception and not at.error, said(at)
    at.run()
    drawn = [chart for chart in at.get("plotly_chart") if "Attacked at" in chart.proto.spec]
    clean = [chart for chart in at.get("plotly_chart") if '"Clean: accuracy' in chart.proto.spec]
    assert len(drawn) + len(clean) == matrices
    assert ("sorts samples into nothing" in said(at)) == (matrices == 0)
