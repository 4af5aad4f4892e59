"""What can be taken away of one attacked sample."""

import io
import json
import platform
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.attack.levels import NAMES, adversarial
from app.components.ladder import Drawing, ladder_payload
from app.components.standalone import standalone_html
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.words import _, language
from engine.asking import keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import OWN, LadderQuestion

SIDE = 512
"""Pixels of a picture's longer side, at least."""


def show(
    victim: Victim, threat: Threat, question: LadderQuestion, drawing: Drawing, level: int, command: str
) -> None:
    """The picture, the numbers, the protocol, and the ladder as one file that plays without a server."""
    answer = drawing.answer
    which = "own" if answer.sample == OWN else answer.sample
    spoken = language()  # asked here: the file is made in a thread without a session
    stem = f"feint-{victim.name.replace('/', '-')}-{which}-{answer.axis}"
    with st.container(horizontal=True):
        _button(
            _("Ladder (HTML)"),
            lambda: _page(victim, threat, drawing, level, spoken),
            f"{stem}.html",
            "text/html",
            "slideshow",
            _("One file that plays on a phone with no server."),
        )
        if len(answer.shape) == 3:
            image = adversarial(answer, level).reshape(answer.shape)
            picture = gallery.to_png(image, -(-SIDE // max(answer.shape[1:])))
            _button("PNG", picture, f"{stem}.png", "image/png", "image")
        _button("npz", lambda: _numbers(answer, level), f"{stem}.npz", None, "dataset")
        _button(
            _("Card (JSON)"),
            _card(victim, threat, question, answer, level, command),
            f"{stem}.json",
            "application/json",
            "badge",
        )
        _button("CSV", table(answer).to_csv(index=False), f"{stem}.csv", "text/csv", "table")


def table(answer: LadderAnswer) -> pd.DataFrame:
    """One row a level: sizes, value, group and its probability, what it is read as; as far as known."""
    columns: dict[str, Any] = {
        NAMES[answer.axis]: answer.levels,
        "linf": answer.linf,
        "l2": answer.l2,
        "value": answer.value,
    }
    if answer.reached is not None:
        columns["reached"] = answer.reached
    if answer.q is not None and answer.own_group is not None:
        columns |= {"group": answer.q.argmax(1), "q_own": answer.q[:, answer.own_group]}
    if answer.read_as is not None:
        columns["read_as"] = answer.read_as
    return pd.DataFrame(columns)


def _button(
    label: str, content: Any, file: str, kind: str | None, icon: str, help_: str | None = None
) -> None:
    st.download_button(label, content, file, kind, on_click="ignore", icon=f":material/{icon}:", help=help_)


def _page(victim: Victim, threat: Threat, drawing: Drawing, level: int, spoken: str) -> str:
    """The ladder's file; made when it is asked for, in a thread without a session."""
    answer = drawing.answer
    note = (
        f"Feint · {victim.name} · {answer.title} · {answer.protocol} · seed {threat.seed}"
        f" · run {victim.run.key}"
    )
    payload = ladder_payload(drawing) | {"start": level, "autoplay": True}
    return standalone_html("ladder", payload, answer.title, note, spoken)


def _numbers(answer: LadderAnswer, level: int) -> bytes:
    """Every array of the answer, with the levels and the attacked sample, as npz."""
    arrays: dict[str, Any] = answer.split()[1]
    arrays |= {"attacked": adversarial(answer, level), "levels": np.array(answer.levels)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _card(
    victim: Victim, threat: Threat, question: LadderQuestion, answer: LadderAnswer, level: int, command: str
) -> str:
    """What it is, of which sample, how and on what it was computed, as JSON."""
    card = {
        "what": answer.split()[0],
        "sample": answer.sample,
        "model": victim.name,
        "run": victim.run.key,
        "threat": asdict(threat),
        "question": question.model_dump(mode="json"),
        "at": {answer.axis: answer.levels[level]},
        "level": level,
        "how": keeping.how_of(question) | {"python": platform.python_version()},
        "command": command,
    }
    return json.dumps(card, indent=1, default=list)
