"""What several pages let a person choose in the same way: a model, a sample, and the threat to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from app.address import state
from app.components.picker import picker
from app.forms import settings_form
from engine.asking import answers
from engine.asking.answers import Answer
from engine.store.run import Run

DEFAULT_MODEL, DEFAULT_OF_VIEWS = "digits/adec", "noisy_digits/comvc"
SPAN = {"linf": 1.0, "l2": 10.0}
PRESETS = {"Invisible": 0.03, "Visible": 0.1, "Strong": 0.3}
"""L∞ sizes that people can judge by eye; L2 sizes are ten times as large."""
NORMS = {"linf": "L∞", "l2": "L2"}


@dataclass(frozen=True)
class Victim:
    """A chosen model: its name in lists, its run and what is known of its clean samples."""

    name: str
    run: Run
    overview: Answer

    @property
    def names(self) -> list[str]:
        """Names of the clusters."""
        return list(self.overview.json["cluster_names"])

    @property
    def shape(self) -> list[int]:
        """Shape of one sample."""
        return list(self.overview.json["shape"])


@dataclass(frozen=True)
class Threat:
    """A chosen attack: how, what for, and how large."""

    attack: str = "pgd"
    settings: dict[str, Any] = field(default_factory=dict)
    objective: str = "leave_cluster"
    objective_settings: dict[str, Any] = field(default_factory=dict)
    lam: float = 0.0
    norm: str = "linf"
    epsilon: float = 0.1
    seed: int = 0
    unseen: bool = False
    """Whether only the half of the data is attacked on which multi-view models are not trained."""

    def question(self, model: str, sample: int, axis: str = "epsilon", **changes: Any) -> dict[str, Any]:
        """The question of this threat's ladder for one sample."""
        at = None if axis == "epsilon" else self.epsilon
        asked: dict[str, Any] = {
            "attack": self.attack,
            "settings": self.settings,
            "objective": self.objective,
            "objective_settings": self.objective_settings,
            "lam": 0.0 if axis == "lambda" else self.lam,
            "norm": self.norm,
            "axis": axis,
            "seed": self.seed,
            "epsilon": at,
        }
        return answers.ladder_question(model, sample, **(asked | changes))

    def changes(self) -> dict[str, Any]:
        """The fields of an attack run."""
        return {
            "attack_settings": self.settings,
            "objective": self.objective,
            "objective_settings": self.objective_settings,
            "lam": self.lam,
            "norm": self.norm,
            "epsilon": self.epsilon,
        }

    def command(self, model: str) -> str:
        """The same threat on the command line."""
        flags = [
            f"--objective {self.objective}",
            f"--epsilon {self.epsilon:g}",
            f"--norm {self.norm}",
            f"--seed {self.seed}",
        ]
        flags += [f"--lam {self.lam:g}"] * bool(self.lam) + [
            f"--{name} {value}" for name, value in self.objective_settings.items()
        ]
        flags += [f"--{name} {value}" for name, value in self.settings.items()]
        return f"python3 -m engine attack {self.attack} --model {model} " + " ".join(flags)


def in_order(victim: Victim) -> list[int]:
    """The clusters in the order of the classes they are matched to; those without one last."""
    mapping = victim.overview.json["mapping"]
    return sorted(range(len(mapping)), key=lambda cluster: (mapping[cluster] < 0, mapping[cluster]))


def choose_model(ability: str = "clusters") -> Victim:
    """A model from the zoo or from own runs; stops the page with a sentence where none can be read."""
    found = state.models(ability=ability)
    if not found:
        st.info("No trained model is here yet. Train one on the Train page; digits take a minute.")
        st.stop()
    default = next(name for name in (DEFAULT_MODEL, DEFAULT_OF_VIEWS, *found) if name in found)
    key = state.key(
        "model",
        default,
        lambda name: name in found,
        "a zoo name or the key of a finished run (train it with `python3 -m engine train`)",
    )
    name = st.selectbox(
        "Model",
        list(found),
        key=key,
        format_func=lambda option: state.model_title(option, found[option]),
        help="Trained models: those that come with Feint, then your own finished runs.",
    )
    overview = state.ask({"ask": "overview", "model": found[name].key}, "Looking at the model…")
    return Victim(name, found[name], overview)


def first_sample(data: str) -> int:
    """The sample that a page shows before anybody has chosen one."""
    return answers.SHOWN.get(data, 0)


def choose_sample(victim: Victim, first: int | None = None) -> int:
    """A sample: by number, or from a grid of fragile, safe or cluster-wise ones. `first` is shown before
    anybody has chosen.
    """
    n = victim.overview.json["n"]
    default = first_sample(victim.run.spec.data) if first is None else first
    key = state.key("sample", default, lambda number: 0 <= number < n, f"a whole number from 0 to {n - 1}")
    with st.expander("Choose a sample", icon=":material/grid_view:", expanded=False):
        order = st.segmented_control(
            "Order",
            ["fragile", "safe", "any"],
            default="fragile",
            required=True,
            label_visibility="collapsed",
            help="By the margin between the two likeliest clusters.",
        )
        cluster = st.pills(
            "Cluster",
            range(len(victim.names)),
            format_func=lambda number: victim.names[number],
            key="sample_cluster",
            label_visibility="collapsed",
        )
        ids = _ordered(victim.overview, order, cluster)[:24]
        shown = state.ask({"ask": "images", "data": victim.run.spec.data, "ids": ids})
        captions = [victim.names[victim.overview.arrays["cluster"][number]] for number in ids]
        clicked = picker(
            shown.arrays["images"],
            victim.shape,
            ids,
            captions,
            "sample_picker",
            chosen=st.session_state[key],
            size=44,
        )
        if clicked is not None:
            state.put("sample", clicked)
    return int(st.number_input("Sample number", 0, n - 1, key=key, help="Its place in the data set."))


def _ordered(overview: Answer, order: str, cluster: int | None) -> list[int]:
    margin, clusters = overview.arrays["margin"], overview.arrays["cluster"]
    ids = np.arange(len(margin)) if cluster is None else np.flatnonzero(clusters == cluster)
    if order == "any":
        return [int(number) for number in np.random.default_rng(0).permutation(ids)]
    ranked = ids[np.argsort(margin[ids])]
    return [int(number) for number in (ranked if order == "fragile" else ranked[::-1])]


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


def sees_views(victim: Victim) -> bool:
    """Whether a model fuses several views."""
    return "fuses" in state.catalogue()["model"][victim.run.spec.name]["abilities"]


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


def cluster_captions(victim: Victim, clusters: Sequence[int]) -> list[str]:
    """Names of clusters for captions."""
    return [victim.names[int(cluster)] for cluster in clusters]
