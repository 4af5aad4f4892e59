"""One attacked sample with all about it."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import features, gallery, take_away
from app.address import connection, fetching, links
from app.attack import other_models, takeaway
from app.components.ladder import gain
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms import possible
from app.forms.threat import Threat
from app.inspect import columns
from app.inspect.finished_attack import FinishedAttack
from app.measured import minus
from app.words import N_, _
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
            (N_("Previous"), "chevron_left", "J", at - 1, 0),
            (N_("Next"), "chevron_right", "K", at + 1, len(ids) - 1),
        ):
            st.button(
                _(label),
                icon=f":material/{icon}:",
                shortcut=key,
                disabled=at == end,
                key=f"inspect_{label.lower()}",
                on_click=_step,
                args=(ids, to),
            )
        st.caption(_("{n:,} of {total:,}").format(n=at + 1, total=len(ids)))


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
            _groups(attacked, place, sample)
        with right:
            _neighbours(attacked, clean, place, sample)
    _further(attacked, threat, sample)


def _at_rest(attacked: FinishedAttack, threat: Threat, sample: int) -> SampleAnswer:
    """The clean sample in its model; its picture alone where the data are not here."""
    wanted = threat.objective_choice.model_copy(update={"lam": 0.0})
    asked = SampleQuestion(model=attacked.victim.run.key, sample=sample, objective=wanted)
    try:
        return connection.ask(asked, _("Looking at the sample…"))
    except fetching.DataAway as away:
        st.caption(f"{away} {_('Its clean reconstruction, gradient and neighbours come with it.')}")
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
        return _("#### Sample {sample}").format(sample=sample)
    changed = attacked.changed is not None and bool(attacked.changed[place])
    said = (
        _("#### Sample {sample}: {before} → {after}")
        if changed
        else _("#### Sample {sample}: it stays {before}")
    )
    return said.format(sample=sample, before=before, after=after)


def _facts(attacked: FinishedAttack, row: "pd.Series[Any]") -> str:
    """What was measured of this sample, and on a line of its own how."""
    said = [_("label {name}").format(name=attacked.classes[int(row["label"])])] if attacked.labelled else []
    if "margin_clean" in row and columns.MARGIN in row:
        margin = _("margin {before:.2f} → {after:.2f} nats")
        said.append(minus(margin.format(before=row["margin_clean"], after=row[columns.MARGIN])))
    if "linf" in row:
        count = (
            _("{n:.0f} pixels changed") if attacked.victim.features is None else _("{n:.0f} features changed")
        )
        said += [f"L∞ {row['linf']:.3f}", f"L2 {row['l2']:.3f}", count.format(n=row["l0"])]
    if "delta_ratio" in row:
        said += [f"‖δ‖ {row['delta']:.2f}", f"‖δ‖/‖z‖ {row['delta_ratio']:.3f}"]
    said += [
        f"{column.title} {row[name]:.4g}"
        for name, column in columns.known(attacked).items()
        if name not in ("margin_clean", columns.MARGIN, "linf", "l2", "l0")
    ]
    if attacked.labelled and "knn_attacked" in row and row["knn_attacked"] >= 0:
        read, label = int(row["knn_attacked"]), int(row["label"])
        still = _("raw sample still read as {name} (5 nearest neighbours)")
        other = _("raw sample read as {name} (5 nearest neighbours)")
        said.append((still if read == label else other).format(name=attacked.classes[read]))
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
        _wipe(before, after, (_("clean"), _("adversarial")), names, _("Clean and adversarial"))
    with right:
        pictures, captions = _what_was_added(clean, before, after)
        for images, title in (
            (clean.recon, _("reconstruction, clean")),
            (
                None if attacked.answer.recon is None else attacked.answer.recon[place],
                _("reconstruction, adversarial"),
            ),
        ):
            if images is not None:
                pictures.append(images.reshape(shape))
                captions.append(title)
        gallery.grid(pictures, captions, columns=2, size=120)
        st.caption(_("Blue is darker, vermillion brighter."))


def _bars(table: features.Features, before: np.ndarray, after: np.ndarray) -> None:
    """What was added to a row of a table, feature by feature."""
    st.caption(_("What was added, the features that moved most first"))
    features.bars(table, before, after)
    st.caption(features.rule(table, after - before))


def _what_was_added(
    clean: SampleAnswer, before: np.ndarray, after: np.ndarray
) -> tuple[list[Any], list[str]]:
    """The perturbation and the gradient at the clean sample, with their gains in words."""
    delta = after - before
    amount = gain(delta.reshape(1, -1), None)
    pictures: list[Any] = [gallery.signed_png(delta, amount)]
    captions = [_("perturbation {gain}").format(gain=gallery.gain_text(amount))]
    if clean.gradient is not None:
        gradient = clean.gradient.reshape(before.shape)
        steepest = 1 / max(float(np.abs(gradient).max()), 1e-12)
        pictures.append(gallery.signed_png(gradient, steepest))
        said = _("gradient of the objective, at the clean image; full colour at {most:.2g}")
        captions.append(said.format(most=1 / steepest))
    return pictures, captions


def _decoded(
    attacked: FinishedAttack, original: np.ndarray, after: np.ndarray, place: int, names: tuple[str, str]
) -> None:
    """What is decoded before and after, and how it differs; the sample itself beside it."""
    assert attacked.answer.recon_clean is not None, "a model whose embedding is attacked decodes"
    before = attacked.answer.recon_clean[place].reshape(original.shape).astype(np.float32) / 255
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _wipe(before, after, (_("decoded, clean"), _("decoded, moved")), names, _("What is decoded"))
    with right:
        delta = after - before
        amount = gain(delta.reshape(1, -1), None)
        gallery.grid(
            [original, gallery.signed_png(delta, amount)],
            [
                _("the sample itself"),
                _("difference of the pictures {gain}").format(gain=gallery.gain_text(amount)),
            ],
            columns=2,
            size=120,
        )
        st.caption(_("Blue is darker, vermillion brighter."))


def _wipe(
    before: np.ndarray, after: np.ndarray, kinds: tuple[str, str], names: tuple[str, str], title: str
) -> None:
    """Two pictures over one another, each with what the model takes it for."""
    said = [f"{kind}: {name}" if name else kind for kind, name in zip(kinds, names, strict=True)]
    wipe(
        wipe_payload(
            before, after, before_name=said[0], after_name=said[1], title=title, caption=_("Drag the line.")
        ),
        key="inspect_wipe",
    )


def _groups(attacked: FinishedAttack, place: int, sample: int) -> None:
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
        name: st.column_config.ProgressColumn(_(name), min_value=0, max_value=1, format="%.2f", width=120)
        for name in ("clean", "attacked")
    }
    st.caption(_("Probability of each {group}, largest change first").format(group=_(group)))
    st.dataframe(
        frame,
        hide_index=True,
        column_config={group: st.column_config.Column(_(group), width=60), **bar},
        key="inspect_q",
        height=min(38 + 35 * len(frame), 400),
        alt=_("The probability that the model gives each {group}, before and after the attack.").format(
            group=_(group)
        ),
    )
    take_away.below(frame, f"feint-sample-{sample}", "inspect_q_table")


def _neighbours(attacked: FinishedAttack, clean: SampleAnswer, place: int, sample: int) -> None:
    """Whom the model now takes it for: nearest clean samples in the embedding. One that was attacked too
    opens on a click.
    """
    answer, victim = attacked.answer, attacked.victim
    if answer.near is None:
        return
    after = answer.near[place]
    rows = [(N_("Nearest in the embedding, attacked"), after, attacked.clean_pictures(after))]
    if clean.near is not None and clean.near_images is not None:
        rows.insert(0, (N_("Nearest in the embedding, clean"), clean.near, clean.near_images))
    groups = victim.overview.group
    for title, ids, images in rows:
        st.caption(_(title))
        names = victim.captions(None if groups is None else groups[ids]) or [f"#{number}" for number in ids]
        clicked = picker(
            images, victim.shape, ids.tolist(), names, f"inspect_{title[-5:]}", label=_(title), size=40
        )
        if clicked is not None and clicked not in attacked.ids:
            st.toast(
                _(
                    "Sample {sample} is not among the {n:,} attacked ones. Take more samples to see it here."
                ).format(sample=clicked, n=attacked.n)
            )
        elif clicked is not None and clicked != sample:
            links.put("pick", "")
            links.put("sample", clicked)
            st.rerun()
    if answer.uncertain is not None and answer.uncertain[place]:
        st.caption(
            _(
                "It lies farther from every clean sample than 99 % of these do from theirs: these neighbours"
                " say"
                " little."
            )
        )


def _further(attacked: FinishedAttack, threat: Threat, sample: int) -> None:
    with st.expander(
        _("How little is enough, and in other models?"),
        icon=":material/compare_arrows:",
        key="inspect_further",
        on_change="rerun",
    ) as further:
        if further.open:
            with fetching.aside():
                asked = threat.ladder(attacked.victim.run.key, sample)
                answer = connection.ask(asked, possible.waiting(threat.attack))
                takeaway.show(attacked.victim, threat.objective, answer)
                other_models.show(attacked.victim, threat, sample)
    if st.button(
        _("Move this sample by hand on the Attack page"), icon=":material/bolt:", key="inspect_attack"
    ):
        links.go("attack", {"sample": sample})
