"""The card of one trained model: its scores, where it leads, and the way to take it along."""

from typing import Any

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection, notices
from app.data_and_zoo import rows
from app.forms import possible
from app.runs import apart, headline
from app.runs import rows as of_runs
from app.words import _
from engine.store import portable
from engine.store.run import Run


def show(name: str) -> None:
    """The card."""
    run = connection.store().find(name)
    st.subheader(connection.model_title(name, run).replace("*", r"\*"), anchor=False)
    entry = connection.catalogue()["model"].get(run.spec.name, {})
    st.markdown(notices.plain(_(entry.get("summary", ""))))
    with st.container(horizontal=True):
        if possible.objectives(run.spec.name):
            headline.link("attack", _("Attack it"), "bolt", {"model": name})
            headline.link("inspect", _("Inspect it"), "grid_view", {"model": name})
        headline.link("train", _("How it was trained"), "model_training", {"run": name})
        _take_away(run)
    _scores(run)
    st.table(_said(run), border="horizontal")


def _scores(run: Run) -> None:
    """What ships of it under attacks of every size, as a table."""
    said = of_runs.of_model(run.result())
    if said:
        st.markdown(_("Clean, on all samples: {scores}.").format(scores=", ".join(said)))
    table = []
    for one in run.card().get("attacked", ()) if run.zoo else ():
        threat = {_("attack"): _title(one), "ε": one["epsilon"]}
        if found := rows.pairs(one):
            before = _("{score}, clean").format(score=found[0].title)
            table.append(threat | {before: found[0].clean, _("attacked"): found[0].attacked})
        elif done := rows.achieved(one):
            table.append(threat | {_("what it does"): done})
    if table:
        frame = pd.DataFrame(table)
        st.dataframe(frame, hide_index=True, width="content", placeholder="–")
        take_away.below(frame, f"feint-{run.name.replace('/', '-')}", "model_card")


def _title(attacked: dict[str, Any]) -> str:
    known = connection.catalogue()["attack"].get(attacked["attack"], {})
    return _(str(known.get("title", attacked["attack"])))


def _said(run: Run) -> dict[str, str]:
    """What is known of it, a line each."""
    spec, how = run.spec, run.card().get("how", {})
    card = connection.catalogue()["data"].get(spec.data, {})
    computed = [str(how[part]) for part in ("device", "precision", "torch") if part in how]
    data = _("{data}, fingerprint {fingerprint}")
    said = {
        _("Data"): data.format(data=connection.data_title(spec.data), fingerprint=spec.fingerprint),
        _("Settings"): apart.words(spec) or _("the defaults"),
        _("Seed"): str(spec.seed),
        _("Size"): _("{size:.2f} MB of weights").format(size=rows.size(run) / 1e6),
        _("Computed on"): ", ".join(computed),
        _("Licence of its data"): card.get("licence", ""),
        _("Key"): run.key,
    }
    return {title: notices.plain(text) for title, text in said.items() if text}


def _take_away(run: Run) -> None:
    """The model as a file that another Feint takes in."""
    if portable.whole(run):
        st.download_button(
            _("Take it along (zip)"),
            lambda: portable.packed(run),
            f"feint-{run.name.replace('/', '-')}.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
            help=_(
                "Weights as safetensors, all else as JSON, each with its hash. Another Feint takes it in on"
                " this page, or by `python3 -m engine import FILE`."
            ),
        )
