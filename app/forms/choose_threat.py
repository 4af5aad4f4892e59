"""Attack, objective, norm, size and seed, as widgets. What is possible comes from the catalogue."""

from collections.abc import Collection, Sequence
from typing import Any, cast

import streamlit as st

from app.address import links
from app.forms import exact, possible, settings_form
from app.forms.choose_model import Victim
from app.forms.threat import NORMS, Threat, largest, sizes
from app.words import N_, _
from engine.asking.questions import LAMBDA_TOP, Norm

OF_PICTURES = N_("How far the image may be moved. Pixels lie in [0, 1]; 8/255 = 0.031.")
OF_FEATURES = N_("How far each feature may be moved, as a share of its range in the training rows.")
"""What ε is measured in, of the two kinds of samples."""


def choose_threat(
    victim: Victim, *, axis: str = "", with_epsilon: bool = True, fitted: bool = False
) -> Threat:
    """Attack, objective, norm, ε, λ, target and seed; not what a ladder moves along its own `axis`. `fitted`:
    attacks that are fitted first too.
    """
    method = victim.run.spec.name
    objective = _one_of(
        _("Objective"),
        "objective",
        possible.objectives(method, victim.labelled),
        _("What the attacker wants."),
    )
    attacks = possible.attacks(method, objective, fitted, axis)
    attack = _one_of(_("Attack"), "attack", attacks, _("How the attacker gets it."))
    if possible.entry("objective", objective).get("needs_labels"):
        st.caption(_("This objective knows the labels of the samples."))
    norm = _norm(possible.entry("attack", attack).get("norms") or NORMS)
    unit = OF_PICTURES if victim.features is None else OF_FEATURES
    epsilon = _epsilon(norm, axis != "epsilon", unit) if with_epsilon else sizes(norm)["Visible"]
    lam = _lambda() if axis != "lambda" and possible.weighs(method, objective, attack) else 0.0
    settings = _attack_settings(possible.entry("attack", attack))
    wanted = _objective_settings(possible.entry("objective", objective), victim)
    return Threat(attack, settings, objective, wanted, lam, norm, epsilon, choose_seed())


def choose_seed() -> int:
    """The seed of the random start."""
    key = links.key("seed", 0, lambda number: 0 <= number <= 9999)
    return int(st.number_input(_("Seed"), 0, 9999, key=key, help=_("Of the random start.")))


def choose_steps(default: int) -> int:
    """T, how many gradient steps."""
    return int(
        st.slider(
            _("T, steps"),
            1,
            100,
            key=links.key("steps", default, lambda number: 1 <= number <= 100),
            help=_("Gradient steps. T = 1 understates an attack; more steps, and restarts, find more."),
        )
    )


def choose_locked(victim: Victim) -> tuple[int, ...]:
    """The views that stay as they are, kept in the address; says so where that leaves nothing to attack."""
    views = victim.overview.views
    locked = st.pills(
        _("Locked views"),
        range(views),
        default=[view for view in locked_in_address() if view < views],
        selection_mode="multi",
        format_func=lambda view: _("View {number}").format(number=view + 1),
        key=f"locks/{victim.run.key}",
        help=_("A locked view stays as it is: what can an attacker do who holds the others alone?"),
    )
    held = tuple(sorted(int(view) for view in locked))
    links.put("locked", ",".join(map(str, held)))
    if len(held) == views:
        st.error(_("Every view is locked, which leaves nothing to attack. Unlock one."))
    return held


def locked_in_address() -> tuple[int, ...]:
    """The views that the address says are locked."""
    return tuple(sorted({int(part) for part in links.value("locked", "").split(",") if part.isdigit()}))


def _one_of(label: str, kind: str, names: Sequence[str], help_: str) -> str:
    """One of the possible methods of a kind: at first that of `Threat`, or one with a mark of success, or one
    that knows its success.
    """
    usual, objectives = getattr(Threat(), kind), names if kind == "objective" else ()
    marked = [name for name in objectives if possible.entry("objective", name).get("has_mark")]
    known = [name for name in objectives if possible.has_success(name)]
    default = next(name for name in (usual, *marked, *known, *names) if name in names)
    key = links.key(kind, default, lambda name: name in names)
    return str(
        st.selectbox(
            label, names, key=key, format_func=lambda name: _(possible.title(kind, name)), help=help_
        )
    )


