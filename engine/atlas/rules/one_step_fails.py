"""One step of the gradient fails where twenty need little."""

from engine.atlas.case import Sentence
from engine.atlas.ladders import groups, leaving, one_step
from engine.atlas.rule import Rule, Seen, up


def needed(seen: Seen) -> float:
    """The ε that one step needs; the top of the ladder where even that fails."""
    assert seen.beside is not None
    star = seen.beside.epsilon_star
    return seen.beside.levels[-1] if star is None else star


def score(seen: Seen) -> float | None:
    """How many times as much one step needs."""
    star = seen.answer.epsilon_star
    if not star or seen.answer.already or seen.beside is None:
        return None
    return needed(seen) / star


def sentence(seen: Seen) -> Sentence:
    assert seen.beside is not None
    said = {"own": seen.own, "becomes": seen.becomes, "star": up(seen.answer.epsilon_star or 0)}
    if seen.beside.epsilon_star is None:
        return Sentence.of(
            "Twenty steps take it from “{own}” to “{becomes}” at ε ≤ {star}; one step of the gradient fails"
            " even at ε = {needed}.",
            **said,
            needed=f"{needed(seen):g}",
        )
    return Sentence.of(
        "Twenty steps take it from “{own}” to “{becomes}” at ε ≤ {star}; one step of the gradient needs"
        " ε = {needed}.",
        **said,
        needed=up(needed(seen)),
    )


RULE = Rule(
    title="One step is not enough",
    about="FGSM needs a much larger ε than PGD with twenty steps, or fails.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {
        "epsilon_star": seen.answer.epsilon_star or 0.0,
        "epsilon_star_fgsm": needed(seen),
    },
    suits=groups,
    ask=leaving,
    beside=one_step,
)
