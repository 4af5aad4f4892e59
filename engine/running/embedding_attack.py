"""Attacks that move the embedding: fitted, launched and judged as the others are, in their own space.

No pixel is touched, so what is told of pixels is null; the noise control is a random direction of the
embedding as long as each δ.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.attacks.protocols import answer
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.metrics import embedding, perturbation
from engine.models.protocols import Decodes, Encodes, Reconstructs, require
from engine.models.variational import head_gap
from engine.objectives.flip_and_keep import FlipAndKeep
from engine.objectives.protocols import LatentObjective
from engine.running.judging import Judge, Verdict, stream
from engine.running.outcome import Outcome, fate
from engine.running.pictures import Sketch

if TYPE_CHECKING:
    from engine.running.attacking import Attack

WATCHED, DRAWN = 500, 10
"""Samples whose fate is told while an attack is fitted, and how many of them are drawn."""
PICTURE_EVERY = 1.0
"""Seconds between two such pictures, at least."""
SMALLEST_SHARE, LARGEST_GAP = 0.01, 0.5
"""A cluster with a smaller share of the samples, or a head farther (in nats) from what its prior means imply,
is worth a doubt.
"""


@dataclass(frozen=True)
class LatentOutcome(Outcome):
    """An attack on the embedding, judged: `z` and `z_moved` (n, m); pixels are as they were."""

    z: np.ndarray
    z_moved: np.ndarray
    nu: float | None

    def sizes(self) -> dict[str, Any]:
        """The sizes of δ; those of pixels are null."""
        y, moved = np.exp(self.clean.log_q), np.exp(self.attacked.log_q)
        return (
            perturbation.no_sizes()
            | embedding.sizes(self.z_moved - self.z, self.z)
            | {
                "nu": self.nu,
                "agreement_mean": float((y * moved).sum(1).mean()),
                "agreement_clean_mean": float((y * y).sum(1).mean()),
            }
        )

    def lengths(self) -> dict[str, np.ndarray]:
        """‖δ‖ of each sample, and that over ‖z‖."""
        length = np.linalg.norm(self.z_moved - self.z, axis=1)
        return {"delta": length, "delta_ratio": length / np.linalg.norm(self.z, axis=1).clip(1e-12)}

    def arrays(self) -> dict[str, np.ndarray]:
        """Ids and moved embeddings: what is decoded from them is asked for when it is shown."""
        return {"id": self.index.numpy(), "z": self.z_moved}


def fit(
    choice: "Attack", judge: Judge, seed: int, how: How, sketch: Sketch | None = None
) -> Generator[Event, None, nn.Module]:
    """Fit an attack on the embedding, without labels; its scores and pictures on the way are made here. The
    model stays bit-identical.
    """
    _able(judge)
    views = judge.data.views.subset(judge.rows(choice.chosen_attack.fitting_half(choice.half)))
    index, drawn = judge.choose(WATCHED, seed, choice.half), 0.0
    steps = choice.chosen_attack.fit(
        judge.model,
        lambda x: choice.chosen_objective.bind(judge.model, x),
        views,
        choice.budget(views.shapes),
        stream(seed, "fit"),
        how,
    )
    while True:
        try:
            event, net = next(steps)
        except StopIteration as end:
            return end.value
        if not isinstance(event, Evaluate):
            yield event
            continue
        before, after = watched(choice, net, judge, index)
        yield event.model_copy(update={"metrics": fate(judge.labels(index), before, after)})
        if sketch is not None and (event.step == event.total or time.monotonic() - drawn > PICTURE_EVERY):
            drawn, first = time.monotonic(), slice(0, DRAWN)
            assert before.reconstruction is not None and after.reconstruction is not None, (
                "verdicts of embeddings are decoded"
            )
            yield from sketch.decoded(
                event.step, before.reconstruction[first], after.reconstruction[first], judge.data.views.shapes
            )


def watched(choice: "Attack", net: nn.Module, judge: Judge, index: Tensor) -> tuple[Verdict, Verdict]:
    """What the model says of samples, and of their embeddings as a network that is still being fitted would
    move them.
    """
    clean = judge.clean(index)
    objective = choice.chosen_objective.bind(judge.model, clean)
    assert isinstance(objective, LatentObjective), "the action allows no other"
    moved = answer(
        choice.chosen_attack.bound(net, clean).perturb(
            clean.flat(), objective, choice.budget(clean.shapes), torch.Generator()
        )
    ).x
    return judge.verdict_at(objective.z), judge.verdict_at(moved)


def launch(
    choice: "Attack", judge: Judge, seed: int, fitted: nn.Module
) -> Generator[Progress, None, LatentOutcome]:
    """Move the embeddings of the samples that `seed` chooses, chunk by chunk, then judge answers and
    controls. Yields Progress.
    """
    _able(judge)
    index = judge.choose(choice.n, seed, choice.half)
    attack, rng = choice.chosen_attack.bound(fitted, judge.clean(index[:1])), stream(seed, "attack")
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for number, rows in enumerate(index.split(choice.chunk)):
        clean = judge.clean(rows)
        objective = choice.chosen_objective.bind(judge.model, clean)
        assert isinstance(objective, LatentObjective), "the action allows no other"
        last = answer(attack.perturb(clean.flat(), objective, choice.budget(clean.shapes), rng))
        parts.append((objective.z.cpu(), last.x.cpu(), last.value.cpu()))
        yield Progress(step=min((number + 1) * choice.chunk, len(index)), total=len(index), phase="attack")
    z, moved, value = (torch.cat(part) for part in zip(*parts, strict=True))
    original, delta = judge.clean(index).flat().cpu(), (moved - z).numpy()
    noisy = judge.verdict_at(z + torch.from_numpy(embedding.random_directions(delta, seed)))
    other = judge.verdict_at(z + torch.from_numpy(np.roll(delta, 1, axis=0))) if len(index) > 1 else None
    nu = (
        choice.chosen_objective.weight_of(original.shape[1])
        if isinstance(choice.chosen_objective, FlipAndKeep)
        else None
    )
    return LatentOutcome(
        choice=choice,
        index=index,
        labels=judge.labels(index),
        original=original,
        adversarial=original,
        value=value.numpy(),
        clean=judge.verdict_at(z),
        attacked=judge.verdict_at(moved),
        noisy=noisy,
        other=other,
        recognised=None,
        z=z.numpy(),
        z_moved=moved.numpy(),
        nu=nu,
    )


def doubts(judge: Judge, outcome: Outcome) -> list[str]:
    """Do flips mean something? No more of them than by chance, a cluster that is all but empty, a head that
    does not follow its prior means.
    """
    said, counts = [], np.bincount(judge.whole, minlength=judge.clusters)
    by_chance = outcome.clean.cluster != outcome.noisy.cluster
    if outcome.flipped.mean() <= by_chance.mean():
        said.append(
            f"The attack flips {outcome.flipped.mean():.1%} of the samples, no more than random directions of"
            f" the same length do ({by_chance.mean():.1%})."
        )
    if counts.min() < SMALLEST_SHARE * counts.sum():
        said.append(
            f"The smallest cluster holds {counts.min()} of {counts.sum()} samples: the clustering has all but"
            " collapsed, and flips mean little."
        )
    if hasattr(judge.model, "moments"):
        with torch.no_grad():
            m = torch.cat([judge.model.encode(views.to(judge.device)) for views in judge.data.views.chunks()])  # type: ignore[operator]
            gap = float(head_gap(m, judge.model.log_assign_embedding(m), judge.model.centres).mean())  # type: ignore[operator, arg-type]
        if gap > LARGEST_GAP:
            said.append(
                f"The clustering head lies {gap:.2f} nats from the assignment that its prior means imply:"
                " training may not have settled."
            )
    return said


def _able(judge: Judge) -> None:
    for ability in (Encodes, Decodes, Reconstructs):
        require(judge.model, ability, "An attack on the embedding")
