"""The newest numbers of a training run, and what warns of a failing one."""

from collections.abc import Mapping

import streamlit as st

from app.runs.record import Record
from app.train.measured import Entry, order
from app.words import _


def show(record: Record, entry: Entry, metrics: Mapping[str, Entry], watched: str = "") -> None:
    """First what was measured, then what the method has an alarm for; the alarms that ring below. `watched`
    is the attack that this run is watched under, in words.
    """
    now = record.now()
    with st.container(horizontal=True):
        for label, value, explanation in [*_measured(now, metrics, watched), *_guarded(now, entry)]:
            st.metric(label, f"{value:.3f}", width=110, help=explanation)
    for alarm in entry.get("alarms", ()):
        value = now.get(alarm["value"], 0.0)
        if value > alarm["above"]:
            st.warning(_(alarm["sentence"]).format(value=value, above=alarm["above"]))


Number = tuple[str, float, str]
"""Label, value, explanation."""


def _measured(now: Mapping[str, float], metrics: Mapping[str, Entry], watched: str) -> list[Number]:
    """The metrics that are among the first numbers, and all of the attack that is watched."""
    first = [
        name
        for name in now
        if name in metrics and (metrics[name]["headline"] is not None or metrics[name]["of"] == "attack")
    ]
    first.sort(key=lambda name: order(metrics[name]))
    return [_number(name, now, metrics[name], watched) for name in first]


def _number(name: str, now: Mapping[str, float], metric: Entry, watched: str) -> Number:
    label, explanation = _(metric["title"]), _(metric["summary"])
    if name == "delta_fd" and now.get("hypothetical"):
        label = _("{title} (hyp.)").format(title=label)
        explanation += " " + _("Hypothetical: this regulariser is not trained here.")
    if metric["of"] == "attack" and watched:
        explanation += " " + _("Attacked: {watched}.").format(watched=watched)
    return label, now[name], explanation


def _guarded(now: Mapping[str, float], entry: Entry) -> list[Number]:
    """The values that have an alarm."""
    guarded = {alarm["value"] for alarm in entry.get("alarms", ())}
    captions = {panel["name"]: panel["caption"] for panel in entry.get("panels", ())}
    return [
        (_(curve["title"]), now[curve["name"]], _(captions.get(curve["panel"], "")))
        for curve in entry.get("curves", ())
        if curve["name"] in guarded and curve["name"] in now
    ]
