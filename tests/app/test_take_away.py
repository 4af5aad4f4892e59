"""Tables as LaTeX, and the pages that hand theirs out."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import take_away
from engine.store.store import Store

Opened = Callable[..., AppTest]


def test_a_table_is_latex_that_needs_no_other_letters() -> None:
    frame = pd.DataFrame({"RA, ε = 0.1 %": ["47.3 ± 2.7", None], "a_b & c": [0.05, 1.0]})
    text = take_away.latex(frame)
    assert text.isascii() and text.count(r"\\") == 3
    assert r"47.3 $\pm$ 2.7 & 0.05" in text and r"a\_b \& c" in text and r"$\varepsilon$ = 0.1 \%" in text
    assert r"\toprule" in text and "NaN" not in text


def test_the_names_of_rows_are_kept_where_they_say_something() -> None:
    frame = pd.DataFrame({"x": [1]}, index=["row ∞"])
    assert r"row $\infty$ & 1" in take_away.latex(frame, index=True)


TABLES = [
    ("defend", {}, ("verdicts/", "equal_epochs")),
    ("defend", {"tab": "tables"}, ("table/",)),
    ("robust", {"model": "digits/conv_ae"}, ("rounds/numbers",)),
    ("claims", {}, ("claim/adec.arms/quick/",)),
    ("data", {"which": "digits"}, ("table/data//",)),
    ("train", {"run": "digits/adec"}, ("worth/",)),
    ("compare", {"sample": "7"}, ("measures",)),
    ("robust", {"tab": "strength"}, ("arms/",)),
]


@pytest.mark.long
@pytest.mark.parametrize(("page", "address", "keys"), TABLES)
def test_a_table_of_a_page_is_taken_away(
    page: str, address: dict[str, str], keys: tuple[str, ...], trained_home: Store, opened: Opened
) -> None:
    at = opened(page, **address)
    for key in keys:
        assert_taken_away(at, key)


def test_the_other_models_are_taken_away(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model="digits/adec")
    at.session_state["open_others"] = True
    assert_taken_away(at.run(), "other_models")


def assert_taken_away(at: AppTest, key: str) -> None:
    """That a page has the table of this key as CSV and as LaTeX."""
    saves = [item.proto.id for item in at.get("download_button")]
    for kind in ("csv", "latex"):
        assert any(key in one and one.endswith(f"/{kind}") for one in saves), (key, saves)
