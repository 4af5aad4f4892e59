"""Each view is taken for what it was, both together are not."""

import numpy as np

from engine.atlas.case import Sentence
from engine.atlas.ladders import leaving
from engine.atlas.rule import Rule, Seen, up


def faithful(seen: Seen) -> int:
    """How many views alone are still taken for what they were at the level shown."""
    answer = seen.answer
    if answer.view_q is None or answer.view_q_clean is None:
        return 0
    now, before = answer.view_q[seen.at].argmax(1), answer.view_q_clean.argmax(1)
    return int(np.sum((now == before) & (before == answer.own_group)))


def score(seen: Seen) -> float | None:
    """The more views are faithful, the more; of several the one with the smallest ε*."""
    star = seen.answer.epsilon_star
    if star is None or seen.answer.already or not faithful(seen):
        return None
    return faithful(seen) - star


def sentence(seen: Seen) -> Sentence:
    return Sentence.of(
        "At ε ≤ {star} all together are taken for “{becomes}”, though {faithful} of {views} alone would still"
        " be “{own}”.",
        star=up(seen.answer.epsilon_star or 0),
        becomes=seen.becomes,
        faithful=faithful(seen),
        views=seen.answer.views,
        own=seen.own,
    )


RULE = Rule(
    title="The fusion is misled, a view is not",
    about="All views together are sent elsewhere while as many as possible alone stay what they were.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {"views": float(faithful(seen)), "epsilon_star": seen.answer.epsilon_star or 0.0},
    suits=lambda model: "fuses" in model.abilities,
    ask=leaving,
)
