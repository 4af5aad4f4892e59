"""Attack, objective, norm, size and seed, as widgets."""

from typing import Any

import streamlit as st

from app.address import state
from app.forms import settings_form
from app.forms.choose_model import Victim, sees_views
from app.forms.threat import NORMS, PRESETS, SPAN, Threat


def choose_threat(
    victim: Victim, *, axis: str = "", with_epsilon: bool = True, fitted: bool = False
) -> Threat:
    """Attack, objective, norm, ε, λ, target and seed; not what a ladder moves along its own `axis`. `fitted`:
    attacks that are fitted first too.
    """
    catalogue = state.catalogue()
    fitted = fitted and sees_views(victim)
    attacks = [
        name
        for name, entry in catalogue["attack"].items()
        if entry.get("space") == "pixels" and (fitted or not entry.get("fitted"))
    ]
    objectives = _possible(catalogue["objective"], victim)
    objective = st.selectbox(
        "Objective",
        objectives,
        key=state.key("objective", "leave_cluster", lambda name: name in objectives),
        format_func=lambda name: catalogue["objective"][name]["title"],
        help="What the attacker wants. No labels are used.",
    )
    attack = st.selectbox(
        "Attack",
        attacks,
        key=state.key("attack", "pgd", lambda name: name in attacks),
        format_func=lambda name: catalogue["attack"][name]["title"],
        help="How the attacker gets it.",
    )
    norm = st.segmented_control(
        "Norm",
        list(NORMS),
        key=state.key("norm", "linf", lambda name: name in NORMS),
        format_func=NORMS.__getitem__,
        required=True,
        help="L∞ bounds every pixel by ε; L2 bounds the length of the whole perturbation.",
    )
    assert norm, "a required choice"
    epsilon = _epsilon(norm, slider=axis != "epsilon") if with_epsilon else PRESETS["Visible"]
    lam = 0.0
    keeps = (
        "reconstructs" in catalogue["model"][victim.run.spec.name]["abilities"]
        and objective != "reconstruction_change"
    )
    if keeps and axis != "lambda":
        lam = float(
            st.slider(
                "λ, weight on keeping the reconstruction",
                0.0,
                200.0,
                step=1.0,
                key=state.key("lambda", 0.0, lambda size: 0 <= size <= 200),
                help=(
                    "The attacker wants: objective − λ · mean squared change of the reconstruction. λ = 0"
                    " does not care."
                ),
            )
        )
    settings = _attack_settings(catalogue["attack"][attack])
    wanted = _objective_settings(catalogue["objective"][objective], victim)
    seed = int(
        st.number_input(
            "Seed",
            0,
            9999,
            key=state.key("seed", 0, lambda number: 0 <= number <= 9999),
            help="Of the random start.",
        )
    )
    return Threat(attack, settings, objective, wanted, lam, norm, epsilon, seed, sees_views(victim))


def _possible(objectives: dict[str, Any], victim: Victim) -> list[str]:
    has = set(state.catalogue()["model"][victim.run.spec.name]["abilities"])
    return [
        name
        for name, entry in objectives.items()
        if name != "weighted_sum" and set(entry.get("needs", ())) <= has
    ]


def _epsilon(norm: str, slider: bool) -> float:
    span = SPAN[norm]
    key = state.key("eps", 0.1 * span, lambda size: 0 <= size <= span, f"a number from 0 to {span:g}")
    if not slider:
        return float(st.session_state[key])
    st.pills(
        "Size",
        list(PRESETS),
        label_visibility="collapsed",
        key="epsilon_preset",
        on_change=_preset_chosen,
        args=(span,),
    )
    return float(
        st.slider(
            "ε",
            0.0,
            span,
            step=span / 200,
            key=key,
            format="%.3f",
            help="How far the image may be moved. Pixels lie in [0, 1]; 8/255 = 0.031.",
        )
    )


def _preset_chosen(span: float) -> None:
    name = st.session_state.get("epsilon_preset")
    if name:
        state.put("eps", PRESETS[name] * span)
        st.session_state["epsilon_preset"] = None


def _attack_settings(entry: dict[str, Any]) -> dict[str, Any]:
    """The attack's own fields where they differ from its defaults; T is in the address."""
    settings: dict[str, Any] = {}
    if "steps" in entry["defaults"]:
        steps = int(
            st.slider(
                "T, steps",
                1,
                100,
                key=state.key("steps", int(entry["defaults"]["steps"]), lambda number: 1 <= number <= 100),
                help="Gradient steps. T = 1 understates an attack; more steps, and restarts, find more.",
            )
        )
        settings["steps"] = steps
    others = tuple(name for name in entry["defaults"] if name != "steps")
    if others:
        with st.popover("More of this attack", icon=":material/tune:"):
            choice = settings_form.choose(entry, key="attack", only=others)
        settings |= {name: choice["values"][name] for name in others}
    return {name: setting for name, setting in settings.items() if setting != entry["defaults"][name]}


def _objective_settings(entry: dict[str, Any], victim: Victim) -> dict[str, Any]:
    if "cluster" not in entry["defaults"]:
        return {}
    count = len(victim.names)
    target = st.selectbox(
        "Target cluster",
        range(count),
        key=state.key("target", 0, lambda number: 0 <= number < count, f"a cluster from 0 to {count - 1}"),
        format_func=lambda number: f"cluster {victim.names[number]}",
    )
    return {"cluster": int(target)}
