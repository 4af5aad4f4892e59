"""What an attack on one sample came to, in one sentence: in the words of its objective."""

import math

import numpy as np
import streamlit as st

from app.attack.levels import NAMES, at
from app.charts import plot
from app.forms import possible
from app.forms.choose_model import Victim
from app.measured import minus
from app.words import N_, _
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
        if target is not None:
            return _("It is in {group} already: choose another target.").format(group=_group(victim, own))
        return _("It {does} **without any attack** already: choose another sample.").format(does=does)
    draws = noise_draws(answer)
    if not answer.reached.any():
        return _nowhere(answer, does, draws)
    told = _("It {does} {where}; noise of the same size does so in {draws}.")
    return told.format(does=does, where=_where(answer), draws=draws)


def noise_draws(answer: LadderAnswer) -> str:
    """How often noise of the same size reached it: "1 of 20 draws (95 % interval 1 to 24 %)"."""
    return _("{reached:,} of {n:,} draws (95 % interval {low} to {high} %)").format(**answer.noise_told)


def already(answer: LadderAnswer) -> bool:
    """Whether the sample is where the objective wants it before any attack: as the answer says, or, over ε,
    as its level of no size shows.
    """
    if answer.already or (answer.target is not None and answer.target == answer.own_group):
        return True
    return answer.axis == "epsilon" and answer.reached is not None and bool(answer.reached[0])


def success(victim: Victim, objective: str, own: int | None, target: int | None) -> str:
    """What a sample does that the objective reached: "leaves cluster **3**"."""
    words = _(str(possible.entry("objective", objective).get("success") or N_("is reached")))
    return words.format(own=_group(victim, own), target=_group(victim, target))


def effect(objective: str, value: float) -> str:
    """What an attack does by a value of its objective: "moves the embedding by **12.4** …"."""
    words = _(str(possible.entry("objective", objective).get("effect") or N_("reaches a value of {value}")))
    return words.format(value=f"**{minus(f'{value:.3g}')}**")


def _group(victim: Victim, group: int | None) -> str:
    """A group by its name: "cluster **3**"."""
    if group is None or not victim.names:
        its = {"cluster": _("its cluster"), "class": _("its class")}
        return its.get(victim.grouping, _("what it was"))
    named = {"cluster": _("cluster **{name}**"), "class": _("class **{name}**")}
    return named[victim.grouping].format(name=victim.names[group])


def _nowhere(answer: LadderAnswer, does: str, draws: str) -> str:
    """What was looked through in vain: a larger ε, more steps or a stronger attack may still find it."""
    if answer.axis == "epsilon":
        told = _("No ε up to {top} was found at which it {does}; noise of the same size does so in {draws}.")
        return told.format(top=epsilon_text(answer.levels[-1]), does=does, draws=draws)
    told = _(
        "No {axis} at ε = {epsilon} was found at which it {does}; noise of the same size does so in {draws}."
    )
    epsilon = epsilon_text(answer.epsilon or 0.0)
    return told.format(axis=_(NAMES[answer.axis]), epsilon=epsilon, does=does, draws=draws)


def _where(answer: LadderAnswer) -> str:
    """At which ε, at which steps, or up to which λ the objective is reached; asked where it is."""
    assert answer.reached is not None, "asked only of an objective that knows success"
    there, levels = np.flatnonzero(answer.reached), answer.levels
    if answer.axis == "epsilon":
        return _("at **{bound}**").format(bound=_star(answer, levels[there[0]]))
    if answer.axis == "path":
        lasting = len(there) == len(levels) - there[0]
        told = _("from step {step:g} on") if lasting else _("at step {step:g} first")
        return told.format(step=levels[there[0]])
    axis = _(NAMES[answer.axis])
    if len(there) == len(levels):
        return _("at every {axis} shown").format(axis=axis)
    told = _("at {n} of {total} {axis}, the last {last:g}")
    return told.format(n=len(there), total=len(levels), axis=axis, last=levels[there[-1]])


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
    said = _("At {at} the attack {does}").format(
        at=at(answer, -1), does=effect(objective, float(answer.value[-1]))
    )
    if answer.noise_value is not None:
        noise = minus(f"{float(answer.noise_value[-1]):.3g}")
        said = _("{said}; noise of the same size: **{noise}**").format(said=said, noise=noise)
    if answer.q is None or answer.own_group is None:
        return f"{said}."
    elsewhere = np.flatnonzero(answer.q.argmax(1) != answer.own_group)
    group = _group(victim, answer.own_group)
    if not len(elsewhere):
        return _("{said}; it stays in {group}.").format(said=said, group=group)
    first = at(answer, elsewhere[0])
    return _("{said}; it leaves {group} first at {at}.").format(said=said, group=group, at=first)
