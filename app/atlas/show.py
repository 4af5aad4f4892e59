"""One case of the atlas: its pictures, its sentence, and the way to where it is looked at."""

import shlex

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection
from app.runs import headline
from app.words import _
from engine.atlas.case import Atlas, Case, Shown
from engine.errors import FeintError
from engine.home import home

PICTURE, SMALLER = 96, 72
"""Pixels of a picture's side, about; of one of more than three."""


def card(atlas: Atlas, place: int) -> None:
    """Title, pictures, sentence, link."""
    case, images = atlas.cases[place], atlas.pictures[place]
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{_(atlas.rules[case.rule]['title'])}**  \n{_of(case)}")
        drawn = [
            _drawn(image.reshape(case.shape), one) for image, one in zip(images, case.shown, strict=True)
        ]
        size = PICTURE if len(drawn) <= 3 else SMALLER
        gallery.grid(drawn, [_caption(one) for one in case.shown], columns=len(drawn), size=size)
        st.markdown(sentence(case))
        page, there = address(case)
        headline.link(page, _("Look at it"), "open_in_full", there)


def _of(case: Case) -> str:
    """Model, data and sample, as lists call them."""
    try:
        title = connection.model_title(case.model, connection.store().find(case.model))
    except FeintError:
        title = case.model
    attack = _(connection.catalogue()["attack"].get(case.attack, {}).get("title", case.attack))
    words = _("{model}, sample {n} · {attack}")
    return words.format(model=title.replace("*", r"\*"), n=case.sample, attack=attack)


def _drawn(image: np.ndarray, one: Shown) -> np.ndarray | bytes:
    return image if one.gain is None else gallery.signed_png(image, one.gain)


def _caption(one: Shown) -> str:
    return _(one.says) if one.gain is None else f"{_(one.says)} {gallery.gain_text(one.gain)}"


def command() -> str:
    """How the atlas is made again, in a folder of one's own: the one that ships stays as it is."""
    return f"python3 -m engine atlas --out {shlex.quote(str(home() / 'atlas'))}"


def sentence(case: Case) -> str:
    """What is striking about a case, in the language of whoever looks."""
    values = {name: _(value) for name, value in case.sentence.values.items()}
    return _(case.sentence.words).format(**values)


def address(case: Case) -> tuple[str, dict[str, str]]:
    """The page on which a case is looked at, and what it is told."""
    if case.run:
        return "inspect", {"model": case.model, "run": case.run, "sample": str(case.sample)}
    there = {"model": case.model, "sample": str(case.sample)}
    level = "" if case.level is None else f"{case.level:.6g}"
    if case.axis == "nu":
        network = "defended" if ".defended" in case.model else "base"
        base = case.model.split(".defended")[0]
        return "robust", there | {"model": base, "network": network, "tab": "nu", "nu": level}
    chosen = {"attack": case.attack, "objective": case.objective, "tab": "epsilon", "eps": level}
    return "attack", there | chosen
