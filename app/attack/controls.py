"""The attack on one sample beside what must not be credited to it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.forms.choose_model import Victim
from app.forms.threat import NORMS
from engine.asking.answers import Answer


def show(victim: Victim, question: Mapping[str, Any], answer: Answer, level: int) -> None:
    """The attack beside what must not be credited to it: shares of flips with n and 95 % intervals."""
    target = answer.json["target"]
    if target == answer.json["cluster_own"]:
        st.caption("It is in the target cluster already: there is nothing to control.")
        return
    found = state.ask(
        {"ask": "checks", "ladder": dict(question), "level": level}, "Running the controls…"
    ).json
    frame = pd.DataFrame(found["rows"])
    share = frame["flipped"] / frame["n"]
    names = [f"{name} (n = {n})" for name, n in zip(frame["name"], frame["n"], strict=True)]
    aim = "leaves its cluster" if target is None else f"goes to cluster {victim.names[target]}"
    chart = charts.bars(
        names,
        share.tolist(),
        controls=[names[1], names[2]],
        share=True,
        title=f"What moves this sample at {NORMS[question['norm']]} ε = {found['epsilon']:.3g}?",
        y_title=f"share that {aim}",
        caption=(
            "95 % Wilson intervals; one try where n = 1. Hatched: controls that need no gradient of this"
            " sample."
        ),
        low=frame["low"].tolist(),
        high=frame["high"].tolist(),
    )
    charts.show(chart, "controls")
    for sentence in _masking(found["rows"]):
        st.warning(sentence)


def _masking(rows: list[dict[str, Any]]) -> list[str]:
    """Signs that gradients mislead the attack, and not that the model is robust."""
    flips = {row["name"]: row["flipped"] / row["n"] for row in rows}
    doubts = []
    if flips["FGSM"] > flips["this attack"]:
        doubts.append(
            "One step (FGSM) moves this sample and the attack does not: its gradients may be masked. Try more"
            " steps or starts."
        )
    if not flips["this attack, no limit on ε"]:
        doubts.append(
            "Not even an unlimited ε moves this sample: the attack fails, which does not make the model"
            " robust. Try more steps or starts."
        )
    if flips["noise of the same size"] >= 0.5:
        doubts.append("Noise of the same size moves it as well: at this ε no attack is needed.")
    return doubts
