"""A finished attack on an embedding, read for its column: the clean samples of its model, and where they
went.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app.address import connection, notices
from app.forms.choose_model import Victim, victim_of
from app.words import _
from engine.asking.answers import AttackedSampleAnswer, AttackedSamplesAnswer
from engine.asking.questions import AttackedSampleQuestion, AttackedSamplesQuestion
from engine.errors import FeintError
from engine.store.run import Run

SHOWN = 8
"""Samples drawn side by side."""


@dataclass(frozen=True)
class Attacked:
    """The run of an attack, its model, where the chosen samples went, and their table, one row a sample."""

    run: Run
    victim: Victim
    answer: AttackedSamplesAnswer
    table: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the model's clusters."""
        return self.victim.names

    @property
    def flipped(self) -> np.ndarray:
        """Which samples change their cluster: (n,)."""
        return np.asarray(self.table["flipped"].to_numpy(), dtype=bool)

    def sample(self, number: int) -> AttackedSampleAnswer:
        """One sample, clean and attacked; asked for where the run did not choose it."""
        rows = np.flatnonzero(self.table["id"].to_numpy() == number)
        answer = self.answer
        if not len(rows) or answer.recon is None or answer.recon_clean is None:
            asked = AttackedSampleQuestion(run=self.run.key, sample=number)
            return connection.ask(asked, _("Attacking this sample…"))
        row = rows[0]
        fields = ("xy_clean", "xy", "q_clean", "q", "recon_clean", "recon")
        return AttackedSampleAnswer(sample=number, **{name: getattr(answer, name)[row] for name in fields})


def read(run: Run) -> Attacked | None:
    """An attack from its run; None, with the sentence on the page, where it cannot be read."""
    try:
        victim = victim_of(connection.store().find(run.spec.builds_on["model"]))
        answer = connection.ask(AttackedSamplesQuestion(run=run.key), _("Following the samples…"))
        return Attacked(run, victim, answer, run.table())
    except FeintError as error:
        notices.refused(error)
        return None


def samples(first: Attacked, chosen: int) -> list[int]:
    """The samples that all columns show: the chosen one, then some that the first attack flips, then
    others.
    """
    ids, flipped = first.table["id"].to_numpy(), first.flipped
    order = [chosen, *ids[flipped][: SHOWN - 2], *ids[~flipped]]
    return list(dict.fromkeys(int(number) for number in order))[:SHOWN]


def scores(attacked: Attacked) -> None:
    """How many flip, beside a random direction of the same length, and what it does to the ACC."""
    found = attacked.run.result()
    left, right = st.columns(2)
    left.metric(_("Flips"), f"{found['flip_rate']:.1%}", help=_("Share of samples whose cluster changes."))
    if found.get("acc_clean") is not None:
        right.metric(
            "ACC",
            f"{found['acc_attacked']:.3f}",
            f"{found['acc_attacked'] - found['acc_clean']:+.3f}",
            help=_("Clusters matched to classes anew. Below: the change by the attack."),
        )
    said = _("A random direction as long flips **{share:.1%}**. n = {n}.")
    st.caption(said.format(share=found["noise_flip_rate"], n=found["n"]))
    for doubt in found.get("doubts", []):
        st.warning(doubt)
