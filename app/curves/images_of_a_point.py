"""The images behind a point of a sweep's curves: the attack of its cell, run again where it was not kept.

The point that is open is kept in the address as its place among the sweep's values (`step`).
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.components.picker import picker
from app.curves import choose
from app.curves.choose import COLUMNS, OTHER, SYMBOLS, VALUES
from app.runs import launching, live
from app.runs.launching import LIVE
from engine.asking import legacy as answers
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec

SHOWN = 48
"""Images, at most."""


def show(run: Run, axis: str, at: float) -> None:
    """The adversarial samples of the point that is open: the same attack, run again where it was not kept."""
    values, place = run.spec.settings[VALUES[axis]], state.value("step", -1)
    if not 0 <= place < len(values):
        st.caption("Click a point of a curve: the images behind it open here.")
        return
    cell = {COLUMNS[axis]: float(values[place]), COLUMNS[OTHER[axis]]: at}
    seeds = run.spec.settings["attack_seeds"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"The images behind {SYMBOLS[axis]} = {values[place]:g}", anchor=False)
        seed = (
            seeds[0]
            if len(seeds) == 1
            else st.segmented_control(
                "Attack seed",
                seeds,
                default=seeds[0],
                required=True,
                label_visibility="collapsed",
                format_func=lambda number: f"seed {number}",
                key=f"behind/{run.key}",
            )
        )
    attack = _behind(run.spec, cell, int(seed))
    if attack is not None:
        lives = attack.status() in LIVE
        st.fragment(_images, run_every=live.TICK if lives else None)(attack.key, lives)


def _behind(spec: Spec, cell: Mapping[str, float], seed: int) -> Run | None:
    """The attack run of a cell, created and queued the first time; None where it was refused."""
    same = {
        name: spec.settings[name]
        for name in ("objective", "objective_settings", "norm", "n", "half", "cluster", "locked", "chunk")
        if name in spec.settings
    }
    question = choose.question(
        "attack",
        spec.name,
        spec.data,
        spec.builds_on["model"],
        spec.settings["attack_settings"] | same | dict(cell),
        seed,
    )
    kept, text = st.session_state.setdefault("sweeps/behind", {}), json.dumps(question, sort_keys=True)
    if not _here(kept.get(text)):
        kept[text] = launching.begin(question)
    return None if kept[text] is None else state.store().find(kept[text])


def _here(name: str | None) -> bool:
    """Whether a run of that name can be read here."""
    return name is not None and live.readable(name)


def _images(name: str, lived: bool) -> None:
    run = state.store().find(name)
    told, status = live.read(run), run.status()
    live.drawn_once_more(lived, status in LIVE)
    if told is None:
        return
    if status in LIVE:
        st.progress(told.pace().share, "Making the images: the same attack on the same samples…")
    elif status not in launching.DONE:
        st.error(f"The images could not be made: {run.reason() or f'the attack is {status}'}")
        st.button("Try again", icon=":material/refresh:", on_click=state.engine().submit, args=(run,))
    else:
        try:
            _gallery(run)
        except FeintError as error:
            state.refused(error)


def _gallery(run: Run) -> None:
    table, stored = run.table(), run.arrays("images")
    flipped = table["flipped"].to_numpy(dtype=bool)
    kinds = {
        "all": np.arange(len(table)),
        "flipped": np.flatnonzero(flipped),
        "held": np.flatnonzero(~flipped),
    }
    kind = st.segmented_control(
        "Which",
        list(kinds),
        default="all",
        required=True,
        label_visibility="collapsed",
        key="behind/which",
        format_func=lambda name: f"{name} ({len(kinds[name]):,})",
    )
    rows = kinds[kind][:SHOWN]
    if len(rows):
        _pick(run, table.iloc[rows], stored["adversarial"][rows])
    st.caption(
        f"{len(rows)} of {len(kinds[kind]):,} adversarial images, clean cluster → attacked cluster; a corner"
        " marks those that flipped. Click one to move it along ε yourself."
    )
    if st.button("Inspect all of them", icon=":material/search:", type="primary"):
        state.go("inspect", _address(run) | {"run": run.key, "pick": ""})


def _pick(run: Run, table: pd.DataFrame, rows: np.ndarray) -> None:
    overview = state.ask(
        {"ask": "overview", "model": run.spec.builds_on["model"]}, "Looking at the model…"
    ).json
    names = overview["cluster_names"]
    captions = [
        f"{names[before]} → {names[after]}" if before != after else names[before]
        for before, after in zip(table["cluster_clean"], table["cluster_attacked"], strict=True)
    ]
    picked = picker(
        np.rint(rows * 255).astype(np.uint8),
        overview["shape"],
        table["id"].tolist(),
        captions,
        f"behind/{run.key}",
        marked=table["flipped"].tolist(),
        label="Adversarial images",
        size=64,
    )
    if picked is not None:
        state.go("attack", _address(run) | {"sample": picked, **_level(run)})


def _address(run: Run) -> dict[str, str | int | float]:
    """What the address of another page says of an attack run."""
    settings, (_, _, model) = run.spec.settings, choose.model_of(run)
    said = {
        "model": model,
        "attack": run.spec.name,
        "objective": settings["objective"],
        "norm": settings["norm"],
        "eps": float(settings["epsilon"]),
        "lambda": float(settings["lam"]),
        "seed": run.spec.seed,
        "n": settings["n"],
    }
    inner = {
        name: settings["attack_settings"][name] for name in ("steps",) if name in settings["attack_settings"]
    }
    target = (
        settings["cluster"]
        if settings["cluster"] is not None
        else settings["objective_settings"].get("cluster")
    )
    return said | inner | ({} if target is None else {"target": target})


def _level(run: Run) -> dict[str, str | int]:
    """The ladder over ε, at the level that is nearest to the attack's ε."""
    settings = run.spec.settings
    top = max(answers.TOP[settings["norm"]], settings["epsilon"])
    return {"tab": "epsilon", "step": round(64 * settings["epsilon"] / top)}
