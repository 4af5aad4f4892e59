"""The families of models that can be attacked: one card each, with a clean and an attacked picture."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection, links
from app.attack.levels import NAMES, adversarial
from app.forms.choose_sample import first_sample
from engine.asking import keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import (
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    Question,
)
from engine.store.run import Run

Family = Mapping[str, Any]
"""What a model declares of its family."""
Picture = tuple[np.ndarray | bytes, str]
"""An image and what stands under it."""
SHOWN = 3
"""Models of a family that names no example, at most."""


def cards() -> None:
    """One card a family: what it is, a clean and an attacked picture of each of its examples, the way in."""
    for family in families():
        with st.container(border=True):
            st.markdown(f"**{family['name']}**  \n{family['about']}")
            entries = examples(family)
            pictures = [picture for run in entries.values() for picture in _pair(family, run)]
            gallery.grid([image for image, _ in pictures], [said for _, said in pictures], columns=6, size=84)
            with st.container(horizontal=True):
                _ways_in(family, entries)


def families() -> list[Family]:
    """Every family of the registered models, those with an example first, each once."""
    found: dict[str, Family] = {}
    declared = [entry["family"] for entry in connection.catalogue()["model"].values()]
    for family in sorted(declared, key=lambda family: not family["example"]):
        found.setdefault(family["name"], family)
    return list(found.values())


def examples(family: Family) -> dict[str, Run]:
    """Name -> run of the models that stand for a family: its example on every data set of the zoo, else some
    that were trained here.
    """
    models = connection.catalogue()["model"]
    found = {
        name: run
        for name, run in connection.models().items()
        if models.get(run.spec.name, {}).get("family", {}).get("name") == family["name"]
    }
    if family["example"]:
        return {name: run for name, run in found.items() if name == f"{run.spec.data}/{family['example']}"}
    return dict(list(found.items())[:SHOWN])


def _ways_in(family: Family, entries: Mapping[str, Run]) -> None:
    for name, run in entries.items():
        if st.button(f"Attack {name}", key=f"family/{name}", icon=":material/bolt:"):
            sample = first_sample(run.spec.data)
            links.go(family["page"], {"model": name, "sample": sample})
    if not entries and st.button("Train one", key=f"family/{family['name']}", icon=":material/play_arrow:"):
        links.go("train", {})


def _pair(family: Family, run: Run) -> Iterator[Picture]:
    """A sample, what is done to it, and how it is taken then; nothing where that was never computed, or where
    nothing is reached.
    """
    answer: LadderAnswer | None = keeping.kept(_question(family, run))
    if answer is None or answer.first_reached is None or answer.q is None or answer.own_group is None:
        return
    level, shape = answer.first_reached, answer.shape
    delta = answer.delta[level].astype(np.float32)
    gain = 0.5 / float(np.abs(delta).max())
    what = "difference" if answer.axis == "nu" else "perturbation"
    size = f"{NAMES[answer.axis]} {answer.levels[level]:.3f}"
    own, taken = answer.own_group, int(answer.q[level].argmax())
    yield answer.clean.reshape(shape), f"cluster {answer.group_names[own]}"
    yield gallery.signed_png(delta.reshape(shape), gain), f"{what} {gallery.gain_text(gain)}"
    yield adversarial(answer, level).reshape(shape), f"cluster {answer.group_names[taken]} at {size}"


def _question(family: Family, run: Run) -> Question[Any]:
    """The ladder behind the picture of a model."""
    catalogue, sample = connection.catalogue(), first_sample(run.spec.data)
    if "nu" in catalogue["attack"][family["attack"]]["axes"]:
        size = int(np.prod(catalogue["data"][run.spec.data]["shape"]))
        return EmbeddingLadderQuestion.usual(run.key, sample, size)
    objective = ObjectiveChoice(name=family["objective"])
    return LadderQuestion(model=run.key, sample=sample, objective=objective)
