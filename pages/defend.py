"""Defend: what training against an attack buys, up to which ε, and what it costs."""

import streamlit as st

from app.address import state
from app.charts import charts
from app.forms import settings_form
from app.papers import studies
from app.runs import launching, live

TABS = {
    "holds": "Where it holds",
    "grid": "λ and γ",
    "tables": "Published and measured",
    "train": "Train it live",
}
METHODS = ("ar_dmvc_am", "ar_dmvc", "comvc")
STUDIES = (
    "ar_dmvc.table1",
    "ar_dmvc.table3",
    "ar_dmvc.transfer",
    "ar_dmvc.epochs",
    "ar_dmvc.lambda_gamma",
    "ar_dmvc.confusion",
)
DATA = {"quick": "noisy_digits", "mini": "noisy_mnist_mini", "paper": "noisy_mnist"}


def holds() -> None:
    """The curves of ACC against ε, and the sentence that they amount to."""
    found, size = studies.chosen_result("ar_dmvc.table3")
    if found is None:
        return
    for sentence in studies.sentences(found):
        st.markdown(sentence)
    clean = studies.result("ar_dmvc.table1", size)
    shown = [studies.against_epsilon(found, attacker, clean) for attacker in studies.ATTACKERS]
    for column, (attacker, chart) in zip(
        st.columns(3, gap="medium"), zip(studies.ATTACKERS, shown, strict=True), strict=True
    ):
        if chart is not None:
            with column:
                charts.show(chart, f"holds/{size}/{attacker}")
    if clean is not None:
        studies.equal_epochs(clean, found)
    studies.about(found)


def grid() -> None:
    """ACC over λ and γ, each cell with the runs behind it."""
    found, size = studies.chosen_result("ar_dmvc.lambda_gamma")
    if found is None:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        row = studies.grid(found, f"grid/{size}")
    with right:
        if row is None:
            st.info("Click a cell: the runs behind it open here.", icon=":material/ads_click:")
        else:
            studies.behind(row, DATA[size], size)
        st.markdown(
            "λ weighs the loss at attacked views, γ the Attack Mitigator. Under Adam a large λ does not"
            " diverge: it only makes the clean loss count less."
        )
    studies.about(found)


def train() -> None:
    """A defence, or the model without one, trained with its clean and attacked ACC after each epoch."""
    catalogue = state.catalogue()
    models, sets = (
        catalogue["model"],
        {name: card for name, card in catalogue["data"].items() if card["views"] > 1},
    )
    choose, look = state.choose_and_look()
    with choose:
        data = st.selectbox(
            "Data",
            list(sets),
            key=state.key("data", "noisy_digits", lambda name: name in sets),
            format_func=lambda name: launching.data_title(sets[name]),
        )
        usable = launching.about_data(sets[data])
        method = st.selectbox(
            "Method",
            METHODS,
            format_func=lambda name: models[name]["title"],
            help="\n\n".join(models[name]["summary"] for name in METHODS),
        )
        launching.form(
            models[method], data, f"defend/{data}", settings_form.preset_for(models[method], data), usable
        )
    with look:
        live.newest(data, method, "digits take a quarter of a minute")


state.page_head(
    "Does training against an attack help, and up to where?",
    "AR-DMVC trains on attacked views; its Attack Mitigator also keeps clean and attacked assignments"
    " together. Every number has its spread and a stronger attacker beside it; its controls are in the"
    " tables.",
)
if st.session_state["address"].get("data") not in (
    None,
    *(name for name, card in state.catalogue()["data"].items() if card["views"] > 1),
):
    state.forget("data")
tab = st.segmented_control(
    "Show",
    list(TABS),
    key=state.key("tab", "holds", lambda name: name in TABS),
    format_func=TABS.get,
    required=True,
    label_visibility="collapsed",
)
SHOWN = {"holds": "ar_dmvc.table3", "grid": "ar_dmvc.lambda_gamma"}
reproduce = studies.command(SHOWN[str(tab)], "quick") if tab in SHOWN else {}
if tab == "tables":
    reproduce = studies.tables(
        STUDIES,
        "Published: single runs on NoisyMNIST at full size, so that these rows are stand-ins and not a"
        " reproduction. (?): a published value that cannot be taken as it stands.",
    )
else:
    {"holds": holds, "grid": grid, "train": train}[str(tab)]()
with st.expander("What am I seeing?", icon=":material/help:"):
    for name in METHODS:
        entry = state.catalogue()["model"][name]
        st.markdown(f"**{entry['title']}**. {entry['summary']} Source: {entry['source']}.")
        st.latex(entry["equation"])
    st.markdown(
        "The published robustness was measured with generators whose kernels begin at N(0, 1): most of their"
        " answers are clamped from the start, so they hardly learn. Kernels of 0.02 make the same attack far"
        " stronger, and PGD needs no training at all; a defence should be judged by those."
    )
state.page_foot(reproduce)
