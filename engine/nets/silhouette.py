"""The silhouette of clusters of directions, in closed form.

    s_i = (b_i − a_i) / max(a_i, b_i)

a is the mean cosine distance to the other points of the own cluster, b the smallest mean distance to another
cluster. With S_k the sum of the n_k unit vectors of cluster k, that mean distance is 1 − ⟨z_i, S_k⟩/n_k, so
no pair of points is ever looked at: O(n k m) in place of O(n² m). Source: Rousseeuw, "Silhouettes: a
graphical aid to the interpretation and validation of cluster analysis", 1987 (s).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from engine.errors import DataError

TINY = 1e-12
CLOSE = 0.1
"""A mean distance below which float32 would no longer tell the mean silhouette to 1e-6."""


def silhouette(z: Float[Tensor, "n m"], labels: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """s of every point z, in [−1, 1], 0 for one alone in its cluster, as float64. Raises DataError for a
    single cluster.

    A point without a direction (zero) is at distance 1 of every other. Distances are computed in float32,
    and where any point is close to all its own and to another cluster, in float64.
    """
    count = torch.bincount(labels)
    if int((count > 0).sum()) < 2:
        raise DataError(
            "The silhouette compares clusters, so it needs at least 2; all samples are in one. Ask for more"
            " clusters."
        )
    alone = count[labels] == 1
    a, b = _distances(z.float(), labels, count)
    if bool((torch.maximum(a, b) < CLOSE).logical_and(~alone).any()):
        a, b = _distances(z.double(), labels, count)
    largest = torch.maximum(a, b)
    return torch.where(alone | (largest <= TINY), 0.0, (b - a) / largest.clamp_min(TINY))


def _distances(z: Tensor, labels: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """a and b of every point, (n,) each, as float64, computed in the precision of z (n, m)."""
    length = torch.linalg.vector_norm(z, dim=1)
    inverse = torch.where(length > 0, 1 / length, 0.0)
    order = labels.argsort()  # rows are summed where they lie: a copy of z would cost most of the time
    sums = F.embedding_bag(
        order, z, count.cumsum(0) - count, mode="sum", per_sample_weights=inverse[order]
    )  # (k, m)
    own, size, itself = labels[:, None], count[labels], (length > 0).to(z)
    dots = z @ (sums / count.clamp_min(1)[:, None]).T  # (n, k), of z as long as it is: scaled once reduced
    alike = (dots.gather(1, own)[:, 0] * inverse * size - itself).double() / (size - 1).clamp_min(1)
    dots.scatter_(1, own, -torch.inf)
    if int(count.min()) == 0:
        dots.masked_fill_(count == 0, -torch.inf)
    a, b = 1 - alike, 1 - (dots.amax(dim=1) * inverse).double()
    return a.clamp_min(0), b.clamp_min(0)
