"""The question which number of clusters suits an encoder."""

import numpy as np
import torch

from engine.asking.answers import SilhouetteAnswer
from engine.asking.questions import SilhouetteQuestion
from engine.asking.victims import numbers, victim_of
from engine.errors import AbilityError, SettingsError
from engine.metrics.clustering import purity
from engine.nets.silhouette import silhouette as silhouette_of
from engine.nets.spherical_k_means import spherical_k_means


def silhouette(question: SilhouetteQuestion) -> SilhouetteAnswer:
    """Mean silhouette and purity of spherical k-means on all samples, for each K. Raises AbilityError for a
    model that does not encode, SettingsError where no K is possible.
    """
    victim = victim_of(question.model)
    if victim.z is None:
        raise AbilityError(f"A silhouette needs a model that encodes; {victim.run.name} does not.")
    clusters = tuple(k for k in question.clusters if k < len(victim.z))
    if not clusters:
        raise SettingsError(f"A silhouette needs a K below {len(victim.z)} samples; got {question.clusters}.")
    rng = torch.Generator().manual_seed(question.seed)
    labels = [spherical_k_means(victim.z, k, rng)[1] for k in clusters]
    found = np.array([float(silhouette_of(victim.z, each).mean()) for each in labels], dtype=np.float32)
    known = victim.data.labels
    pure = None if known is None else [purity(known, numbers(each)) for each in labels]
    return SilhouetteAnswer(
        clusters=clusters,
        silhouette=found,
        purity=None if pure is None else np.array(pure, dtype=np.float32),
        chosen=clusters[int(found.argmax())],
    )
