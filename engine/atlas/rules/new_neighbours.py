"""Nobody who was near is near any more."""

import numpy as np

from engine.atlas.case import Sentence
from engine.atlas.ladders import groups, leaving
from engine.atlas.rule import Rule, Seen, up


def level(seen: Seen) -> int | None:
    """The first level at which none of the clean neighbours is left."""
    near, before = seen.answer.near, seen.answer.near_clean
    if near is None or before is None:
        return None
    gone = np.flatnonzero(~np.isin(near, before).any(axis=1))
    return int(gone[0]) if len(gone) else None


def score(seen: Seen) -> float | None:
    """The smaller that ε, the more; only where the sample is still taken for what it was."""
    found = level(seen)
    if found is None or seen.answer.q is None or seen.answer.already:
        return None
    still = int(seen.answer.q[found].argmax()) == seen.answer.own_group
    return -seen.answer.levels[found] if still else None


def sentence(seen: Seen) -> Sentence:
    found = level(seen)
    assert found is not None and seen.answer.near is not None
    return Sentence.of(
        "At ε = {epsilon} it is still taken for “{own}”, yet none of the {n} samples nearest to it was near"
        " before.",
        epsilon=up(seen.answer.levels[found]),
        own=seen.own,
        n=seen.answer.near.shape[1],
    )


RULE = Rule(
    title="Entirely new neighbours",
    about="The smallest ε at which all nearest samples are others, though the model still takes it for the"
    " same.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {"epsilon": seen.answer.levels[level(seen) or 0]},
    suits=groups,
    ask=leaving,
    level=lambda seen: level(seen) or 0,
)
