"""What an attack on one sample came to, in one sentence."""

import math

import numpy as np
import streamlit as st

from app.charts import charts
from engine.asking.answers import Answer


def show(answer: Answer) -> None:
    """The result in one line, with its bound and its control."""
    said = answer.json
    name, target = said["cluster_names"][said["cluster_own"]], said["target"]
    if target == said["cluster_own"]:
        st.markdown(f"It is in cluster **{name}** already: choose another target.")
        return
    does = (
        f"leaves cluster **{name}**"
        if target is None
        else f"goes from cluster **{name}** to **{said['cluster_names'][target]}**"
    )
    control = f"noise of the same size does so at {said['noise_flips']} of {len(said['levels'])} levels"
    if said["axis"] == "epsilon":
        star = said["epsilon_star"]
        none = f"ε\\* > {said['levels'][-1]:g}: not found on this ladder"
        found = none if star is None else f"ε\\* ≤ {charts.bound(star)} ({math.ceil(star * 255 - 1e-4)}/255)"
        st.markdown(f"It {does} at **{found}**; {control}.")
    else:
        st.markdown(f"It {does} {_where(answer)}; {control}.")


def _where(answer: Answer) -> str:
    """At which steps, or up to which λ, the sample is where the attack wants it."""
    said = answer.json
    away = np.flatnonzero(answer.arrays["flipped"])
    if not len(away):
        return "at none of the levels"
    if said["axis"] == "path":
        return (
            f"from step {said['levels'][away[0]]:g} on"
            if len(away) == len(said["levels"]) - away[0]
            else f"at step {said['levels'][away[0]]:g} first"
        )
    return (
        "at every λ shown"
        if len(away) == len(said["levels"])
        else f"at {len(away)} of {len(said['levels'])} λ, the last {said['levels'][away[-1]]:g}"
    )
