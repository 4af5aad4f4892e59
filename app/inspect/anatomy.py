"""One attacked sample with all about it, who can become whom, and what can be taken away: the parts of
Inspect that wait to be opened.
"""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.attack import evidence
from app.charts import charts
from app.components.ladder import gain
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms.choices import NORMS, Threat
from app.inspect.broken import GRID, clean_images, turn_to
from app.inspect.workspace import Broken, again, finish, prepared
from engine.asking import answers
from engine.asking.answers import Answer
from engine.store.run import Run

PAIRS = 100
"""Samples sent to every other cluster."""
PICTURES = 24


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


def show(broken: Broken, threat: Threat, sample: int) -> None:
    """The pair, what was added, the clusters before and after, neighbours, gradient, ε*, and other models."""
    clean = state.ask(
        {"ask": "sample", "model": broken.victim.run.key, "sample": sample}, "Looking at the sample…"
    )
    place = broken.place(sample)
    row = broken.table.iloc[place]
    names = broken.victim.names
    before, after = names[int(row["cluster_clean"])], names[int(row["cluster_attacked"])]
    st.markdown(
        f"#### Sample {sample}: {before} → {after}"
        if row["flipped"]
        else f"#### Sample {sample}: it stays {before}"
    )
    st.caption(_facts(broken, row))
    if len(broken.victim.shape) == 3:
        _pictures(broken, clean, place, (before, after))
    left, right = st.columns(2, gap="medium")
    with left:
        _clusters(broken, place)
    with right:
        _neighbours(broken, clean, place, sample)
    _further(broken, threat, sample)


def _facts(broken: Broken, row: "pd.Series[Any]") -> str:
    said = [f"label {broken.classes[int(row['label'])]}"] if broken.labelled else []
    said.append(f"margin {row['margin_clean']:.2f} → {row['margin_attacked']:.2f} nats")
    if broken.latent:
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
    if broken.labelled and row["knn_attacked"] >= 0:
        read, label = int(row["knn_attacked"]), int(row["label"])
        said.append(
            f"raw pixels {'still ' if read == label else ''}read as {broken.classes[read]} (5 nearest"
            " neighbours)"
        )
    return f"{' · '.join(said)}. {broken.protocol()}"


def _pictures(broken: Broken, clean: Answer, place: int, named: tuple[str, str]) -> None:
    shape = broken.victim.shape
    before, after = (
        clean.arrays["clean"].reshape(shape),
        broken.images[place].reshape(shape).astype(np.float32) / 255,
    )
    if broken.latent:
        _decoded(broken, before, after, place, named)
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
            (broken.moved.arrays.get("recon"), "reconstruction, adversarial"),
        ):
            if images is not None:
                pictures.append((images if images.ndim == 1 else images[place]).reshape(shape))
                captions.append(title)
        gallery.grid(pictures, captions, columns=2, size=120)
        st.caption("Blue is darker, vermillion brighter.")


def _decoded(
    broken: Broken, original: np.ndarray, after: np.ndarray, place: int, named: tuple[str, str]
) -> None:
    """What is decoded before and after, and how it differs; the sample itself beside it."""
    before = broken.moved.arrays["recon_clean"][place].reshape(original.shape).astype(np.float32) / 255
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


