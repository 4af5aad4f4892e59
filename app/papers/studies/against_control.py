"""Figures of one network's arms beside one another: against any ν of a fresh attack, and against PGD on the
pixels.
"""

from dataclasses import replace
from functools import partial

import streamlit as st

from app.charts import plot
from app.papers.studies import beside, curves, results, verdicts
from app.papers.studies.results import Result
from app.words import _


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
        title=_("Flips under a fresh attack"),
        y_title=_("share"),
        caption=_("Every ν has an attack of its own, fitted to that very network."),
    )
    lost = curves.curve(
        found,
        rows,
        "nu",
        lambda row: results.drop(row, "acc_clean", "acc"),
        title=_("Drop of the ACC"),
        y_title=_("clean − attacked"),
        caption=_("Clusters matched to classes anew."),
        share=False,
    )
    size = curves.curve(
        found,
        rows,
        "nu",
        lambda row: results.value(row, "delta_ratio_mean"),
        title=_("Size of the perturbation"),
        y_title="‖δ‖/‖z‖",
        caption=_("Mean over samples; D in all its forms is in the tables."),
    )
    _in_columns(f"nu/{network}", flips, lost, size)
    st.caption(
        _(
            "The defended networks were trained against the attack at its default ν (0.01 on digits),"
            " whatever the ν they are attacked with here."
        )
    )
    results.caption(found)


def pixels(found: Result, network: str) -> None:
    """Flips under the strongest attack on the pixels and under PGD, and the ACC that the strongest leaves."""
    strongest, pgd = (
        replace(found, rows=[row for row in found.rows if row.treatment == attack])
        for attack in (results.STRONGEST, "pgd")
    )
    said = verdicts.beside_the_control(strongest, network, "epsilon")
    st.markdown(f"{said} {_('The strongest attack judges.')}")
    drawn = {
        _("Flips under the strongest attack"): (strongest, "flip_rate", _("share")),
        _("Flips under PGD-20"): (pgd, "flip_rate", _("share")),
        _("ACC under the strongest attack"): (strongest, "acc_attacked_fixed_match", "ACC"),
    }
    charts = [
        curves.curve(
            part,
            [row for row in part.measured if row.model == network],
            "epsilon",
            partial(results.value, name=name),
            title=title,
            y_title=unit,
            caption=_("L∞, leave the cluster, the same 1,000 samples."),
        )
        for title, (part, name, unit) in drawn.items()
    ]
    _in_columns(f"pixels/{network}", *charts)
    results.caption(found)


def _in_columns(key: str, *found: plot.Chart | None) -> None:
    for number, (place, chart) in enumerate(zip(st.columns(len(found), gap="medium"), found, strict=True)):
        if chart is not None:
            with place:
                plot.show(chart, f"{key}/{number}")


PARTS = {"against_nu": any_nu, "against_epsilon": pixels}
"""Part of a study -> the figures that show it."""
