"""Figures of one network's arms beside one another: against any ν of a fresh attack, and against PGD on the
pixels.
"""

import streamlit as st

from app.charts import plot
from app.papers.studies import beside, curves, results, verdicts
from app.papers.studies.results import Result


def show(page: str, part: str) -> dict[str, str]:
    """What the study of a page that has this part measured: for the network that the address names, unless
    another is chosen. Returns how it is measured again.
    """
    name = results.of_page(page, part)[0]
    found, size = results.chosen(name)
    if found is not None:
        first = st.session_state["address"].get("model", "").rsplit("/", 1)[-1]
        PARTS[part](found, curves.network_of(found, first))
        if part == "against_nu":
            beside.other_defences(page, size)
    return results.command(name, size)


def any_nu(found: Result, network: str) -> None:
    """Flips, drop of the ACC and size of δ against ν."""
    st.markdown(verdicts.beside_the_control(found, network, "nu"))
    rows = [row for row in found.measured if row.model == network]
    flips = curves.curve(
        found,
        rows,
        "nu",
        lambda row: results.value(row, "flip_rate"),
        title="Flips under a fresh attack",
        y_title="share",
        caption="Every ν has an attack of its own, fitted to that very network.",
    )
    lost = curves.curve(
        found,
        rows,
        "nu",
        lambda row: results.drop(row, "acc_clean", "acc"),
        title="Drop of the ACC",
        y_title="clean − attacked",
        caption="Clusters matched to classes anew.",
        share=False,
    )
    size = curves.curve(
        found,
        rows,
        "nu",
        lambda row: results.value(row, "delta_ratio_mean"),
        title="Size of the perturbation",
        y_title="‖δ‖/‖z‖",
        caption="Mean over samples; D in all its forms is in the tables.",
    )
    _in_columns(f"nu/{network}", flips, lost, size)
    st.caption(
        "The defended networks were trained against the attack at its default ν (0.01 on digits), whatever"
        " the ν they are attacked with here."
    )
    results.caption(found)


def pixels(found: Result, network: str) -> None:
    """Flips and ACC under PGD on the pixels."""
    st.markdown(verdicts.beside_the_control(found, network, "epsilon"))
    rows = [row for row in found.measured if row.model == network]
    flips = curves.curve(
        found,
        rows,
        "epsilon",
        lambda row: results.value(row, "flip_rate"),
        title="Flips under PGD-20 on the pixels",
        y_title="share",
        caption="L∞, leave the cluster, 1,000 samples.",
    )
    acc = curves.curve(
        found,
        rows,
        "epsilon",
        lambda row: results.value(row, "acc"),
        title="ACC under PGD-20 on the pixels",
        y_title="ACC",
        caption="Clusters matched to classes anew.",
    )
    _in_columns(f"pixels/{network}", flips, acc)
    results.caption(found)


def _in_columns(key: str, *found: plot.Chart | None) -> None:
    for number, (place, chart) in enumerate(zip(st.columns(len(found), gap="medium"), found, strict=True)):
        if chart is not None:
            with place:
                plot.show(chart, f"{key}/{number}")


PARTS = {"against_nu": any_nu, "against_epsilon": pixels}
"""Part of a study -> the figures that show it."""
