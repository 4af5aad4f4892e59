"""One attacked sample with all about it."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.attack import levels, other_models, takeaway
from app.components.ladder import gain
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms.threat import Threat
from app.inspect.finished_attack import FinishedAttack
from app.inspect.grid import GRID, turn_to
from engine.asking.answers import Answer


def current(ids: np.ndarray) -> int:
    """The sample of the address where it is selected, else the first selected one."""
    wanted = state.value("sample", 0, lambda number: number >= 0)
    sample = int(wanted if wanted in ids else ids[0])
    state.put("sample", sample)
    return sample


def steps(ids: np.ndarray, sample: int) -> None:
    """Previous and next in the order of the grid; J and K on the keyboard."""
    at = int(np.flatnonzero(ids == sample)[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            shortcut="J",
            disabled=at == 0,
            key="inspect_previous",
            on_click=_step,
            args=(ids, at - 1),
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            shortcut="K",
            disabled=at == len(ids) - 1,
            key="inspect_next",
            on_click=_step,
            args=(ids, at + 1),
        )
        st.caption(f"{at + 1:,} of {len(ids):,}")


def _step(ids: np.ndarray, to: int) -> None:
    state.put("sample", int(ids[to]))
    turn_to(to // GRID + 1)


def show(attacked: FinishedAttack, threat: Threat, sample: int) -> None:
    """The pair, what was added, the clusters before and after, neighbours, gradient, ε*, and other models."""
    clean = state.ask(
        {"ask": "sample", "model": attacked.victim.run.key, "sample": sample}, "Looking at the sample…"
    )
    place = attacked.place(sample)
    row = attacked.table.iloc[place]
    names = attacked.victim.names
    before, after = names[int(row["cluster_clean"])], names[int(row["cluster_attacked"])]
    st.markdown(
        f"#### Sample {sample}: {before} → {after}"
        if row["flipped"]
        else f"#### Sample {sample}: it stays {before}"
    )
    st.caption(_facts(attacked, row))
    if len(attacked.victim.shape) == 3:
        _pictures(attacked, clean, place, (before, after))
    left, right = st.columns(2, gap="medium")
    with left:
        _clusters(attacked, place)
    with right:
        _neighbours(attacked, clean, place, sample)
    _further(attacked, threat, sample)


def _facts(attacked: FinishedAttack, row: "pd.Series[Any]") -> str:
    said = [f"label {attacked.classes[int(row['label'])]}"] if attacked.labelled else []
    said.append(f"margin {row['margin_clean']:.2f} → {row['margin_attacked']:.2f} nats")
    if attacked.latent:
        said += [
            f"‖δ‖ {row['delta']:.2f}",
            f"‖δ‖/‖z‖ {row['delta_ratio']:.3f}",
            f"picture changed by {row['reconstruction_change']:.4f}",
        ]
    else:
        said += [f"L∞ {row['linf']:.3f}", f"L2 {row['l2']:.3f}", f"{row['l0']:.0f} pixels changed"]
    if "embedding_move" in row:
        said.append(f"moved {row['embedding_move']:.2f} in the embedding")
    if "assignment_kl" in row:
        said.append(f"KL of assignments (L_AM) {row['assignment_kl']:.2f} nats")
    if attacked.labelled and row["knn_attacked"] >= 0:
        read, label = int(row["knn_attacked"]), int(row["label"])
        said.append(
            f"raw pixels {'still ' if read == label else ''}read as {attacked.classes[read]} (5 nearest"
            " neighbours)"
        )
    return f"{' · '.join(said)}. {attacked.protocol()}"


def _pictures(attacked: FinishedAttack, clean: Answer, place: int, named: tuple[str, str]) -> None:
    shape = attacked.victim.shape
    before, after = (
        clean.arrays["clean"].reshape(shape),
        attacked.images[place].reshape(shape).astype(np.float32) / 255,
    )
    if attacked.latent:
        _decoded(attacked, before, after, place, named)
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        wipe(
            wipe_payload(
                before,
                after,
                before_name=f"clean: {named[0]}",
                after_name=f"adversarial: {named[1]}",
                title="Clean and adversarial",
                caption="Drag the line.",
            ),
            key="inspect_wipe",
        )
    with right:
        delta, gradient = after - before, clean.arrays["gradient"].reshape(shape)
        amount, steepest = gain(delta.reshape(1, -1), None), 1 / max(float(np.abs(gradient).max()), 1e-12)
        pictures: list[Any] = [gallery.signed_png(delta, amount), gallery.signed_png(gradient, steepest)]
        captions = [
            f"perturbation {gallery.gain_text(amount)}",
            f"gradient of leaving, at the clean image; full colour at {1 / steepest:.2g}",
        ]
        for images, title in (
            (clean.arrays.get("recon"), "reconstruction, clean"),
            (attacked.moved.arrays.get("recon"), "reconstruction, adversarial"),
        ):
            if images is not None:
                pictures.append((images if images.ndim == 1 else images[place]).reshape(shape))
                captions.append(title)
        gallery.grid(pictures, captions, columns=2, size=120)
        st.caption("Blue is darker, vermillion brighter.")


def _decoded(
    attacked: FinishedAttack, original: np.ndarray, after: np.ndarray, place: int, named: tuple[str, str]
) -> None:
    """What is decoded before and after, and how it differs; the sample itself beside it."""
    before = attacked.moved.arrays["recon_clean"][place].reshape(original.shape).astype(np.float32) / 255
    left, right = st.columns([2, 3], gap="medium")
    with left:
        wipe(
            wipe_payload(
                before,
                after,
                before_name=f"decoded, clean: {named[0]}",
                after_name=f"decoded, moved: {named[1]}",
                title="What is decoded",
                caption="Drag the line.",
            ),
            key="inspect_wipe",
        )
    with right:
        delta = after - before
        amount = gain(delta.reshape(1, -1), None)
        gallery.grid(
            [original, gallery.signed_png(delta, amount)],
            ["the sample itself", f"difference of the pictures {gallery.gain_text(amount)}"],
            columns=2,
            size=120,
        )
        st.caption("Blue is darker, vermillion brighter.")


def _clusters(attacked: FinishedAttack, place: int) -> None:
    before, after = attacked.moved.arrays["q_clean"][place], attacked.moved.arrays["q"][place]
    frame = pd.DataFrame(
        {
            "cluster": [attacked.victim.names[cluster] for cluster in attacked.order],
            "clean": before[attacked.order],
            "attacked": after[attacked.order],
        }
    )
    frame = frame.iloc[np.argsort(-np.abs(frame["attacked"] - frame["clean"]), kind="stable")]
    bar = {
        name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f", width=120)
        for name in ("clean", "attacked")
    }
    st.caption("Assignment q to each cluster, largest change first")
    columns = {"cluster": st.column_config.Column(width=60), **bar}
    st.dataframe(
        frame,
        hide_index=True,
        column_config=columns,
        key="inspect_q",
        height=min(38 + 35 * len(frame), 300),
        alt="The model's assignment to each cluster before and after the attack.",
    )


def _neighbours(attacked: FinishedAttack, clean: Answer, place: int, sample: int) -> None:
    """Whom the model now takes it for: nearest clean samples in the embedding. One that was attacked too
    opens on a click.
    """
    after = attacked.moved.arrays["near"][place]
    shown = state.ask(
        {"ask": "images", "data": attacked.victim.run.spec.data, "ids": [int(number) for number in after]}
    ).arrays["images"]
    rows = (
        ("Nearest in the embedding, clean", clean.arrays["near"], clean.arrays["near_images"]),
        ("Nearest in the embedding, attacked", after, shown),
    )
    clusters = attacked.victim.overview.arrays["cluster"]
    for title, ids, images in rows:
        st.caption(title)
        names = [attacked.victim.names[int(clusters[number])] for number in ids]
        clicked = picker(
            images, attacked.victim.shape, ids.tolist(), names, f"inspect_{title[-5:]}", label=title, size=48
        )
        if clicked is not None and clicked not in attacked.ids:
            st.toast(
                f"Sample {clicked} is not among the {len(attacked.ids):,} attacked ones. Take more samples to"
                " see it here."
            )
        elif clicked is not None and clicked != sample:
            state.put("pick", "")
            state.put("sample", clicked)
            st.rerun()
    if attacked.moved.arrays["uncertain"][place]:
        st.caption(
            "It lies farther from every clean sample than 99 % of these do from theirs: these neighbours say"
            " little."
        )


def _further(attacked: FinishedAttack, threat: Threat, sample: int) -> None:
    with st.expander(
        "How little is enough, and in other models?",
        icon=":material/compare_arrows:",
        key="inspect_further",
        on_change="rerun",
    ) as further:
        if further.open:
            ladder = state.ask(
                levels.ladder_for(threat, attacked.victim, sample, "epsilon"), "Climbing the ladder…"
            )
            takeaway.show(ladder)
            other_models.show(attacked.victim, threat, sample)
    if st.button("Move this sample by hand on the Attack page", icon=":material/bolt:", key="inspect_attack"):
        state.go("attack", {"sample": sample})
