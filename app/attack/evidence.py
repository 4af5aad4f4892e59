"""What stands around a ladder: its map, the pair of images, neighbours, controls, other models, downloads,
explanations.
"""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.charts import charts
from app.components.ladder import gain, ladder_payload, start_level
from app.components.picker import picker
from app.components.standalone import standalone_html
from app.components.wipe import wipe, wipe_payload
from app.forms.choices import NORMS, PRESETS, SPAN, Threat, Victim
from engine.asking import answers
from engine.asking.answers import Answer

LAMBDAS = 200.0
"""The largest λ of a ladder over λ."""


def ladder_for(threat: Threat, victim: Victim, sample: int, axis: str) -> dict[str, Any]:
    """The question of the ladder on an axis: 65 levels of ε, the path of one attack, or 41 levels of λ."""
    if axis == "lambda":
        return threat.question(victim.run.key, sample, axis, top=LAMBDAS, count=41)
    top = max(answers.TOP[threat.norm], threat.epsilon)
    return threat.question(victim.run.key, sample, axis, top=top)


def with_map(
    victim: Victim, question: Mapping[str, Any], answer: Answer, umap: bool = True
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The answer with the points behind its trail: UMAP where both places are there already, else PCA."""
    places, moved = (answers.kept(asked) if umap else None for asked in _umap_of(victim, question))
    cluster = victim.overview.arrays["cluster"]
    if places is not None and moved is not None:
        arrays = answer.arrays | moved.arrays | {"map_xy": places.arrays["xy"], "map_cluster": cluster}
        return answer.json | {"map_name": "UMAP of the embedding"}, arrays
    arrays = answer.arrays | {"map_xy": victim.overview.arrays["xy"], "map_cluster": cluster}
    return answer.json | {"map_name": "PCA of the embedding"}, arrays


def _umap_of(victim: Victim, question: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The questions of a model's UMAP and of a ladder's places on it."""
    return {"ask": "umap", "model": victim.run.key, "seed": 0}, {
        "ask": "place",
        "model": victim.run.key,
        "ladder": dict(question),
    }


def place_on_umap(victim: Victim, question: Mapping[str, Any]) -> None:
    """Last on a page, when all else is drawn: place a ladder on the UMAP where it is not yet, and
    draw again.
    """
    missing = [asked for asked in _umap_of(victim, question) if answers.kept(asked) is None]
    for asked in missing:
        state.ask(
            asked,
            "Placing it on the UMAP; the first time takes up to a minute, and nothing waits for it…",
            timeout=600,
        )
    if missing:
        state.draw_again()


def jump(answer: Answer) -> None:
    """Sizes that people can judge by eye, as places on a ladder over ε."""
    levels = np.array(answer.json["levels"])
    sizes = {
        f"{name} {size * SPAN[answer.json['norm']]:g}": size * SPAN[answer.json["norm"]]
        for name, size in PRESETS.items()
    }

    def chosen() -> None:
        name = st.session_state["jump"]
        if name:
            state.put("step", int(np.abs(levels - sizes[name]).argmin()))
            st.session_state["jump"] = None
            st.session_state["jumps"] = (
                st.session_state.get("jumps", 0) + 1
            )  # another ladder, which nobody has released yet

    st.pills("Go to", list(sizes), key="jump", on_change=chosen, label_visibility="collapsed")


def at_level(threat: Threat, answer: Answer, level: int) -> Threat:
    """The threat as it stands at a level of its ladder."""
    here = float(answer.json["levels"][level])
    return {"epsilon": replace(threat, epsilon=here), "lambda": replace(threat, lam=here), "path": threat}[
        answer.json["axis"]
    ]


def takeaway(answer: Answer) -> None:
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


def _axis_name(axis: str) -> str:
    return {"epsilon": "ε", "path": "step", "lambda": "λ"}[axis]


def pair(victim: Victim, answer: Answer, level: int) -> None:
    """Clean and adversarial over one another, and who is near before and after."""
    said, arrays = answer.json, answer.arrays
    attacked = _attacked(answer, level)
    names = [said["cluster_names"][int(arrays["q"][place].argmax())] for place in (0, level)]
    names[0] = said["cluster_names"][said["cluster_own"]]
    shape = said["shape"]
    left, right = st.columns([4, 5], gap="medium")
    with left:
        if len(shape) == 3:
            caption = f"{_axis_name(said['axis'])} = {said['levels'][level]:g} · {said['protocol']}"
            wipe(
                wipe_payload(
                    arrays["clean"].reshape(shape),
                    attacked.reshape(shape),
                    before_name=f"clean: {names[0]}",
                    after_name=f"adversarial: {names[1]}",
                    title="Clean and adversarial",
                    caption=caption,
                ),
                key="wipe",
            )
    with right:
        _neighbours(victim, answer, level)
        read = said["read_as"][level]
        if read is not None:
            st.caption(
                f"Legibility: a 5-nearest-neighbour look at the raw pixels reads this image as **{read}**"
                f" ({'as' if read == said['label_name'] else 'unlike'} its label {said['label_name']})."
            )


def _neighbours(victim: Victim, answer: Answer, level: int) -> None:
    ids = np.stack([answer.arrays["near_clean"], answer.arrays["near"][level]])
    wanted = [int(number) for number in ids.ravel()]
    shown = state.ask({"ask": "images", "data": victim.run.spec.data, "ids": wanted}).arrays["images"]
    cluster = victim.overview.arrays["cluster"]
    for row, title in enumerate(("Nearest in the embedding, clean", "Nearest in the embedding, adversarial")):
        st.caption(title)
        part = slice(row * ids.shape[1], (row + 1) * ids.shape[1])
        clicked = picker(
            shown[part],
            victim.shape,
            wanted[part],
            [victim.names[cluster[number]] for number in wanted[part]],
            f"near{row}",
            label=title,
            size=44,
        )
        if clicked is not None:
            state.go("attack", {"sample": clicked})


def controls_strip(victim: Victim, question: Mapping[str, Any], answer: Answer, level: int) -> None:
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


def fate(victim: Victim, threat: Threat, sample: int) -> None:
    """The same sample in the other models of its data: cluster and ε*."""
    others = {
        name: run
        for name, run in state.models(victim.run.spec.data, "clusters").items()
        if "/" in name or name == victim.name
    }
    asked = {
        "ask": "fate",
        "models": [run.key for run in others.values()],
        "sample": sample,
        "attack": threat.attack,
        "settings": threat.settings,
        "norm": threat.norm,
        "top": answers.TOP[threat.norm],
        "seed": threat.seed,
    }
    found = state.ask(asked, "Asking the other models…").json
    stars = [row["epsilon_star"] for row in found["rows"]]
    frame = pd.DataFrame(
        {
            "model": list(others),
            "cluster": [row["name"] for row in found["rows"]],
            "ε* ≤": [
                "> " + format(found["top"], "g") if star is None else charts.bound(star) for star in stars
            ],
        }
    )
    st.dataframe(frame, hide_index=True, key="fate")
    st.caption(
        f"Smallest ε found that makes the sample leave its cluster, {NORMS[threat.norm]}, up to"
        f" {found['top']:g}: upper bounds, one seed."
    )


def downloads(
    victim: Victim,
    threat: Threat,
    answer: Answer,
    payload_answer: tuple[dict[str, Any], dict[str, np.ndarray]],
    level: int,
) -> None:
    """The picture, the numbers, the protocol, and the ladder as one file that plays without a server."""
    said = answer.json
    stem = f"feint-{victim.name.replace('/', '-')}-{said['sample']}-{said['axis']}"
    note = (
        f"Feint · {victim.name} · sample {said['sample']} of {said['data']} · {said['protocol']} · seed"
        f" {threat.seed} · run {victim.run.key}"
    )
    card = {
        "what": said,
        "model": victim.name,
        "run": victim.run.key,
        "threat": threat.__dict__,
        "level": level,
        "command": threat.command(victim.name),
    }
    arrays: dict[str, Any] = answer.arrays | {
        "attacked": _attacked(answer, level),
        "levels": np.array(said["levels"]),
    }

    def page() -> str:  # made when it is asked for, in a thread without a session
        return standalone_html(
            "ladder",
            ladder_payload(Answer(*payload_answer)) | {"start": level, "autoplay": True},
            said["title"],
            note,
        )

    def numbers() -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    with st.container(horizontal=True):
        st.download_button(
            "Ladder (HTML)",
            page,
            f"{stem}.html",
            "text/html",
            on_click="ignore",
            icon=":material/slideshow:",
            help="One file that plays on a phone with no server.",
        )
        if len(said["shape"]) == 3:
            picture = gallery.to_png(
                _attacked(answer, level).reshape(said["shape"]), -(-512 // max(said["shape"][1:]))
            )
            st.download_button(
                "PNG", picture, f"{stem}.png", "image/png", on_click="ignore", icon=":material/image:"
            )
        st.download_button("npz", numbers, f"{stem}.npz", on_click="ignore", icon=":material/dataset:")
        st.download_button(
            "Card (JSON)",
            json.dumps(card, indent=1, default=list),
            f"{stem}.json",
            "application/json",
            on_click="ignore",
            icon=":material/badge:",
        )
        sizes = pd.DataFrame(
            {
                _axis_name(said["axis"]): said["levels"],
                "linf": answer.arrays["linf"],
                "l2": answer.arrays["l2"],
                "cluster": answer.arrays["q"].argmax(1),
                "q_own": answer.arrays["q"][:, said["cluster_own"]],
                "read_as": said["read_as"],
            }
        )
        st.download_button(
            "CSV",
            sizes.to_csv(index=False),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )


def shown_level(answer: Answer, level: int | None) -> int:
    """The level of the address or that was released, at most the last one; where it is none, the one the
    ladder starts at.
    """
    last = len(answer.json["levels"]) - 1
    return (
        min(level, last)
        if level is not None and level >= 0
        else start_level(answer.json, answer.arrays["flipped"])
    )


def _attacked(answer: Answer, level: int) -> np.ndarray:
    return np.clip(answer.arrays["clean"] + answer.arrays["delta"][level].astype(np.float32), 0, 1)


def stated_gain(delta: np.ndarray) -> float:
    """The gain at which a single perturbation is drawn."""
    return gain(delta.reshape(1, -1), None)


def explain(*entries: tuple[str, str]) -> None:
    """What am I seeing: equation, one sentence and source of each (kind, name)."""
    with st.expander("What am I seeing?", icon=":material/help:"):
        for kind, name in entries:
            entry = state.catalogue()[kind][name]
            st.markdown(f"**{entry['title']}** · {entry['summary']}")
            if entry["equation"]:
                st.latex(entry["equation"])
            st.caption(f"Source: {entry['source']}")
        st.markdown(
            "A ladder runs every level at once from the same random direction; along ε an attack that"
            " searches answers at each level with the best of all levels up to it. ε* is the smallest ε"
            " found, an upper bound: a better attack may need less. Flips are judged in full precision."
        )


def python_lines(victim: Victim, threat: Threat) -> str:
    """The same attack in Python."""
    return (
        "from engine.running.runner import prepare, run\n"
        f'spec = prepare("attack", "{threat.attack}", models={{"model": "{victim.name}"}},'
        f" seed={threat.seed}, changes={threat.changes()!r})\n"
        "for event in run(spec):\n    print(event)"
    )