def _clusters(broken: Broken, place: int) -> None:
    before, after = broken.moved.arrays["q_clean"][place], broken.moved.arrays["q"][place]
    frame = pd.DataFrame(
        {
            "cluster": [broken.victim.names[cluster] for cluster in broken.order],
            "clean": before[broken.order],
            "attacked": after[broken.order],
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


def _neighbours(broken: Broken, clean: Answer, place: int, sample: int) -> None:
    """Whom the model now takes it for: nearest clean samples in the embedding. One that was attacked too
    opens on a click.
    """
    after = broken.moved.arrays["near"][place]
    shown = state.ask(
        {"ask": "images", "data": broken.victim.run.spec.data, "ids": [int(number) for number in after]}
    ).arrays["images"]
    rows = (
        ("Nearest in the embedding, clean", clean.arrays["near"], clean.arrays["near_images"]),
        ("Nearest in the embedding, attacked", after, shown),
    )
    clusters = broken.victim.overview.arrays["cluster"]
    for title, ids, images in rows:
        st.caption(title)
        names = [broken.victim.names[int(clusters[number])] for number in ids]
        clicked = picker(
            images, broken.victim.shape, ids.tolist(), names, f"inspect_{title[-5:]}", label=title, size=48
        )
        if clicked is not None and clicked not in broken.ids:
            st.toast(
                f"Sample {clicked} is not among the {len(broken.ids):,} attacked ones. Take more samples to"
                " see it here."
            )
        elif clicked is not None and clicked != sample:
            state.put("pick", "")
            state.put("sample", clicked)
            st.rerun()
    if broken.moved.arrays["uncertain"][place]:
        st.caption(
            "It lies farther from every clean sample than 99 % of these do from theirs: these neighbours say"
            " little."
        )


def _further(broken: Broken, threat: Threat, sample: int) -> None:
    with st.expander(
        "How little is enough, and in other models?",
        icon=":material/compare_arrows:",
        key="inspect_further",
        on_change="rerun",
    ) as further:
        if further.open:
            ladder = state.ask(
                evidence.ladder_for(threat, broken.victim, sample, "epsilon"), "Climbing the ladder…"
            )
            evidence.takeaway(ladder)
            evidence.fate(broken.victim, threat, sample)
    if st.button("Move this sample by hand on the Attack page", icon=":material/bolt:", key="inspect_attack"):
        state.go("attack", {"sample": sample})


def pairs(broken: Broken, threat: Threat) -> None:
    """Every cluster sent to every other: how often it succeeds, and the median ε* it takes; a cell opens its
    pictures.
    """
    st.subheader("Who can become whom?", anchor=False)
    top = answers.TOP[threat.norm]
    st.markdown(
        f"Up to {PAIRS} samples, as many of each cluster, are sent to every other cluster by a ladder up to"
        f" {NORMS[threat.norm]} ε = {top:g}."
    )
    with st.expander(
        "Targeted attacks between all clusters",
        icon=":material/swap_horiz:",
        key="inspect_pairs",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        run = _pairs_of_link(broken, threat) or state.store().find(
            prepared("pairs", broken.victim, threat, {"epsilon": top, "n": PAIRS})
        )
        if run.status() not in ("finished", "running", "queued") and not _begun(run):
            return
        if not finish(run):
            _waiting(run)
            return
        _who(broken, threat, run)


def _pairs_of_link(broken: Broken, threat: Threat) -> Run | None:
    """The run that a link brought here, while model, attack, norm and seed are still its own."""
    key = st.session_state.get("inspect_who")
    run = state.store().find(key) if key else None
    now = (broken.victim.run.key, threat.attack, threat.norm, threat.seed)
    if (
        run is None
        or (
            run.spec.builds_on["model"],
            run.spec.settings["attack"],
            run.spec.settings["norm"],
            run.spec.seed,
        )
        != now
    ):
        return None
    return run


def _begun(run: Run) -> bool:
    """The button that begins it, and why it failed before; True once it was pressed."""
    if reason := run.reason():
        st.error(reason)
    if not st.button(
        "Send every cluster to every other", type="primary", icon=":material/swap_horiz:", key="inspect_send"
    ):
        st.caption("It takes some seconds, up to a minute on large images, and is kept.")
        return False
    again(run)
    if finish(run):
        st.rerun()  # without the button
    return True


def _waiting(run: Run) -> None:
    st.info(
        run.reason() or "It is at work. This part fills when it is done.", icon=":material/hourglass_top:"
    )
    st.button("Look again", key="inspect_again", icon=":material/refresh:")


@st.cache_resource(max_entries=4, show_spinner=False)
def _sent(key: str) -> tuple[dict[str, Any], pd.DataFrame, np.ndarray]:
    run = state.store().find(key)
    stored = run.arrays("images")
    return run.result(), run.table(), np.rint(stored["adversarial"] * 255).astype(np.uint8)


def _who(broken: Broken, threat: Threat, run: Run) -> None:
    result, table, images = _sent(run.key)
    order = broken.order
    names = [broken.victim.names[cluster] for cluster in order]
    protocol = (
        f"{state.catalogue()['attack'][threat.attack]['title']}, targeted · {NORMS[threat.norm]} ε ≤"
        f" {result['epsilon_max']:g} · {result['n']:,} pairs of sample and target · seed {threat.seed} ·"
        f" model {broken.victim.run.key} · run {run.key}"
    )
    cell = st.session_state.get("inspect_cell")
    at = None if cell is None else (order.index(cell[0]), order.index(cell[1]))
    left, right = st.columns(2, gap="medium")
    drawn = f"who/{run.key}"
    with left:
        success = _matrix(result["success"], order)
        texts = [["" if value != value else f"{value:.0%}" for value in line] for line in success]
        chart = charts.confusion(
            success,
            names,
            names,
            title="Share that gets there",
            row_title="from",
            column_title="to",
            texts=texts,
            chosen=at,
            caption=protocol,
        )
        charts.show(chart, f"{drawn}/success", on_select=lambda: _opened(f"{drawn}/success", order))
    with right:
        median = _matrix(result["median_epsilon"], order)
        beyond = f"> {result['epsilon_max']:g}"
        texts = [
            [
                "" if row == column else beyond if value != value else charts.bound(value)
                for column, value in enumerate(line)
            ]
            for row, line in enumerate(median)
        ]
        chart = charts.confusion(
            median,
            names,
            names,
            title="Median ε* (an upper bound)",
            row_title="from",
            column_title="to",
            texts=texts,
            chosen=at,
            caption=f"{beyond}: half of them or more never get there. {protocol}",
        )
        charts.show(chart, f"{drawn}/median", on_select=lambda: _opened(f"{drawn}/median", order))
    if cell is None:
        st.caption("Click a cell: the pictures that did it come below, the easiest first.")
    else:
        _those(broken, result, table, images, cell)


def _matrix(values: list[list[float | None]], order: list[int]) -> np.ndarray:
    return np.array([[np.nan if value is None else value for value in line] for line in values], dtype=float)[
        np.ix_(order, order)
    ]


def _opened(name: str, order: list[int]) -> None:
    points = [point for point in charts.clicked(st.session_state[name]) if min(point) >= 0]
    st.session_state["inspect_cell"] = (
        (order[int(points[-1][0])], order[int(points[-1][1])]) if points else None
    )


def _those(
    broken: Broken, result: dict[str, Any], table: pd.DataFrame, images: np.ndarray, cell: tuple[int, int]
) -> None:
    """The pictures behind a cell, by ε*."""
    source, target = cell
    names = broken.victim.names
    inside = np.flatnonzero(
        (table["cluster_clean"] == source) & (table["cluster_target"] == target) & table["reached"]
    )
    tried = result["pairs_n"][source][target]
    text = result["median_epsilon_text"][source][target] or "unknown"
    low, high = result["success_low"][source][target] or 0, result["success_high"][source][target] or 1
    median = f"median ε\\* {text if '>' in text else f'≤ {text}'}"
    st.markdown(
        f"**{names[source]} → {names[target]}**: {len(inside)} of {tried} get there (95 % interval {low:.0%}"
        f" – {high:.0%}); {median}."
    )
    if not len(inside):
        return
    inside = inside[np.argsort(table["epsilon_star"].to_numpy()[inside])][:PICTURES]
    ids = table["id"].to_numpy()[inside]
    captions = [f"ε* ≤ {charts.bound(star)}" for star in table["epsilon_star"].to_numpy()[inside]]
    clicked = picker(
        images[inside],
        broken.victim.shape,
        ids.tolist(),
        captions,
        "inspect_who",
        label="Samples that get there",
        size=64,
        chosen=st.session_state.get("inspect_sent"),
    )
    if clicked is not None:
        st.session_state["inspect_sent"] = clicked
    shown = int(st.session_state.get("inspect_sent", ids[0]))
    if shown in ids and len(broken.victim.shape) == 3:
        clean = (
            state.ask({"ask": "images", "data": broken.victim.run.spec.data, "ids": [int(shown)]}).arrays[
                "images"
            ][0]
            / 255
        )
        after = images[inside[ids.tolist().index(shown)]] / 255
        shape = broken.victim.shape
        gallery.before_and_after(
            clean.reshape(shape),
            after.reshape(shape),
            gain((after - clean).reshape(1, -1), None),
            (f"{names[source]}, sample {shown}", names[target]),
        )


def downloads(broken: Broken, mask: np.ndarray) -> None:
    """The selected samples as a table, and as pictures with that table."""
    stem = f"feint-{broken.run.key}-{int(mask.sum())}"
    table = named(broken)[mask]
    with st.container(horizontal=True):
        st.download_button(
            "CSV of the selected",
            table.to_csv(index=False),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
        if len(broken.victim.shape) == 3:
            clean = clean_images(broken)  # here: the zip is made in a thread without a session
            st.download_button(
                "Pictures (zip)",
                lambda: zipped(broken, clean, table, mask),
                f"{stem}.zip",
                "application/zip",
                on_click="ignore",
                icon=":material/folder_zip:",
                help="Clean and adversarial PNG of each selected sample, with the table and the protocol.",
            )


def named(broken: Broken) -> pd.DataFrame:
    """The table with the names that the page shows."""
    names = np.array(broken.victim.names)
    table = broken.table.assign(
        name_clean=names[broken.table["cluster_clean"]], name_attacked=names[broken.table["cluster_attacked"]]
    )
    return (
        table.assign(label_name=[broken.classes[label] for label in table["label"]])
        if broken.labelled
        else table
    )


def zipped(broken: Broken, clean: np.ndarray, table: pd.DataFrame, mask: np.ndarray) -> bytes:
    """A zip of the samples under `mask` (n,): two PNG each (of 8 bits: the run's images.npz is exact), the
    table, the protocol.
    """
    buffer, shape = io.BytesIO(), broken.victim.shape
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples.csv", table.to_csv(index=False))
        archive.writestr(
            "protocol.json",
            json.dumps(
                {"protocol": broken.protocol(), "spec": broken.run.spec.model_dump(mode="json")}, indent=1
            ),
        )
        for place in np.flatnonzero(mask):
            for kind, image in (("clean", clean[place]), ("adversarial", broken.images[place])):
                archive.writestr(f"{broken.ids[place]:05d}-{kind}.png", gallery.to_png(image.reshape(shape)))
    return buffer.getvalue()
