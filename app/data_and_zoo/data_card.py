"""The card of one data set: what it is, a few samples, where it leads, and how one's own is removed."""

from typing import Any

import streamlit as st

from app import gallery
from app.address import connection, fetching, links, notices, offered
from app.data_and_zoo import rows
from app.forms import data_sets
from app.runs import headline
from app.words import _, n_
from engine.asking.questions import LOOKED_AT, ImagesQuestion
from engine.data import own_kept
from engine.errors import FeintError

SHOWN = 12
"""Samples on a card."""
ATTACKED = "adec"
"""The method whose model a card leads to, where there is one."""


def show(name: str) -> None:
    """The card."""
    card = connection.catalogue()["data"][name]
    st.subheader(notices.plain(_(card["title"])), anchor=False)
    st.markdown(notices.plain(_(card.get("summary", ""))))
    st.markdown("\n".join(f"- {notices.plain(sentence)}" for sentence in card.get("facts", ())))
    _ways(name, card)
    _samples(card)
    st.table(_said(card), border="horizontal")
    if card.get("own"):
        _remove(name, card)


def _ways(name: str, card: dict[str, Any]) -> None:
    """Links to train on it, and to attack and inspect a model of it."""
    found = connection.models(data=name)
    first = next((key for key, run in found.items() if run.spec.name == ATTACKED), next(iter(found), None))
    usable = data_sets.about(card)
    with st.container(horizontal=True):
        if usable:
            headline.link("train", _("Train on it"), "model_training", {"data": name})
        if first is not None:
            headline.link("attack", _("Attack a model of it"), "bolt", {"model": first})
            headline.link("inspect", _("Inspect one"), "grid_view", {"model": first})
    if first is None and usable:
        st.caption(_("No model of these data is here yet: train one, then attack and inspect it."))


def _samples(card: dict[str, Any]) -> None:
    """A few samples as pictures; of data that are not here, those that ship."""
    if len(card.get("shape") or ()) != 3 or card.get("views", 1) > 1:
        return
    usual = card.get("rows") or range(min(SHOWN, card["samples"]))
    ids = list(LOOKED_AT.get(card["name"], usual))
    captions = card.get("labels") or [_("sample {n}").format(n=number) for number in ids]
    if not offered.here(card) and card["name"] not in LOOKED_AT:
        return
    question = ImagesQuestion(data=card["name"], fingerprint=card["fingerprint"], ids=tuple(ids))
    try:
        answer = connection.ask(question, _("Fetching a few samples…"))
    except (FeintError, fetching.DataAway) as error:
        st.caption(notices.plain(str(error)))
        return
    pictures = [image.reshape(answer.shape) for image in answer.images]
    gallery.grid(pictures, captions, columns=SHOWN, size=72)


def _said(card: dict[str, Any]) -> dict[str, str]:
    """What is known of it, a line each."""
    counts = card.get("counts") or []
    classes = [f"{name}: {count:,}" for name, count in zip(card.get("classes", ()), counts, strict=False)]
    size = rows.megabytes(card)
    said = {
        _("Samples"): _("{n:,} of {shape}").format(n=card["samples"], shape=rows.shape(card)),
        _("Classes"): ", ".join(classes) or _("none are known"),
        _("Where"): rows.whereabouts(card) + (f" ({size:g} MB)" if size else ""),
        _("What was done to it"): _(card.get("note", "")),
        _("Licence"): card.get("licence", ""),
        _("Source"): card.get("source", ""),
        _("Fingerprint"): card.get("fingerprint", ""),
        _("On the command line"): f"--data {card['name']}",
    }
    return {title: notices.plain(text) for title, text in said.items() if text}


def _remove(name: str, card: dict[str, Any]) -> None:
    """Remove, after a second press that says what stays."""
    built = sum(run.spec.fingerprint == card["fingerprint"] for run in connection.store().query())
    with st.popover(_("Remove"), icon=":material/delete:"):
        asked = _("Remove **{data}** from this machine?").format(data=notices.plain(card["title"]))
        st.markdown(f"{asked} {_stays(built)}")
        st.button(_("Remove for good"), type="primary", key=f"remove/{name}", on_click=_gone, args=(name,))


def _stays(built: int) -> str:
    """What becomes of the runs that were made with it."""
    if not built:
        return _("No run was made with it.")
    return n_(
        "The run made with it stays, and can be looked at again once the same file is brought again.",
        "The {n} runs made with it stay, and can be looked at again once the same file is brought again.",
        built,
    ).format(n=built)


def _gone(name: str) -> None:
    try:
        card = own_kept.remove(name)
    except FeintError as error:
        notices.notice(str(error))
        return
    links.forget("which")
    links.forget_everywhere("data")
    notices.notice(_("{data} is removed. Runs that were made with it stay.").format(data=card["title"]))
