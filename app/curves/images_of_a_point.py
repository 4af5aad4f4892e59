"""The images behind a point of a sweep's curves: the attack of its cell, run again where it was not kept.

The point that is open is kept in the address (`at`): its value on the sweep's axis.
"""

from typing import Any

import numpy as np
import streamlit as st

from app.address import connection, links, notices
from app.components.picker import picker
from app.curves import which
from app.curves.axes import SweepAxis
from app.curves.which import model_of
from app.forms import in_address
from app.forms.choose_model import victim_of
from app.inspect.finished_attack import FinishedAttack, look, target_of
from app.runs import wanted as runs
from app.words import N_, _
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.wanted import Wanted

KINDS = {"all": N_("all"), "reached": N_("reached"), "held": N_("held")}
"""Which samples -> what they are called."""
SHOWN = 48
"""Images, at most."""
SAME = ("objective", "objective_settings", "norm", "n", "half", "cluster", "locked", "chunk")
"""Fields of a sweep that each of its cells has too."""


def show(run: Run, axis: SweepAxis, at: float) -> None:
    """The adversarial samples of the point that is open: the same attack, run again where it was not kept."""
    value = which.opened(run, axis)
    if value is None:
        st.caption(_("Click a point of a curve: the samples behind it open here."))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(
            _("The samples behind {symbol} = {value:g}").format(symbol=axis.symbol, value=value), anchor=False
        )
        seed = _choose_seed(run)
    asked = cell(run.spec, {axis.column: value, axis.other.column: at}, seed)
    attack = runs.wanted_or_button(
        asked,
        _("The samples"),
        at_once=True,
        doing=_("Attacking the samples"),
    )
    if attack is None:
        return
    try:
        _gallery(attack)
    except FeintError as error:
        notices.refused(error)


def cell(spec: Spec, at: dict[str, float], seed: int) -> Wanted:
    """The attack run of a cell of a sweep."""
    same = {name: spec.settings[name] for name in SAME if name in spec.settings}
    changes: dict[str, Any] = spec.settings["attack_settings"] | same | at
    model = {"model": spec.builds_on["model"]}
    return Wanted("attack", spec.name, spec.data, seed, changes=changes, models=model)


def _choose_seed(run: Run) -> int:
    seeds = run.spec.settings["attack_seeds"]
    if len(seeds) == 1:
        return int(seeds[0])
    return int(
        st.segmented_control(
            _("Attack seed"),
            seeds,
            required=True,
            label_visibility="collapsed",
            format_func=lambda number: _("seed {seed}").format(seed=number),
            key=links.key("of_seed", int(seeds[0]), lambda number: number in seeds),
        )
        or seeds[0]
    )


def _gallery(run: Run) -> None:
    """The images of a finished attack: all, or those where it reached what it wanted, or the others."""
    attacked = look(run, victim_of(connection.store().find(run.spec.builds_on["model"])))
    kinds = {"all": np.arange(attacked.n)}
    if attacked.reached is not None:
        kinds |= {
            "reached": np.flatnonzero(attacked.reached),
            "held": np.flatnonzero(~attacked.reached),
        }
    kind = (
        st.segmented_control(
            _("Which"),
            list(kinds),
            required=True,
            label_visibility="collapsed",
            key=links.key("which", "all", lambda name: name in kinds),
            format_func=lambda name: f"{_(KINDS[name])} ({len(kinds[name]):,})",
        )
        or "all"
    )
    rows = kinds[kind][:SHOWN]
    if len(rows):
        _pick(attacked, rows)
    said = _("{shown} of {n:,} adversarial samples. Click one to move it along ε yourself.")
    if attacked.reached is not None:
        said = _(
            "{shown} of {n:,} adversarial samples; a corner marks those that it reached. Click one to move it"
            " along ε yourself."
        )
    st.caption(said.format(shown=len(rows), n=len(kinds[kind])))
    if st.button(_("Inspect all of them"), icon=":material/search:", type="primary"):
        links.go("inspect", address(run) | {"run": run.key, "pick": ""})


def _pick(attacked: FinishedAttack, rows: np.ndarray) -> None:
    """Thumbnails; a click opens one on the Attack page."""
    picked = picker(
        attacked.images[rows],
        attacked.victim.shape,
        attacked.ids[rows].tolist(),
        attacked.captions(rows),
        f"behind/{attacked.run.key}",
        marked=[] if attacked.reached is None else attacked.reached[rows].tolist(),
        label=_("Adversarial samples"),
        size=64,
    )
    if picked is not None:
        links.go("attack", address(attacked.run) | {"sample": picked, "tab": "epsilon"})


def address(run: Run) -> dict[str, str | int | float]:
    """What the address of another page says of an attack run."""
    settings, model = run.spec.settings, model_of(run)[2]
    said: dict[str, Any] = {
        "model": model,
        "attack": run.spec.name,
        "objective": settings["objective"],
        "norm": settings["norm"],
        "eps": float(settings["epsilon"]),
        "lambda": float(settings["lam"]),
        "seed": run.spec.seed,
        "n": settings["n"] or run.result()["n"],
        "steps": settings["attack_settings"].get("steps"),
        "target": target_of(run),
        **in_address.of_attack(run.spec),
    }
    return {name: value for name, value in said.items() if value is not None}
