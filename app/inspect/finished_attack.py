"""A finished attack with all that the views of Inspect show of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.forms.choose_model import Victim
from app.forms.threat import NORMS
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.store.run import Run


@dataclass(frozen=True)
class FinishedAttack:
    """A finished attack: its run, the victim, a row a sample, the adversarial images (n, d) uint8, the
    result, where samples went.

    Where the embedding was moved, images are what is decoded from it.
    """

    run: Run
    victim: Victim
    table: pd.DataFrame
    images: np.ndarray
    result: dict[str, Any]
    moved: Answer

    @property
    def ids(self) -> np.ndarray:
        """(n,) sample ids in the table's order."""
        return self.table["id"].to_numpy()

    @property
    def labelled(self) -> bool:
        """Whether the data have labels."""
        return bool(self.victim.overview.json["class_names"]) and bool((self.table["label"] >= 0).all())

    @property
    def classes(self) -> list[str]:
        """Names of the labels."""
        return list(self.victim.overview.json["class_names"])

    @property
    def order(self) -> list[int]:
        """Clusters in the order they are shown in: by their matched class, unmatched ones last."""
        mapping = self.victim.overview.json["mapping"]
        return sorted(
            range(len(mapping)), key=lambda cluster: (mapping[cluster] < 0, mapping[cluster], cluster)
        )

    @property
    def latent(self) -> bool:
        """Whether the embedding was moved, and no pixel."""
        return str(state.catalogue()["attack"][self.run.spec.name]["space"]) == "embedding"

    def place(self, sample: int) -> int:
        """The row of a sample in the table."""
        return int(np.flatnonzero(self.ids == sample)[0])

    def protocol(self) -> str:
        """The line that every number of this attack carries."""
        said = self.run.spec.settings
        entry = state.catalogue()["attack"][said["attack"]]
        wanted = said["objective"].replace("_", " ") + (
            f" − {said['lam']:g} · reconstruction change" if said["lam"] else ""
        )
        size = (
            f"ν = {self.result['nu']:g}" if self.latent else f"{NORMS[said['norm']]} ε = {said['epsilon']:g}"
        )
        parts = [entry["title"], wanted, size]
        values = entry["defaults"] | said["attack_settings"]
        parts += [
            f"{name} {values[key]}"
            for key, name in (("steps", "T ="), ("restarts", "restarts"))
            if key in values
        ]
        return " · ".join(
            [
                *parts,
                f"n = {self.result['n']}",
                f"seed {self.run.spec.seed}",
                f"model {self.victim.run.key}",
                f"run {self.run.key}",
            ]
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(key: str) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Table, images and result of a finished run; a key stands for its content, so they are read once."""
    run = state.store().find(key)
    stored = run.arrays("images")
    images = (
        np.rint(stored["adversarial"] * 255).astype(np.uint8)
        if "adversarial" in stored
        else _moved(key).arrays["recon"]
    )
    return run.table(), images, run.result()


def look(run: Run, victim: Victim) -> FinishedAttack:
    """Everything about a finished attack; stops the page with a sentence where its folder is damaged."""
    try:
        table, images, result = _read(run.key)
        moved = _moved(run.key)
    except FeintError as error:
        refuse(str(error))
    return FinishedAttack(run, victim, table, images, result, moved)


@st.cache_resource(max_entries=8, show_spinner=False)
def _moved(key: str) -> Answer:
    return state.ask({"ask": "moved", "run": key}, "Looking where they went…")


def refuse(sentence: str) -> None:
    st.error(sentence)
    state.page_foot()
    st.stop()
