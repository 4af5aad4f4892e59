"""Studies of arms on the page UAE: bars with their spread, and what is left beside the control."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.store.store import Store
from tests.app.conftest import said

Opened = Callable[..., AppTest]


@pytest.mark.parametrize(
    ("study", "charts", "words"),
    [
        ("uae.table7", 4, "**UAE**: test error not to be told from that of the control for equal steps"),
        ("uae.second_round", 1, "Training longer on the originals alone changes the test error by −5"),
        ("uae.figure3", 1, "Success of PGD against ε on adversarially trained classifiers"),
    ],
)
def test_arms_are_drawn_beside_their_control(
    study: str, charts: int, words: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("uae", tab="tables", study=study, data="digits")
    assert len(at.get("plotly_chart")) == charts and words in said(at)
    control = {
        "uae.table7": "Grey: original, for equal steps.",
        "uae.second_round": "Grey: original, for the steps of the second round.",
    }
    titles = [json.loads(chart.proto.spec)["layout"]["title"] for chart in at.get("plotly_chart")]
    under = [title["subtitle"]["text"].replace("<br>", " ") for title in titles]
    assert all(control.get(study, "") in text for text in under), under
    assert at.dataframe[len(at.dataframe) - 1].value.columns[0] == "model"
