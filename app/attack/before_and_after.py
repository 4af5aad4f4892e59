"""One sample before and after: the pair of pictures, and who is near."""

import numpy as np
import streamlit as st

from app.address import state
from app.attack.levels import adversarial, axis_name
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms.choose_model import Victim
from engine.asking.answers import Answer


def show(victim: Victim, answer: Answer, level: int) -> None:
    """Clean and adversarial over one another, and who is near before and after."""
    said, arrays = answer.json, answer.arrays
    attacked = adversarial(answer, level)
    names = [said["cluster_names"][int(arrays["q"][place].argmax())] for place in (0, level)]
    names[0] = said["cluster_names"][said["cluster_own"]]
    shape = said["shape"]
    left, right = st.columns([4, 5], gap="medium")
    with left:
        if len(shape) == 3:
            caption = f"{axis_name(said['axis'])} = {said['levels'][level]:g} · {said['protocol']}"
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
