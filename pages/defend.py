"""Defend: what training against an attack buys, up to which ε, and what it costs."""

import streamlit as st

from app import take_away
from app.address import connection, layout
from app.charts import plot
from app.papers import on_train
from app.papers.studies import beside, curves, grid, judged, results, same_sample, tables
from app.words import _

TITLE, ICON, PLACE = "Defend", "shield", 50
UNDER = "Papers"

TABS = {
    "holds": _("Where it holds"),
    "grid": _("λ and γ"),
    "tables": _("Published and measured"),
    "train": _("Train it live"),
}
PAGE = "defend"


def methods() -> list[str]:
    """The defences that the studies of this page judge, the last one first, and the model without one."""
    said = results.declared(results.of_page(PAGE)[0])
    return [*reversed(said["defences"]), said["baseline"]]


def holds() -> dict[str, str]:
    """The curves of ACC against ε, and the sentences that they amount to."""
    name, clean_name = results.of_page(PAGE, "against_epsilon")[0], results.of_page(PAGE, "clean")[0]
    found, size = results.chosen(name)
    if found is not None:
        verdicts = judged.verdicts(found)
        judged.show(found, verdicts)
        same_sample.show(found, judged.telling(verdicts).epsilon)
        frame = judged.table(found, verdicts)
        st.dataframe(frame, hide_index=True, key=f"verdicts/{size}")
        st.caption(_(judged.RULE))
        take_away.below(frame, f"feint-{name}-{size}-verdicts", f"verdicts/{size}")
        clean, attacks = results.result(clean_name, size), curves.attacks(found)
        for place in range(0, len(attacks), 2):
            for column, attack in zip(st.columns(2, gap="medium"), attacks[place : place + 2], strict=False):
                chart = curves.against_epsilon(found, attack, clean)
                if chart is not None:
                    with column:
                        plot.show(chart, f"holds/{size}/{attack}")
        if clean is not None:
            beside.equal_epochs(clean, found)
        results.caption(found)
    return results.command(name, size)


def over_lambda_and_gamma() -> dict[str, str]:
    """ACC over λ and γ, each cell with its runs."""
    name = results.of_page(PAGE, "grid")[0]
    found, size = results.chosen(name)
    if found is not None:
        left, right = st.columns([3, 2], gap="large")
        with left:
            row = grid.grid(found, f"grid/{size}")
        with right:
            if row is None:
                st.info(
                    _("Click a cell: its seeds come here, each with its run."), icon=":material/ads_click:"
                )
            else:
                grid.runs_of(row, found)
            st.markdown(
                _(
                    "λ weighs the loss at attacked views, γ the Attack Mitigator. Under Adam a large λ does"
                    " not diverge: it only makes the clean loss count less."
                )
            )
        results.caption(found)
    return results.command(name, size)


layout.page_head(
    _("Does training against an attack help, and up to where?"),
    _(
        "AR-DMVC trains on attacked views; its Attack Mitigator also keeps clean and attacked assignments"
        " together. Where it holds, the attack that leaves them least judges both, beside the paper's own;"
        " every figure names its attack, and controls are in the tables."
    ),
)
SHOW = {
    "holds": holds,
    "grid": over_lambda_and_gamma,
    "tables": lambda: tables.tables(PAGE),
    "train": lambda: on_train.tab(methods(), lambda views: views > 1),
}
reproduce = SHOW[layout.choose_tab(TABS)]()
with st.expander(_("What am I seeing?"), icon=":material/help:"):
    for name in methods():
        entry = connection.catalogue()["model"][name]
        source = _("Source: {source}.").format(source=entry["source"])
        st.markdown(f"**{_(entry['title'])}**. {_(entry['summary'])} {source}")
        st.latex(entry["equation"])
    st.markdown(
        _(
            "The published robustness was measured with generators whose kernels begin at N(0, 1): most of"
            " their answers are clamped from the start, so they hardly learn. Kernels of 0.02 make the same"
            " attack far stronger, PGD needs no training at all, and the strongest attack tries what stands"
            " anew, with 50 steps each out of its cluster, towards the 3 nearest others and for the paper's"
            " objective; a defence should be judged by those."
        )
    )
layout.page_foot(reproduce)
