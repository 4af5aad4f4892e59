"""Attacks that move the embedding: launched and judged as the others are, in their own space.

No pixel is touched, so what is said of pixels is absent; the noise control is a random direction of the
embedding as long as each δ.
"""

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from engine.attacks.protocols import answer
from engine.events import Progress
from engine.metrics import embedding
from engine.metrics.protocols import AttackedSamples
from engine.models.protocols import Encodes, FollowsPriors, check_abilities, require
from engine.objectives.protocols import on_embedding
from engine.running.judging import Judge, stream
from engine.running.threat import Threat

SMALLEST_SHARE, LARGEST_GAP = 0.01, 0.5
"""A cluster with a smaller share of the samples, or a head farther (in nats) from what its prior means imply,
is worth a doubt.
"""


def launch(
    threat: Threat, judge: Judge, seed: int, fitted: nn.Module | None
) -> Generator[Progress, None, AttackedSamples]:
    """Move the embeddings of the samples that `seed` chooses, chunk by chunk, then judge answers and
    controls. Yields Progress.
    """
    check_abilities(judge.model, threat.attack.needs, threat.attack.title)
    index = judge.choose(threat.n, seed, threat.half)
    rng = stream(seed, "attack")
    attack = threat.attack if fitted is None else threat.attack.bound(fitted, judge.clean(index[:1]))
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    done = 0
    for rows in index.split(threat.chunk):
        clean, objective = judge.clean(rows), on_embedding(judge.bind(threat.objective, rows))
        last = answer(attack.perturb(clean.flat(), objective, threat.budget(clean.shapes), rng))
        parts.append((objective.z.cpu(), last.x.cpu(), last.value.cpu()))
        done += len(rows)
        yield Progress(step=done, total=len(index), phase="attack")
    z, attacked, value = (torch.cat(part) for part in zip(*parts, strict=True))
    return _judged(threat, judge, index, z, attacked, value, seed)


def _judged(
    threat: Threat, judge: Judge, index: Tensor, z: Tensor, attacked: Tensor, value: Tensor, seed: int
) -> AttackedSamples:
    """What the model says of the embeddings (n, m) before and after, and of the controls."""
    delta = (attacked - z).numpy()
    noisy = z + torch.from_numpy(embedding.random_directions(delta, seed))
    other = z + torch.from_numpy(np.roll(delta, 1, axis=0)) if len(index) > 1 else None
    return AttackedSamples(
        objective=threat.objective,
        index=index,
        clean=judge.outputs_at(z, index),
        attacked=judge.outputs_at(attacked, index),
        noisy=judge.outputs_at(noisy, index),
        other=None if other is None else judge.outputs_at(other, index),
        value=value,
        space="embedding",
    )


def doubts(judge: Judge, samples: AttackedSamples) -> list[str]:
    """Does success mean something? No more of it than by chance, a cluster that is all but empty, a head that
    does not follow its prior means.
    """
    return [*_by_chance(samples), *_collapsed(judge), *_unsettled(judge)]


def _by_chance(samples: AttackedSamples) -> list[str]:
    found, chance = samples.success(samples.attacked), samples.success(samples.noisy)
    if len(found) == 0 or found.mean() > chance.mean():
        return []
    return [
        f"The attack succeeds on {found.mean():.1%} of the samples, no more than random directions of the"
        f" same length do ({chance.mean():.1%})."
    ]


def _collapsed(judge: Judge) -> list[str]:
    counts = np.bincount(judge.clean_clusters, minlength=judge.clusters)
    if counts.min() >= SMALLEST_SHARE * counts.sum():
        return []
    return [
        f"The smallest cluster holds {counts.min()} of {counts.sum()} samples: the clustering has all but"
        " collapsed, and flips mean little."
    ]


@torch.no_grad()
def _unsettled(judge: Judge) -> list[str]:
    if not isinstance(judge.model, FollowsPriors):
        return []
    model = require(judge.model, Encodes, "An attack on the embedding")
    z = torch.cat([model.encode(views.to(judge.device)) for views in judge.data.views.chunks()])
    gap = float(judge.model.head_gap(z).mean())
    if gap <= LARGEST_GAP:
        return []
    return [
        f"The clustering head lies {gap:.2f} nats from the assignment that its prior means imply:"
        " training may not have settled."
    ]
