"""A finished attack with all that the views of Inspect show of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import streamlit as st

from app.address import connection, layout, notices
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import NORMS
from app.words import N_, _
from engine.asking.answers import AttackedSamplesAnswer
from engine.asking.questions import SAID, AttackedSamplesQuestion, ImagesQuestion, epsilon_text
from engine.errors import FeintError
from engine.models.declared import title_of
from engine.store.run import Run

GROUPS = {"cluster": N_("Cluster"), "class": N_("Class")}
"""What a model sorts samples into, as a title."""
TRIED = (N_("restarts"), N_("starts"), N_("targets"))
"""What the engine names in SAID."""
ELSEWHERE = {"cluster": N_("in another cluster"), "class": N_("in another class")}


@dataclass(frozen=True)
class FinishedAttack:
    """A finished attack: its run, the model, a row a sample, the adversarial images (n, d) uint8, the
    result, and where samples went.

    Where the embedding was moved, images are what is decoded from it.
    """

    run: Run
    victim: Victim
    table: pd.DataFrame
    images: np.ndarray
    result: dict[str, Any]
    answer: AttackedSamplesAnswer

    @property
    def n(self) -> int:
        """How many samples were attacked."""
        return len(self.table)

    @property
    def ids(self) -> np.ndarray:
        """(n,) sample ids in the table's order."""
        return self.table["id"].to_numpy()

    def exact(self, place: int) -> np.ndarray:
        """(d,) the adversarial sample at a place of the table, as floats."""
        return _exact(self.run.key)[place]

    @property
    def labelled(self) -> bool:
        """Whether the data have labels."""
        return self.victim.labelled and bool((self.table["label"] >= 0).all())

    @property
    def classes(self) -> list[str]:
        """Names of the labels."""
        return list(self.victim.overview.class_names)

    @cached_property
    def before(self) -> np.ndarray | None:
        """(n,) the group of each sample; None for a model that sorts into nothing."""
        return None if self.answer.q_clean is None else self.answer.q_clean.argmax(1)

    @cached_property
    def after(self) -> np.ndarray | None:
        """(n,) the group of each attacked sample."""
        return None if self.answer.q is None else self.answer.q.argmax(1)

    @cached_property
    def changed(self) -> np.ndarray | None:
        """(n,) whether a sample is in another group under attack."""
        if self.before is None or self.after is None:
            return None
        return self.before != self.after

    @cached_property
    def reached(self) -> np.ndarray | None:
        """(n,) whether the objective was reached, by its own notion; where it has none, whether the group
        changed. None where there is neither.
        """
        if "reached" in self.table:
            return self.table["reached"].to_numpy(dtype=bool)
        target = self.target
        if target is None or self.before is None or self.after is None:
            return self.changed
        return (self.before != target) & (self.after == target)

    @property
    def target(self) -> int | None:
        """The group that was to be reached, where the objective names one."""
        return target_of(self.run)

    @property
    def does(self) -> str:
        """What is said of those that `reached` names: "12 where the attack wants them"."""
        if possible.has_success(self.run.spec.settings["objective"]):
            return _("where the attack wants them")
        return _(ELSEWHERE.get(self.victim.grouping, ""))

    def captions(self, places: np.ndarray) -> list[str]:
        """A line for the samples at these rows: from which group to which, else their number."""
        if self.before is None or self.after is None:
            return [f"#{number}" for number in self.ids[places]]
        return self.victim.captions(self.before[places], self.after[places])

    def clean_pictures(self, ids: np.ndarray) -> np.ndarray:
        """(m, d) uint8: clean samples (m,) that were attacked, or are near an attacked one."""
        asked = ImagesQuestion.around(self.victim.run.spec, self.ids.tolist(), self.answer.near)
        return _pictures(asked)[np.searchsorted(asked.ids, ids)]

    @property
    def latent(self) -> bool:
        """Whether the embedding was moved, and no pixel."""
        return possible.entry("attack", self.run.spec.name).get("space") == "embedding"

    def place(self, sample: int) -> int:
        """The row of a sample in the table."""
        return int(np.flatnonzero(self.ids == sample)[0])

    def protocol(self) -> str:
        """The line that every number of this attack carries."""
        said = self.run.spec.settings
        entry = possible.entry("attack", said["attack"])
        values = entry["defaults"] | said["attack_settings"]
        penalty = _(" − {lam:g} · reconstruction change").format(lam=said["lam"]) if said["lam"] else ""
        parts = [
            connection.model_title(self.victim.name, self.victim.run),
            title_of(connection.in_words(entry), said["attack_settings"]),
            _(possible.title("objective", said["objective"])) + penalty,
            f"ν = {self.result['nu']:g}"
            if self.latent
            else f"{NORMS[said['norm']]} ε = {epsilon_text(said['epsilon'])}",
            *(f"{_(name)} {values[key]}" for key, name in SAID if values.get(key) is not None),
            f"n = {self.result['n']}",
            _("seed {seed}").format(seed=self.run.spec.seed),
        ]
        return " · ".join(parts)


def target_of(run: Run) -> int | None:
    """The group that an attack run was to reach, where its objective names one."""
    said = run.spec.settings
    named = said.get("cluster")
    target = named if named is not None else said.get("objective_settings", {}).get("cluster")
    return None if target is None else int(target)


def look(run: Run, victim: Victim) -> FinishedAttack:
    """Everything about a finished attack; stops the page with a sentence where its folder is damaged."""
    try:
        waiting = _("Looking where they went…")
        table, images, result = _read(run.key, waiting)
        answer = _answer(run.key, waiting)
    except FeintError as error:
        refuse(str(error))
    return FinishedAttack(run, victim, table, images, result, answer)


def refuse(sentence: str) -> NoReturn:
    """End the page with a sentence."""
    st.error(notices.plain(sentence))
    layout.page_foot()
    st.stop()


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(key: str, _waiting: str) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Table, images and result of a finished run; a key stands for its content, so they are read once."""
    run = connection.store().find(key)
    stored = run.arrays("images")
    if "adversarial" in stored:
        return run.table(), np.rint(stored["adversarial"] * 255).astype(np.uint8), run.result()
    decoded = _answer(key, _waiting).recon
    assert decoded is not None, "an attack on the embedding is one on a model that decodes"
    return run.table(), decoded, run.result()


@st.cache_resource(max_entries=2, show_spinner=False)
def _exact(key: str) -> np.ndarray:
    """The adversarial samples (n, d) of a finished run, as floats."""
    return connection.store().find(key).arrays("images")["adversarial"]


@st.cache_resource(
    max_entries=4, show_spinner=False, hash_funcs={ImagesQuestion: lambda question: question.key()}
)
def _pictures(question: ImagesQuestion) -> np.ndarray:
    return connection.ask(question).images


@st.cache_resource(max_entries=8, show_spinner=False)
def _answer(key: str, _waiting: str) -> AttackedSamplesAnswer:
    """Where the samples of a finished run went; meanwhile the page says `_waiting`."""
    return connection.ask(AttackedSamplesQuestion(run=key), _waiting)
