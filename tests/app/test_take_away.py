"""Tables as LaTeX."""

import pandas as pd

from app import take_away


def test_a_table_is_latex_that_needs_no_other_letters() -> None:
    frame = pd.DataFrame({"RA, ε = 0.1 %": ["47.3 ± 2.7", None], "a_b & c": [0.05, 1.0]})
    text = take_away.latex(frame)
    assert text.isascii() and text.count(r"\\") == 3
    assert r"47.3 $\pm$ 2.7 & 0.05" in text and r"a\_b \& c" in text and r"$\varepsilon$ = 0.1 \%" in text
    assert r"\toprule" in text and "NaN" not in text


def test_the_names_of_rows_are_kept_where_they_say_something() -> None:
    frame = pd.DataFrame({"x": [1]}, index=["row ∞"])
    assert r"row $\infty$ & 1" in take_away.latex(frame, index=True)
