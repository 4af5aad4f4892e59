"""The group in which a sample ends was the one that the model held for least likely."""

import numpy as np

from engine.atlas.case import Sentence
from engine.atlas.ladders import groups, leaving
from engine.atlas.rule import Rule, Seen, up


def place(seen: Seen) -> int:
    """Which of the groups, by what the model said of the clean sample, it ends in: 1 is the likeliest."""
    clean = seen.answer.q_clean
    return 0 if clean is None else 1 + int((clean > clean[seen.taken]).sum())


def score(seen: Seen) -> float | None:
    """The later its place, the more; of several the one with the smallest ε*."""
    answer = seen.answer
    if answer.epsilon_star is None or answer.already or answer.q_clean is None or answer.q_clean.size < 4:
        return None
    if len(np.unique(answer.q_clean)) < answer.q_clean.size:  # probabilities that vanish have no order
        return None
    return place(seen) - answer.epsilon_star


def sentence(seen: Seen) -> Sentence:
    assert seen.answer.q_clean is not None
    return Sentence.of(
        "It goes from “{own}” to “{becomes}”, place {place} of {n} in what was likely before; ε ≤ {star}"
        " suffices.",
        own=seen.own,
        becomes=seen.becomes,
        place=place(seen),
        n=seen.answer.q_clean.size,
        star=up(seen.answer.epsilon_star or 0),
    )


RULE = Rule(
    title="The most surprising target",
    about="A sample ends where the model least expected it: the later the place of its new group among all in"
    " the clean sample's probabilities, the more surprising.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {"place": float(place(seen)), "epsilon_star": seen.answer.epsilon_star or 0.0},
    suits=groups,
    ask=leaving,
)
