"""One attacked sample with all about it."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import features, gallery
from app.address import connection, fetching, links
from app.attack import other_models, takeaway
from app.components.ladder import gain
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms import possible
from app.forms.threat import Threat
from app.inspect import columns
from app.inspect.finished_attack import FinishedAttack
from engine.asking.answers import SampleAnswer
from engine.asking.questions import SampleQuestion


def current(ids: np.ndarray) -> int:
    """The sample of the address where it is selected, else the first selected one."""
    wanted = links.value("sample", 0, lambda number: number >= 0)
    sample = int(wanted if wanted in ids else ids[0])
    links.put("sample", sample)
    return sample


def steps(ids: np.ndarray, sample: int) -> None:
    """Previous and next in the order of the grid; J and K on the keyboard."""
    at = int(np.flatnonzero(ids == sample)[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, key, to, end in (
            ("Previous", "chevron_left", "J", at - 1, 0),
            ("Next", "chevron_right", "K", at + 1, len(ids) - 1),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                shortcut=key,
                disabled=at == end,
                key=f"inspect_{label.lower()}",
                on_click=_step,
                args=(ids, to),
            )
        st.caption(f"{at + 1:,} of {len(ids):,}")


def _step(ids: np.ndarray, to: int) -> None:
    links.put("sample", int(ids[to]))


def show(attacked: FinishedAttack, threat: Threat, sample: int) -> None:
    """The pair, what was added, the groups before and after, neighbours, gradient, ε*, and other models."""
    clean, place = _at_rest(attacked, threat, sample), attacked.place(sample)
    names = _names(attacked, place)
    st.markdown(_title(attacked, sample, place, names))
    st.caption(_facts(attacked, attacked.table.iloc[place]))
    if attacked.victim.features is None:
        _pictures(attacked, clean, place, names)
    elif not attacked.latent:
        _bars(attacked.victim.features, clean.clean, attacked.exact(place))
    if attacked.answer.q is None:
        _neighbours(attacked, clean, place, sample)
    else:
        left, right = st.columns(2, gap="medium")
        with left:
            _groups(attacked, place)
        with right:
            _neighbours(attacked, clean, place, sample)
    _further(attacked, threat, sample)


def _at_rest(attacked: FinishedAttack, threat: Threat, sample: int) -> SampleAnswer:
    """The clean sample in its model; its picture alone where the data are not here."""
    wanted = threat.objective_choice.model_copy(update={"lam": 0.0})
    asked = SampleQuestion(model=attacked.victim.run.key, sample=sample, objective=wanted)
    try:
        return connection.ask(asked, "Looking at the sample…")
    except fetching.DataAway as away:
        st.caption(f"{away} Its clean reconstruction, gradient and neighbours come with it.")
        picture = attacked.clean_pictures(np.array([sample]))[0].astype(np.float32) / 255
        shape = tuple(attacked.victim.shape)
        return SampleAnswer(sample=sample, label=None, group=None, shape=shape, clean=picture)


def _names(attacked: FinishedAttack, place: int) -> tuple[str, str]:
    """What the model sorts the sample into, clean and attacked; "" where it sorts into nothing."""
    if attacked.before is None or attacked.after is None:
        return "", ""
    names = attacked.victim.names
    return names[attacked.before[place]], names[attacked.after[place]]


def _title(attacked: FinishedAttack, sample: int, place: int, names: tuple[str, str]) -> str:
    before, after = names
    if not before:
        return f"#### Sample {sample}"
    changed = attacked.changed is not None and bool(attacked.changed[place])
    return (
        f"#### Sample {sample}: {before} → {after}" if changed else f"#### Sample {sample}: it stays {before}"
    )


def _facts(attacked: FinishedAttack, row: "pd.Series[Any]") -> str:
    """What was measured of this sample, and on a line of its own how."""
    said = [f"label {attacked.classes[int(row['label'])]}"] if attacked.labelled else []
    if "margin_clean" in row and columns.MARGIN in row:
        said.append(f"margin {row['margin_clean']:.2f} → {row[columns.MARGIN]:.2f} nats".replace("-", "−"))
    if "linf" in row:
        kind = "pixels" if attacked.victim.features is None else "features"
        said += [f"L∞ {row['linf']:.3f}", f"L2 {row['l2']:.3f}", f"{row['l0']:.0f} {kind} changed"]
    if "delta_ratio" in row:
        said += [f"‖δ‖ {row['delta']:.2f}", f"‖δ‖/‖z‖ {row['delta_ratio']:.3f}"]
    said += [
        f"{column.title} {row[name]:.4g}"
        for name, column in columns.known(attacked).items()
        if name not in ("margin_clean", columns.MARGIN, "linf", "l2", "l0")
    ]
    if attacked.labelled and "knn_attacked" in row and row["knn_attacked"] >= 0:
        read, label = int(row["knn_attacked"]), int(row["label"])
        still = "still " if read == label else ""
        said.append(f"raw sample {still}read as {attacked.classes[read]} (5 nearest neighbours)")
    return f"{' · '.join(said)}.  \n{attacked.protocol()}"


def _pictures(attacked: FinishedAttack, clean: SampleAnswer, place: int, names: tuple[str, str]) -> None:
    shape = attacked.victim.shape
    before = clean.clean.reshape(shape)
    after = attacked.images[place].reshape(shape).astype(np.float32) / 255
    if attacked.latent:
        _decoded(attacked, before, after, place, names)
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _wipe(before, after, ("clean", "adversarial"), names, "Clean and adversarial")
    with right:
        pictures, captions = _what_was_added(clean, before, after)
        for images, title in (
            (clean.recon, "reconstruction, clean"),
            (
                None if attacked.answer.recon is None else attacked.answer.recon[place],
                "reconstruction, adversarial",
            ),
        ):
            if images is not None:
                pictures.append(images.reshape(shape))
                captions.append(title)
        gallery.grid(pictures, captions, columns=2, size=120)
        st.caption("Blue is darker, vermillion brighter.")


def _bars(table: features.Features, before: np.ndarray, after: np.ndarray) -> None:
    """What was added to a row of a table, feature by feature."""
    st.caption("What was added, the features that moved most first")
    features.bars(table, before, after)
    st.caption(features.rule(table, after - before))


def _what_was_added(
    clean: SampleAnswer, before: np.ndarray, after: np.ndarray
) -> tuple[list[Any], list[str]]:
    """The perturbation and the gradient at the clean sample, with their gains in words."""
    delta = after - before
    amount = gain(delta.reshape(1, -1), None)
    pictures: list[Any] = [gallery.signed_png(delta, amount)]
    captions = [f"perturbation {gallery.gain_text(amount)}"]
    if clean.gradient is not None:
        gradient = clean.gradient.reshape(before.shape)
        steepest = 1 / max(float(np.abs(gradient).max()), 1e-12)
        pictures.append(gallery.signed_png(gradient, steepest))
        captions.append(f"gradient of the objective, at the clean image; full colour at {1 / steepest:.2g}")
    return pictures, captions


def _decoded(
    attacked: FinishedAttack, original: np.ndarray, after: np.ndarray, place: int, names: tuple[str, str]
) -> None:
    """What is decoded before and after, and how it differs; the sample itself beside it."""
    assert attacked.answer.recon_clean is not None, "a model whose embedding is attacked decodes"
    before = attacked.answer.recon_clean[place].reshape(original.shape).astype(np.float32) / 255
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _wipe(before, after, ("decoded, clean", "decoded, moved"), names, "What is decoded")
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


def _wipe(
    before: np.ndarray, after: np.ndarray, kinds: tuple[str, str], names: tuple[str, str], title: str
) -> None:
    """Two pictures over one another, each with what the model takes it for."""
    said = [f"{kind}: {name}" if name else kind for kind, name in zip(kinds, names, strict=True)]
    wipe(
        wipe_payload(
            before, after, before_name=said[0], after_name=said[1], title=title, caption="Drag the line."
        ),
        key="inspect_wipe",
    )


def _groups(attacked: FinishedAttack, place: int) -> None:
    """The probability of each group before and after; nothing for a model that sorts into nothing."""
    answer, group = attacked.answer, attacked.victim.grouping
    if answer.q_clean is None or answer.q is None:
        return
    order = attacked.victim.order
    frame = pd.DataFrame(
        {
            group: [attacked.victim.names[number] for number in order],
            "clean": answer.q_clean[place][order],
            "attacked": answer.q[place][order],
        }
    )
    frame = frame.iloc[np.argsort(-np.abs(frame["attacked"] - frame["clean"]), kind="stable")]
    bar = {
        name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f", width=120)
        for name in ("clean", "attacked")
    }
    st.caption(f"Probability of each {group}, largest change first")
    st.dataframe(
        frame,
        hide_index=True,
        column_config={group: st.column_config.Column(width=60), **bar},
        key="inspect_q",
        height=min(38 + 35 * len(frame), 400),
        alt=f"The probability that the model gives each {group}, before and after the attack.",
    )


def _neighbours(attacked: FinishedAttack, clean: SampleAnswer, place: int, sample: int) -> None:
    """Whom the model now takes it for: nearest clean samples in the embedding. One that was attacked too
    opens on a click.
    """
    answer, victim = attacked.answer, attacked.victim
    if answer.near is None:
        return
    after = answer.near[place]
    rows = [("Nearest in the embedding, attacked", after, attacked.clean_pictures(after))]
    if clean.near is not None and clean.near_images is not None:
        rows.insert(0, ("Nearest in the embedding, clean", clean.near, clean.near_images))
    groups = victim.overview.group
    for title, ids, images in rows:
        st.caption(title)
        names = victim.captions(None if groups is None else groups[ids]) or [f"#{number}" for number in ids]
        clicked = picker(
            images, victim.shape, ids.tolist(), names, f"inspect_{title[-5:]}", label=title, size=40
        )
        if clicked is not None and clicked not in attacked.ids:
            st.toast(
                f"Sample {clicked} is not among the {attacked.n:,} attacked ones. Take more samples to see it"
                " here."
            )
        elif clicked is not None and clicked != sample:
            links.put("pick", "")
            links.put("sample", clicked)
            st.rerun()
    if answer.uncertain is not None and answer.uncertain[place]:
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
            with fetching.aside():
                asked = threat.ladder(attacked.victim.run.key, sample)
                answer = connection.ask(asked, *possible.patience(threat.attack))
                takeaway.show(attacked.victim, threat.objective, answer)
                other_models.show(attacked.victim, threat, sample)
    if st.button("Move this sample by hand on the Attack page", icon=":material/bolt:", key="inspect_attack"):
        links.go("attack", {"sample": sample})
