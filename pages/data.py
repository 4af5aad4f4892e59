"""Data and zoo: which data sets and trained models are here, and may yours come too? Each has a card."""

import streamlit as st

from app.address import house, layout, links
from app.data_and_zoo import bring, data_card, model_card, rows, tables
from app.forms.choose_model import default_model
from app.words import _

TITLE, ICON, PLACE = "Data and zoo", "dataset", 68
UNDER = "Yours"

NUMBERS = {
    "samples": st.column_config.NumberColumn(format="localized"),
    "MB": st.column_config.NumberColumn(help=_("What is fetched, or kept.")),
    "clean": st.column_config.NumberColumn(format="%.3f"),
    "attacked": st.column_config.NumberColumn(format="%.3f"),
}

layout.page_head(
    _("Which data and models are here, and may yours come too?"),
    _(
        "Every data set and every trained model with its card. Bring your own: it is told about in plain"
        " words first, then it can be trained on, attacked and inspected like any other."
    ),
)
tab = layout.choose_tab({"data": _("Data"), "models": _("Models"), "bring": _("Bring your own")})
command = "python3 -m engine list data"
if tab == "data":
    name = tables.choose("data", rows.of_data(), house.data(), NUMBERS, _("{n} of {all} data sets"))
    if name is not None:
        with st.container(border=True):
            data_card.show(name)
elif tab == "models":
    st.caption(
        _(
            "Where a model was attacked, both numbers are of the same score on the same samples; where no"
            " score has both, it is said what the attack does."
        )
    )
    name = tables.choose("models", rows.of_models(), default_model(), NUMBERS, _("{n} of {all} models"))
    command = "python3 -m engine list zoo"
    if name is not None:
        with st.container(border=True):
            model_card.show(name)
        command = f"python3 -m engine show {name}"
else:
    links.forget("which")
    bring.show()
    command = "python3 -m engine data check FILE\npython3 -m engine data keep FILE --name NAME"
layout.page_foot({"Command line": command})
