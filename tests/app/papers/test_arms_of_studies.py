"""Studies of arms on the page UAE: bars with their spread, and what is left beside the control."""

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
        ("uae.second_round", 1, "Training longer on the originals alone changes the test error by -5"),
        ("uae.figure3", 1, "Success of PGD against ε on adversarially trained classifiers"),
    ],
)
def test_arms_are_drawn_beside_their_control(
    study: str, charts: int, words: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("uae", tab="tables", study=study, data="digits")
    assert len(at.get("plotly_chart")) == charts and words in said(at)
    assert at.dataframe[len(at.dataframe) - 1].value.columns[0] == "model"
