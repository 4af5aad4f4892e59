"""The smallest move of an embedding that changes its cluster."""

from engine.asking.answers import EmbeddingLadderAnswer
from engine.atlas.case import Sentence
from engine.atlas.ladders import embeds, moved_embedding
from engine.atlas.rule import Rule, Seen


def length(seen: Seen) -> float:
    """‖δ‖/‖z‖ at the level shown."""
    assert isinstance(seen.answer, EmbeddingLadderAnswer)
    return float(seen.answer.ratio[seen.at])


def score(seen: Seen) -> float | None:
    """The shorter, the more; nothing where a random direction of that length does the same."""
    answer = seen.answer
    if not isinstance(answer, EmbeddingLadderAnswer) or answer.first_reached is None or answer.already:
        return None
    return None if answer.noise_at(seen.at)[0] else -length(seen)


def sentence(seen: Seen) -> Sentence:
    answer = seen.answer
    assert isinstance(answer, EmbeddingLadderAnswer)
    reached, n = answer.noise_at(seen.at)
    return Sentence.of(
        "Its embedding is moved by {length} % of its length, from “{own}” to “{becomes}”, while its picture"
        " changes by {shift} (mean square; its own error is {error}). A random direction of that length does"
        " so in {reached} of {n} draws.",
        length=f"{100 * length(seen):.0f}",
        own=seen.own,
        becomes=seen.becomes,
        shift=f"{float(answer.shift_mse[seen.at]):.6f}".rstrip("0").rstrip("."),
        error=f"{answer.error_mse:.2g}",
        reached=reached,
        n=n,
    )


RULE = Rule(
    title="The embedding is moved, the picture stays",
    about="The shortest shift of an embedding that changes its cluster, where a random direction of the same"
    " length never does.",
    score=score,
    sentence=sentence,
    measured=lambda seen: {"length": length(seen), "nu": seen.answer.levels[seen.at]},
    suits=embeds,
    ask=moved_embedding,
    most=6,
)
