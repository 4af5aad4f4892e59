"""Confusion matrices of a study: true classes against matched clusters, clean and attacked."""

import numpy as np
import streamlit as st

from app.charts import matrix_chart, plot
from app.papers.studies.results import Result
from app.words import N_, _

SHOWN = {"clean": N_("Clean"), "attacked": N_("Attacked")}


def matrices(found: Result) -> None:
    """The matrices of a model, clean and under one attack, of the first seed."""
    titles = found.declared["treatments"]
    rows = {f"{row.model}, {_(titles[row.treatment]['title'])}": row for row in found.measured}
    row = rows[str(st.selectbox(_("Model and attack"), list(rows)))]
    for place, (name, title) in zip(st.columns(2, gap="medium"), SHOWN.items(), strict=True):
        counts = np.array(row.controls[f"matrix_{name}"]["first"])  # (classes, clusters)
        numbers = [list(map(str, range(size))) for size in counts.shape]
        chart = matrix_chart.confusion(
            counts,
            *numbers,
            title=_(title),
            row_title=_("class"),
            column_title=_("matched cluster"),
            caption=_("Seed 0, the half that was not trained on."),
        )
        with place:
            plot.show(chart, f"confusion/{name}")
