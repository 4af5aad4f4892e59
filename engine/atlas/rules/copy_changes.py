"""The copy changes far more than the picture."""

import numpy as np

from engine.atlas.case import Sentence
from engine.atlas.ladders import copying, mean_square
from engine.atlas.rule import Rule, Seen


def ratio(seen: Seen) -> float:
    """Mean square by which the copy changes, for each unit by which the sample does, at the largest ε."""
    answer = seen.answer
    assert answer.recon is not None and answer.recon_clean is not None
    change = (answer.recon[-1].astype(np.float64) - answer.recon_clean) / 255
    return mean_square(change) / max(mean_square(answer.delta[-1]), 1e-12)


def sentence(seen: Seen) -> Sentence:
    return Sentence.of(
        "The sample changes by at most {epsilon} a number; its copy changes {times} times as much, in mean"
        " square.",
        epsilon=f"{seen.answer.levels[-1]:g}",
        times=f"{ratio(seen):.0f}",
    )


def extra(seen: Seen) -> list[tuple[str, np.ndarray]]:
    answer = seen.answer
    assert answer.recon is not None and answer.recon_clean is not None
    return [
        ("its copy", answer.recon_clean.astype(np.float32) / 255),
        ("copy of the attacked one", answer.recon[-1].astype(np.float32) / 255),
    ]


RULE = Rule(
    title="The copy becomes another",
    about="What an autoencoder makes of the sample changes most for what the sample itself changes, at"
    " ε = 0.1.",
    score=lambda seen: ratio(seen) if seen.answer.recon is not None else None,
    sentence=sentence,
    measured=lambda seen: {"ratio": ratio(seen)},
    suits=lambda model: "reconstructs" in model.abilities and "fuses" not in model.abilities,
    ask=copying,
    level=lambda seen: len(seen.answer.levels) - 1,
    extra=extra,
)
