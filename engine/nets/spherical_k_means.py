"""Spherical k-means: clusters of directions, with seeds from a Markov chain.

    max Σ_i ⟨z_i, C_{a(i)}⟩,   ‖z_i‖ = ‖C_k‖ = 1

In turns: a(i) is the centroid of largest cosine; C_k the sum of its points at unit length. Sources: Dhillon
and Modha, "Concept decompositions for large sparse text data using clustering", Machine Learning 2001 (the
turns); Bachem, Lucic, Hassani and Krause, "Fast and provably good seedings for k-means", NeurIPS 2016 (the
seeds, AFK-MC²).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from engine.errors import DataError
from engine.nets.layers import finite

CHAIN = 200
"""Proposals for each seed, as in the authors' reference."""
SAME = 1e-6
"""Points whose cosine is nearer to 1 count as one."""


def spherical_k_means(
    z: Float[Tensor, "n m"],
    clusters: int,
    rng: torch.Generator,
    iterations: int = 30,
    tolerance: float = 0.01,
) -> tuple[Float[Tensor, "k m"], Int[Tensor, " n"]]:
    """Unit centroids (k, m) and labels (n,) of the points z (n, m), of which only the directions count, on
    z's device; seeded from `rng`.

    It ends when no more than the share `tolerance` of the points changes its cluster. No cluster is left
    empty while there are as many directions as clusters; a point without a direction (zero) shapes none.
    Raises DataError for fewer than 2 clusters or more than points, Diverged where a point is not finite.
    """
    unit = F.normalize(finite(z.detach()).float(), dim=1)
    points = unit[unit.norm(dim=1) > 0.5]
    if not 2 <= clusters <= len(points):
        raise DataError(
            f"Spherical k-means needs at least 2 clusters and no more than there are samples, here"
            f" {len(points)}; got {clusters}. Ask for another number of clusters."
        )
    centroids = points[seeds(points, clusters, rng)]
    labels = torch.full((len(points),), -1, device=z.device)
    for _ in range(iterations):
        centroids = repaired(points, centroids)
        before, labels = labels, nearest(points, centroids)[1]
        centroids = centred(points, labels, centroids)
        if int((labels != before).sum()) <= tolerance * len(points):
            break
    centroids = repaired(points, centroids)
    return centroids, nearest(unit, centroids)[1]


def nearest(
    points: Float[Tensor, "n m"], centroids: Float[Tensor, "k m"]
) -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    """The cosine of every unit point and the centroid nearest to it, and which that is."""
    best = (points @ centroids.T).max(dim=1)
    return best.values, best.indices


def centred(
    points: Float[Tensor, "n m"], labels: Int[Tensor, " n"], centroids: Float[Tensor, "k m"]
) -> Float[Tensor, "k m"]:
    """The unit centroids of these clusters. One without points, or whose points add up to nothing, becomes
    zero, so that `repaired` places it anew.
    """
    sums = F.one_hot(labels, len(centroids)).to(points).T @ points  # the same sum on every device
    length = sums.norm(dim=1, keepdim=True)
    return torch.where(length > SAME, sums / length.clamp_min(SAME), torch.zeros_like(sums))


def repaired(points: Float[Tensor, "n m"], centroids: Float[Tensor, "k m"]) -> Float[Tensor, "k m"]:
    """The centroids, each of those that no point is nearest to put onto the point that fits worst at that
    moment.

    Fewer different points than centroids leave some empty, at unit length.
    """
    centroids = centroids.clone()
    while True:
        lost = centroids.norm(dim=1) < 0.5
        fit, labels = (points @ centroids.T).masked_fill(lost, -torch.inf).max(dim=1)
        empty = (torch.bincount(labels, minlength=len(centroids)) == 0).nonzero().flatten()
        if len(empty) == 0 or (float(fit.min()) > 1 - SAME and not bool(lost.any())):
            return centroids
        for place in empty.tolist():
            worst = points[fit.argmin()]
            centroids[place] = worst
            fit = torch.maximum(fit, points @ worst)


def seeds(points: Float[Tensor, "n m"], clusters: int, rng: torch.Generator) -> Int[Tensor, " k"]:
    """Rows of the first centroids, by AFK-MC²: (k,). A chain that starts at a point drawn by

        q(i) = ½ d²(z_i, c₁) / Σ d² + 1/(2n),    d² = 2 (1 − cos)

    walks to a proposal y from x with probability min(1, d²(y, C) q(x) / (d²(x, C) q(y))).
    """
    n = len(points)
    chosen = [int(torch.randint(n, (), generator=rng))]
    distance = _distance(points, points[chosen]).double().cpu()
    q = 0.5 * distance / distance.sum().clamp_min(SAME) + 0.5 / n
    for _ in range(clusters - 1):
        proposals = torch.multinomial(q, CHAIN, replacement=True, generator=rng)
        steps = torch.rand(CHAIN, generator=rng, dtype=torch.float64).tolist()
        away = _distance(points[proposals.to(points.device)], points[chosen]).double().cpu()
        ratio = (away / q[proposals]).tolist()  # d²(y) / q(y)
        place = 0
        for other in range(1, CHAIN):
            if ratio[place] == 0 or steps[other] * ratio[place] < ratio[other]:
                place = other
        coincides = ratio[place] == 0
        chosen.append(int(torch.randint(n, (), generator=rng)) if coincides else int(proposals[place]))
    return torch.tensor(chosen, device=points.device)


def _distance(points: Tensor, centres: Tensor) -> Tensor:
    """d² of unit points (n, m) to the nearest of the centres (k, m), exactly 0 where they coincide: (n,)."""
    distance = 2 * (1 - (points @ centres.T).amax(dim=1)).clamp_min(0)
    return torch.where(distance < SAME, 0.0, distance)
