"""The smallest ε that suffices where noise never does."""

from engine.atlas.case import Sentence
from engine.atlas.ladders import groups, leaving
from engine.atlas.rule import Rule, Seen, up


def score(seen: Seen) -> float | None:
    """The smaller ε*, the more; None where noise of any size does it, or it was there before."""
    answer = seen.answer
    if answer.epsilon_star is None or answer.already or answer.noise_reached != 0 or answer.q is None:
        return None
    return -answer.epsilon_star


def sentence(seen: Seen) -> Sentence:
    return Sentence.of(
        "A change of {star} takes it from “{own}” to “{becomes}”. Noise never does, up to ε = {top}: 0 of {n}"
        " draws.",
        star=up(seen.answer.epsilon_star or 0),
        own=seen.own,
        becomes=seen.becomes,
        top=f"{seen.answer.levels[-1]:g}",
        n=f"{seen.answer.noise_n or 0:,}",
    )


RULE = Rule(
    title="The smallest step",
    about="The smallest ε that takes a sample elsewhere, where noise never does so at any ε.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {"epsilon_star": seen.answer.epsilon_star or 0.0},
    suits=groups,
    ask=leaving,
)
