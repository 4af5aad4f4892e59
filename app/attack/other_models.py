"""The same sample in the other models of its data."""

import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.forms.choose_model import Victim
from app.forms.threat import NORMS, Threat
from engine.asking import legacy as answers


def show(victim: Victim, threat: Threat, sample: int) -> None:
    """The same sample in the other models of its data: cluster and ε*."""
    others = {
        name: run
        for name, run in state.models(victim.run.spec.data, "clusters").items()
        if "/" in name or name == victim.name
    }
    asked = {
        "ask": "fate",
        "models": [run.key for run in others.values()],
        "sample": sample,
        "attack": threat.attack,
        "settings": threat.settings,
        "norm": threat.norm,
        "top": answers.TOP[threat.norm],
        "seed": threat.seed,
    }
    found = state.ask(asked, "Asking the other models…").json
    stars = [row["epsilon_star"] for row in found["rows"]]
    frame = pd.DataFrame(
        {
            "model": list(others),
            "cluster": [row["name"] for row in found["rows"]],
            "ε* ≤": [
                "> " + format(found["top"], "g") if star is None else charts.bound(star) for star in stars
            ],
        }
    )
    st.dataframe(frame, hide_index=True, key="fate")
    st.caption(
        f"Smallest ε found that makes the sample leave its cluster, {NORMS[threat.norm]}, up to"
        f" {found['top']:g}: upper bounds, one seed."
    )
