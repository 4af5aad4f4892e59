"""A table that is taken away: as CSV, and as LaTeX for a paper."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.words import _

SIGNS = {
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\to$",
    "−": r"$-$",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "–": "--",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
    "ε": r"$\varepsilon$",
    "λ": r"$\lambda$",
    "ν": r"$\nu$",
    "δ": r"$\delta$",
    "Δ": r"$\Delta$",
    "γ": r"$\gamma$",
    "κ": r"$\kappa$",
    "α": r"$\alpha$",
    "τ": r"$\tau$",
    "∇": r"$\nabla$",
    "‖": r"$\|$",
    "²": "$^2$",
    "₂": "$_2$",
    "\N{NO-BREAK SPACE}": "~",
}
"""Signs of tables on pages that LaTeX writes otherwise."""


def table(frame: pd.DataFrame, name: str, key: str, index: bool = False) -> None:
    """Two buttons that save a table; the files are called `name`."""
    with st.container(horizontal=True):
        button("CSV", lambda: frame.to_csv(index=index), f"{name}.csv", "text/csv", f"{key}/csv")
        button("LaTeX", lambda: latex(frame, index), f"{name}.tex", "application/x-tex", f"{key}/latex")


def below(frame: pd.DataFrame, name: str, key: str, index: bool = False) -> None:
    """The same two buttons, behind one quiet line that stands under a table."""
    with st.popover(_("Take this table away"), icon=":material/download:", type="tertiary"):
        table(frame, name, key, index)


def button(label: str, content: Callable[[], str | bytes], file: str, kind: str, key: str) -> None:
    """A button that saves a file, which is made when it is pressed."""
    st.download_button(label, content, file, kind, key=key, on_click="ignore", icon=":material/download:")


def latex(frame: pd.DataFrame, index: bool = False) -> str:
    """A table as LaTeX `tabular` with booktabs' rules; signs that pdfLaTeX lacks are written as commands."""
    text = frame.to_latex(index=index, escape=True, na_rep="", float_format="%.4g")
    for sign, command in SIGNS.items():
        text = text.replace(sign, command)
    return "% \\usepackage{booktabs}\n" + text
