"""What can be taken away of one attacked sample."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.attack.levels import adversarial, axis_name
from app.components.ladder import gain, ladder_payload
from app.components.standalone import standalone_html
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from engine.asking.answers import Answer
from engine.asking.legacy import plain


def show(
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
        "attacked": adversarial(answer, level),
        "levels": np.array(said["levels"]),
    }

    def page() -> str:  # made when it is asked for, in a thread without a session
        return standalone_html(
            "ladder",
            ladder_payload(plain(*payload_answer)) | {"start": level, "autoplay": True},
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
                adversarial(answer, level).reshape(said["shape"]), -(-512 // max(said["shape"][1:]))
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
                axis_name(said["axis"]): said["levels"],
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


def stated_gain(delta: np.ndarray) -> float:
    """The gain at which a single perturbation is drawn."""
    return gain(delta.reshape(1, -1), None)
