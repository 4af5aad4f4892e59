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


def test_data_of_a_model_have_their_own_chart_and_sentence(trained_home: Store, opened: Opened) -> None:
    at = opened("uae", tab="tables", study="uae.other_data", size="mini", data="digits")
    drawn = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    assert [chart["layout"]["title"]["text"] for chart in drawn] == [
        "Dense autoencoder on COIL-20: test error",
        "Concrete autoencoder on Mice Protein: test error",
        "Dense autoencoder on Fashion-MNIST, 3,000 test images: test error",
        "Concrete autoencoder on ISOLET: test error",
    ]
    for chart in drawn:
        names = [name for bars in chart["data"] for name in bars["y"]]
        assert len(names) == len(set(names)) == 5, "a bar an arm, drawn once"
    sentences = [text.value for text in at.markdown if "against" in text.value or "**UAE**" in text.value]
    assert len(sentences) == len(set(sentences)) == 4
