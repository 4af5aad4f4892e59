"""Confusion matrices of a study: true classes against matched clusters, clean and attacked."""

import numpy as np
import streamlit as st

from app.charts import matrix_chart, plot
from app.papers.studies.results import Result


def matrices(found: Result) -> None:
    """The matrices of a model, clean and under one attack, of the first seed."""
    titles = found.declared["treatments"]
    rows = {f"{row.model}, {titles[row.treatment]['title']}": row for row in found.measured}
    row = rows[str(st.selectbox("Model and attack", list(rows)))]
    for place, name in zip(st.columns(2, gap="medium"), ("clean", "attacked"), strict=True):
        counts = np.array(row.controls[f"matrix_{name}"]["first"])  # (classes, clusters)
        numbers = [list(map(str, range(size))) for size in counts.shape]
        chart = matrix_chart.confusion(
            counts,
            *numbers,
            title=name.capitalize(),
            row_title="class",
            column_title="matched cluster",
            caption="Seed 0, the half that was not trained on.",
        )
        with place:
            plot.show(chart, f"confusion/{name}")
