"""What the slots come to on many samples at the ε of the handle, beside the first one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection
from app.compare import ladders
from app.compare.choose import Slot
from app.runs import rows
from app.words import _
from engine.asking.answers import LadderAnswer, SeveralAnswer
from engine.asking.questions import SeveralQuestion, epsilon_text
from engine.metrics.intervals import paired_shares, wilson
from engine.store.wanted import Wanted

N, HALF = 100, "test"
"""Samples that are attacked in every slot, and of which rows: those that no probe was trained on, as the
question asks of itself."""


def rounded(epsilon: float) -> float:
    """A level of a ladder as the ε that many samples are asked about: six decimals."""
    return round(float(epsilon), 6)


def question(slot: Slot, epsilon: float) -> SeveralQuestion:
    """A slot's many samples at one ε."""
    threat = slot.threat
    return SeveralQuestion(
        model=slot.victim.run.key,
        attack=threat.attack_choice,
        objective=threat.objective_choice,
        norm=threat.norm,
        epsilon=epsilon,
        n=N,
        seed=threat.seed,
    )


def wanted(slot: Slot, epsilon: float) -> Wanted:
    """The run that makes the same numbers."""
    return replace(slot.threat, epsilon=epsilon).wanted(slot.victim.run, n=N, half=HALF)


def answers(chosen: Sequence[Slot], epsilon: float) -> list[SeveralAnswer]:
    """The same samples in every slot."""
    waiting = _("Attacking {n} samples in {letter}: some seconds the first time…")
    return [
        connection.ask(question(slot, epsilon), waiting.format(n=N, letter=slot.letter)) for slot in chosen
    ]


def show(
    chosen: Sequence[Slot], one: Sequence[LadderAnswer], many: Sequence[SeveralAnswer], epsilon: float
) -> None:
    """The table: a measure a row, a slot a column."""
    number = one[0].sample
    alone = _("Sample {n} alone").format(n=number) if number >= 0 else _("Your picture alone")
    measures = {
        _("Clean samples"): [_clean(slot) for slot in chosen],
        alone: [ladders.star(answer) for answer in one],
        _("Attack succeeds at ε = {epsilon}").format(epsilon=epsilon_text(epsilon)): [
            _share(found.reached[found.counted]) for found in many
        ],
        _("… minus A, the same samples"): ["", *(_difference(many[0], found) for found in many[1:])],
        _("Noise of the same size"): [_share(found.noise[found.counted]) for found in many],
        _("Still legible"): [_share(found.legible) for found in many],
    }
    frame = pd.DataFrame.from_dict(
        measures, orient="index", columns=[f"{slot.letter}: {slot.name}" for slot in chosen]
    )
    st.table(frame)
    counts = ", ".join(
        f"{slot.letter} {found.counted.sum()}" for slot, found in zip(chosen, many, strict=True)
    )
    words = _(
        "Shares with 95 % intervals (Wilson; differences: Bonett and Price), of the same {n} samples in every"
        " slot, drawn for the seed; those that are where the attack wants them before it do not count"
        " (n: {counts}). Legible: 5 nearest neighbours on raw samples still read the label. ε* are upper"
        " bounds."
    )
    st.caption(words.format(n=len(many[0].ids), counts=counts))
    take_away.below(frame, "feint-compare", "measures", index=True)


def _clean(slot: Slot) -> str:
    return next(iter(rows.of_model(slot.victim.run.result())), _("not measured"))


def _share(hits: np.ndarray | None) -> str:
    """A share with its interval: "93 % (86 to 97)"."""
    if hits is None or not len(hits):
        return _("unknown")
    low, high = wilson(int(hits.sum()), len(hits))
    words = _("{share:.0f} % ({low:.0f} to {high:.0f})")
    return words.format(share=100 * hits.mean(), low=100 * low, high=100 * high)


def _difference(first: SeveralAnswer, other: SeveralAnswer) -> str:
    both = first.counted & other.counted
    if not np.array_equal(first.ids, other.ids) or not both.any():
        return _("no sample in common")
    share, low, high = (100 * value for value in paired_shares(other.reached[both], first.reached[both]))
    words = _("{share:+.0f} ({low:+.0f} to {high:+.0f})")
    return words.format(share=share, low=low, high=high).replace("-", "−")
