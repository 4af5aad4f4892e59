"""A defence that holds a sample far longer, and gives way all the same."""

from engine.atlas.case import Sentence
from engine.atlas.ladders import LEFT, leaving, undefended
from engine.atlas.rule import Rule, Seen, up

BORDER = 0.02
"""A sample that leaves the undefended model below this ε lay on a border anyway."""
HELD = 2.0
"""Below so many times as far no defence has held."""


def score(seen: Seen) -> float | None:
    """How many times as far it holds, HELD at least; only where both models give way in the end."""
    star, before = seen.answer.epsilon_star, None if seen.beside is None else seen.beside.epsilon_star
    if not star or not before or seen.answer.already or (seen.beside is not None and seen.beside.already):
        return None
    return star / before if before >= BORDER and star >= HELD * before else None


def sentence(seen: Seen) -> Sentence:
    assert seen.beside is not None
    star, before = seen.answer.epsilon_star or 0.0, seen.beside.epsilon_star or 1.0
    return Sentence.of(
        "Without the defence it takes ε ≤ {before}. With it {times} times as much is needed, and at"
        " ε ≤ {star} it goes from “{own}” to “{becomes}” anyway.",
        before=up(before),
        times=f"{star / before:.1f}",
        star=up(star),
        own=seen.own,
        becomes=seen.becomes,
    )


RULE = Rule(
    title="A defence holds, then gives way",
    about="The defended model holds the sample at least twice as far as the undefended one, then gives way.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {
        "epsilon_star": seen.answer.epsilon_star or 0.0,
        "epsilon_star_undefended": (seen.beside.epsilon_star or 0.0) if seen.beside else 0.0,
    },
    suits=lambda model: model.name in LEFT,
    ask=leaving,
    beside=undefended,
)
