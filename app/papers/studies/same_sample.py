"""One sample, clean and attacked in the model without defence and in each defended one, side by side: from
answers that ship with Feint.
"""

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection
from app.attack.levels import adversarial
from app.forms.choose_sample import first_sample
from app.papers.studies import curves
from app.papers.studies.results import Result
from engine.asking.questions import LadderQuestion

WIDTH = 150
"""Of a picture, in pixels: two views side by side."""


def show(found: Result, epsilon: float) -> None:
    """The row of pictures at an ε; nothing where a model of these data does not ship."""
    said, zoo = found.declared, connection.store().zoo()
    data = said["data"][found.size]
    models = [said["baseline"], *said["defences"]]
    if not all(f"{data}/{model}" in zoo for model in models):
        return
    sample = first_sample(data)
    images: list[np.ndarray] = []
    captions: list[str] = []
    for model in models:
        question = LadderQuestion(model=zoo[f"{data}/{model}"].key, sample=sample)
        answer = connection.ask(question, "Climbing the ladder…")
        level = max((place for place, size in enumerate(answer.levels) if size <= epsilon + 1e-9), default=0)
        names = answer.group_names
        if answer.q is None or answer.own_group is None:
            return
        if not images:
            images.append(answer.clean.reshape(answer.shape))
            captions.append(f"clean: a {answer.label_name}")
        images.append(adversarial(answer, level).reshape(answer.shape))
        after, before = names[int(answer.q[level].argmax())], names[answer.own_group]
        fate = f"stays in {before}" if after == before else f"goes from {before} to {after}"
        captions.append(f"{curves.title(found, model)}: {fate}")
    gallery.grid(images, captions, columns=len(images), size=WIDTH)
    st.caption(
        f"Sample {sample}, its two views, attacked in each shipped model at ε = {answer.levels[level]:.3g}"
        f" ({answer.protocol})."
    )