def _norm(known: Collection[str]) -> Norm:
    norm = st.segmented_control(
        _("Norm"),
        [norm for norm in NORMS if norm in known],
        key=links.key("norm", "linf", lambda name: name in known),
        format_func=NORMS.__getitem__,
        required=True,
        help=_("L∞ bounds every number of a sample by ε; L2 bounds the length of the whole perturbation."),
    )
    return cast(Norm, norm)


def _lambda() -> float:
    return float(
        st.slider(
            _("λ, weight on keeping the reconstruction"),
            0.0,
            LAMBDA_TOP,
            step=1.0,
            key=links.key("lambda", 0.0, lambda size: 0 <= size <= LAMBDA_TOP),
            help=(
                _(
                    "The attacker wants: objective − λ · mean squared change of the reconstruction. λ = 0"
                    " does not care."
                )
            ),
        )
    )


def _epsilon(norm: Norm, slider: bool, unit: str) -> float:
    top, offered = largest(norm), sizes(norm)
    key = links.key(
        "eps",
        offered["Visible"],
        lambda size: 0 <= size <= top,
        _("a number from 0 to {top:g}").format(top=top),
    )
    if not slider:
        return float(st.session_state[key])
    st.pills(
        _("Size"),
        list(offered),
        label_visibility="collapsed",
        format_func=_,
        key="epsilon_preset",
        on_change=_size_chosen,
        args=(offered,),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.slider(
            "ε",
            0.0,
            top,
            step=top / 200,
            key=key,
            format="%.3f",
            help=_(unit),
        )
        exact.field("ε", key, top / 200, lambda size: _outside(size, top))
    return float(chosen)


def _outside(epsilon: float, top: float) -> str | None:
    if 0 <= epsilon <= top:
        return None
    return _("ε must be a number from 0 to {top:g}; got {epsilon:g}.").format(top=top, epsilon=epsilon)


def _size_chosen(offered: dict[str, float]) -> None:
    name = st.session_state.get("epsilon_preset")
    if name:
        links.put("eps", offered[name])
        st.session_state["epsilon_preset"] = None


def _attack_settings(entry: dict[str, Any]) -> dict[str, Any]:
    """The attack's own fields where they differ from its defaults; T is in the address."""
    settings: dict[str, Any] = {}
    if "steps" in entry["defaults"]:
        settings["steps"] = choose_steps(int(entry["defaults"]["steps"]))
    others = tuple(name for name in entry["defaults"] if name != "steps")
    settings |= _more(_("More of this attack"), entry, others)
    return {name: value for name, value in settings.items() if value != entry["defaults"][name]}


def _objective_settings(entry: dict[str, Any], victim: Victim) -> dict[str, Any]:
    """The objective's own fields where they differ from its defaults, and the target of one that has one."""
    defaults = entry["defaults"]
    if not entry.get("targeted"):
        found = _more(_("More of this objective"), entry, tuple(defaults))
        return {name: value for name, value in found.items() if value != defaults[name]}
    count, classes = len(victim.names), victim.grouping == "class"
    expected = _("a class from 0 to {last}") if classes else _("a cluster from 0 to {last}")
    named = _("class {name}") if classes else _("cluster {name}")
    target = st.selectbox(
        _("Target class") if classes else _("Target cluster"),
        range(count),
        key=links.key(
            "target",
            0,
            lambda number: 0 <= number < count,
            expected.format(last=count - 1),
        ),
        format_func=lambda number: named.format(name=victim.names[number]),
    )
    return {"cluster": int(target)}


def _more(label: str, entry: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Further fields of a method, folded away: all of them, changed or not."""
    if not fields:
        return {}
    with st.popover(label, icon=":material/tune:"):
        parameter = f"{entry['kind']}_settings"
        choice = settings_form.choose(
            entry, key=entry["kind"], optional=True, only=fields, parameter=parameter
        )
    return {name: choice["values"][name] for name in fields}
