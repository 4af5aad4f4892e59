"""What an attack on one sample came to, in one sentence: in the words of its objective."""

import math

import numpy as np
import streamlit as st

from app.attack.levels import NAMES, at
from app.charts import plot
from app.forms import possible
from app.forms.choose_model import Victim
from app.measured import minus
from engine.asking.answers import LadderAnswer
from engine.asking.questions import epsilon_text


def show(victim: Victim, objective: str, answer: LadderAnswer) -> None:
    """The result in one line, with its bound and its control."""
    st.markdown(sentence(victim, objective, answer))


def sentence(victim: Victim, objective: str, answer: LadderAnswer) -> str:
    """Where the objective was reached, and how often by noise; of one without success, what it came to."""
    if answer.reached is None:
        return _value(victim, objective, answer)
    own, target = answer.own_group, answer.target
    does = success(victim, objective, own, target)
    if already(answer):
        where = f"is in {_group(victim, own)}" if target is not None else f"{does} **without any attack**"
        return f"It {where} already: choose another {'target' if target is not None else 'sample'}."
    noise = f"noise of the same size does so in {answer.noise_draws}"
    if not answer.reached.any():
        return f"{_nowhere(answer)} was found at which it {does}; {noise}."
    return f"It {does} {_where(answer)}; {noise}."


def already(answer: LadderAnswer) -> bool:
    """Whether the sample is where the objective wants it before any attack: as the answer says, or, over ε,
    as its level of no size shows.
    """
    if answer.already or (answer.target is not None and answer.target == answer.own_group):
        return True
    return answer.axis == "epsilon" and answer.reached is not None and bool(answer.reached[0])


def success(victim: Victim, objective: str, own: int | None, target: int | None) -> str:
    """What a sample does that the objective reached: "leaves cluster **3**"."""
    words = str(possible.entry("objective", objective).get("success") or "is reached")
    return words.format(own=_group(victim, own), target=_group(victim, target))


def effect(objective: str, value: float) -> str:
    """What an attack does by a value of its objective: "moves the embedding by **12.4** …"."""
    words = str(possible.entry("objective", objective).get("effect") or "reaches a value of {value}")
    return words.format(value=f"**{minus(f'{value:.3g}')}**")


def _group(victim: Victim, group: int | None) -> str:
    """A group by its name: "cluster **3**"."""
    if group is None or not victim.names:
        return f"its {victim.grouping}" if victim.grouping else "what it was"
    return f"{victim.grouping} **{victim.names[group]}**"


def _nowhere(answer: LadderAnswer) -> str:
    """What was looked through in vain: a larger ε, more steps or a stronger attack may still find it."""
    if answer.axis == "epsilon":
        return f"No ε up to {epsilon_text(answer.levels[-1])}"
    return f"No {NAMES[answer.axis]} at ε = {epsilon_text(answer.epsilon or 0.0)}"


def _where(answer: LadderAnswer) -> str:
    """At which ε, at which steps, or up to which λ the objective is reached; asked where it is."""
    assert answer.reached is not None, "asked only of an objective that knows success"
    there, levels = np.flatnonzero(answer.reached), answer.levels
    if answer.axis == "epsilon":
        return f"at **{_star(answer, levels[there[0]])}**"
    if answer.axis == "path":
        lasting = len(there) == len(levels) - there[0]
        return f"{'from' if lasting else 'at'} step {levels[there[0]]:g} {'on' if lasting else 'first'}"
    if len(there) == len(levels):
        return f"at every {NAMES[answer.axis]} shown"
    return f"at {len(there)} of {len(levels)} {NAMES[answer.axis]}, the last {levels[there[-1]]:g}"


def _star(answer: LadderAnswer, first: float) -> str:
    """The smallest ε that was found, as an upper bound; of pixels in 255ths too."""
    bound = plot.bound(first if answer.epsilon_star is None else answer.epsilon_star)
    if answer.norm != "linf" or len(answer.shape) != 3:
        return f"ε\\* ≤ {bound}"
    return f"ε\\* ≤ {bound} ({math.ceil(float(bound) * 2550 - 1e-6) / 10:g}/255)"


def _value(victim: Victim, objective: str, answer: LadderAnswer) -> str:
    """For an objective without success: its value at the last level beside that of noise, and where the model
    sorts the sample elsewhere.
    """
    said = f"At {at(answer, -1)} the attack {effect(objective, float(answer.value[-1]))}"
    if answer.noise_value is not None:
        said += f", noise of the same size by **{minus(f'{float(answer.noise_value[-1]):.3g}')}**"
    if answer.q is None or answer.own_group is None:
        return f"{said}."
    elsewhere = np.flatnonzero(answer.q.argmax(1) != answer.own_group)
    group = _group(victim, answer.own_group)
    if not len(elsewhere):
        return f"{said}; it stays in {group}."
    return f"{said}; it leaves {group} first at {at(answer, elsewhere[0])}."
