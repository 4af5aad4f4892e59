"""One step of the gradient fails where twenty need little."""

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


def sentence(seen: Seen) -> str:
    assert seen.beside is not None
    never = seen.beside.epsilon_star is None
    one = f"fails even at ε = {needed(seen):g}" if never else f"needs ε = {up(needed(seen))}"
    return (
        f"Twenty steps take it from “{seen.own}” to “{seen.becomes}” at ε ≤"
        f" {up(seen.answer.epsilon_star or 0)}; one step of the gradient {one}."
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
