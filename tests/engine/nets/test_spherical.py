"""Clusters of directions, their silhouette, and doubled normalisations, against scikit-learn and plain
sums.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import adjusted_rand_score, silhouette_score
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import DataError, Diverged
from engine.models.simclr import SimCLR
from engine.nets.dual_norm import DualNorm, doubled, reading
from engine.nets.silhouette import silhouette
from engine.nets.spherical_k_means import centred, nearest, repaired, seeds, spherical_k_means


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def around_directions(n: int, clusters: int, m: int, noise: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points around random directions, of any length, and whose they are."""
    draw = rng(seed)
    directions = torch.linalg.qr(torch.randn(m, m, generator=draw)).Q[:clusters]
    own = torch.arange(n) % clusters
    points = directions[own] + noise * torch.randn(n, m, generator=draw)
    return points * torch.empty(n, 1).uniform_(0.1, 10, generator=draw), own


def test_7_centroids_have_unit_length_and_each_has_points() -> None:
    z = torch.randn(300, 5, generator=rng())
    centroids, labels = spherical_k_means(z, 40, rng(1))
    assert torch.allclose(centroids.norm(dim=1), torch.ones(40), atol=1e-5)
    assert bool((torch.bincount(labels, minlength=40) > 0).all())
    assert torch.equal(labels, (F.normalize(z, dim=1) @ centroids.T).argmax(1))
    again = spherical_k_means(z, 40, rng(1))
    assert torch.equal(centroids, again[0]) and torch.equal(labels, again[1])


def test_7_the_objective_never_falls_and_only_directions_count() -> None:
    z, _ = around_directions(400, 6, 8, 0.4)
    points = F.normalize(z, dim=1)
    centroids, values = points[seeds(points, 6, rng())], []
    for _ in range(12):
        centroids = repaired(points, centroids)
        fit, labels = nearest(points, centroids)
        values.append(float(fit.double().sum()))
        centroids = centred(points, labels, centroids)
    assert all(after >= before - 1e-4 for before, after in zip(values, values[1:], strict=False))
    assert values[-1] > values[0]
    scaled = z * torch.empty(400, 1).uniform_(0.5, 4, generator=rng(3))
    one, other = (spherical_k_means(points, 6, rng(2)) for points in (z, scaled))
    assert torch.equal(one[1], other[1]) and torch.allclose(one[0], other[0], atol=1e-5)


def test_7_rows_in_another_order_have_their_labels_in_that_order() -> None:
    z, _ = around_directions(200, 5, 8, 0.3)
    points, order = F.normalize(z, dim=1), torch.randperm(200, generator=rng(4))
    begin = points[seeds(points, 5, rng())]
    labels, mixed = nearest(points, begin)[1], nearest(points[order], begin)[1]
    assert torch.equal(labels[order], mixed)
    assert torch.allclose(centred(points, labels, begin), centred(points[order], mixed, begin), atol=1e-5)


def test_7_empty_clusters_go_to_different_points_that_fit_worst() -> None:
    points = F.normalize(torch.tensor([[1.0, 0, 0]] * 5 + [[0, 1.0, 0]] * 2 + [[0, 0, 1.0]]), dim=1)
    centroids = repaired(points, points[:1].expand(3, 3))
    assert torch.equal(nearest(points, centroids)[1].unique(), torch.arange(3))
    doubles = points[:1].expand(6, 3)
    found, labels = spherical_k_means(doubles, 3, rng())  # fewer directions than clusters
    assert torch.allclose(found.norm(dim=1), torch.ones(3)) and int(labels.max()) == 0
    opposite = torch.tensor([[1.0, 0], [-1.0, 0], [0, 1.0]])
    none = centred(opposite, torch.tensor([0, 0, 1]), opposite[:2])
    assert torch.equal(none[0], torch.zeros(2))  # they add up to nothing
    assert torch.allclose(repaired(opposite, none).norm(dim=1), torch.ones(2))


def test_points_without_a_direction_shape_no_cluster() -> None:
    z = torch.cat([torch.zeros(5, 4), torch.randn(60, 4, generator=rng())])
    centroids, labels = spherical_k_means(z, 8, rng())
    assert torch.allclose(centroids.norm(dim=1), torch.ones(8), atol=1e-5) and len(labels) == 65


@pytest.mark.parametrize("clusters", [0, 1, 21])
def test_impossible_numbers_of_clusters_are_refused(clusters: int) -> None:
    with pytest.raises(DataError, match=f"no more than there are samples, here 20; got {clusters}"):
        spherical_k_means(torch.randn(20, 3, generator=rng()), clusters, rng())
    with pytest.raises(Diverged, match="must be finite"):
        spherical_k_means(torch.full((20, 3), torch.nan), 2, rng())


def test_8_separated_directions_are_found() -> None:
    found = []
    for seed in range(10):
        z, own = around_directions(600, 6, 16, 0.05, seed)
        found.append(adjusted_rand_score(own.numpy(), spherical_k_means(z, 6, rng(seed))[1].numpy()))
    assert float(np.median(found)) > 0.98


def test_8_seeds_are_as_good_as_those_of_k_means_plus_plus() -> None:
    z, _ = around_directions(800, 12, 16, 0.2)
    points = F.normalize(z, dim=1)

    def potential(centres: Tensor) -> float:
        return float((2 - 2 * nearest(points, centres)[0]).sum())

    ours = np.mean([potential(points[seeds(points, 12, rng(seed))]) for seed in range(20)])
    theirs = np.mean(
        [
            potential(points[kmeans_plusplus(points.numpy(), 12, random_state=seed)[1].tolist()])
            for seed in range(20)
        ]
    )
    assert ours < 2 * theirs


@pytest.mark.parametrize("clusters", [2, 7, 60])
def test_9_the_silhouette_is_that_of_scikit_learn(clusters: int) -> None:
    draw = rng(clusters)
    z = torch.randn(500, 9, generator=draw, dtype=torch.float64)
    labels = torch.cat(
        [torch.arange(clusters), torch.randint(clusters - 1, (500 - clusters,), generator=draw)]
    )
    found = silhouette(z, labels)  # the last cluster has one point
    expected = silhouette_score(z.numpy(), labels.numpy(), metric="cosine")
    assert float(found.mean()) == pytest.approx(expected, abs=1e-6)
    assert float(found[clusters - 1]) == 0 and -1 <= float(found.min()) <= float(found.max()) <= 1
    assert float(silhouette(z.float(), labels).mean()) == pytest.approx(expected, abs=1e-5)
    assert float(silhouette(7 * z, 2 * labels).mean()) == pytest.approx(
        expected, abs=1e-6
    )  # numbers left out


@pytest.mark.parametrize("spread", [1, 0.1, 0.001])
def test_9_it_is_also_where_all_point_nearly_the_same_way(spread: float) -> None:
    draw = rng(3)
    labels = torch.randint(8, (2000,), generator=draw)
    towards = 0.5 * torch.randn(8, 64, generator=draw, dtype=torch.float64)[labels]
    apart = towards + torch.randn(2000, 64, generator=draw, dtype=torch.float64)
    z = torch.randn(1, 64, generator=draw, dtype=torch.float64) + spread * apart
    expected = silhouette_score(z.numpy(), labels.numpy(), metric="cosine")
    assert float(silhouette(z, labels).mean()) == pytest.approx(expected, abs=1e-6)
    rounded = z.float()
    expected = silhouette_score(rounded.double().numpy(), labels.numpy(), metric="cosine")
    assert float(silhouette(rounded, labels).mean()) == pytest.approx(expected, abs=1e-6)


def test_9_a_single_cluster_has_no_silhouette() -> None:
    with pytest.raises(DataError, match="at least 2; all samples are in one"):
        silhouette(torch.randn(5, 3, generator=rng()), torch.zeros(5, dtype=torch.long))


def test_10_each_branch_keeps_its_own_statistics() -> None:
    encoder = SimCLR(encoder="three_convolutions").network(((1, 8, 8),), 3).encoder
    with torch.no_grad():
        encoder.train()(torch.rand(32, 1, 8, 8, generator=rng()))
    twice, x = doubled(encoder), torch.rand(16, 1, 8, 8, generator=rng(1))
    norms = [layer for layer in twice.modules() if isinstance(layer, DualNorm)]
    assert len(norms) == 3

    def statistics(branch: str) -> list[Tensor]:
        return [value.clone() for norm in norms for value in getattr(norm, branch).state_dict().values()]

    def unchanged(before: list[Tensor], branch: str) -> bool:
        return all(torch.equal(one, other) for one, other in zip(before, statistics(branch), strict=True))

    encoder.eval(), twice.eval()
    with reading(twice, "clean"):
        clean = twice(x)
    assert torch.equal(clean, twice(x)) and torch.equal(clean, encoder(x))
    for branch, other in (("clean", "adversarial"), ("adversarial", "clean")):
        kept, moved = statistics(other), statistics(branch)
        with reading(twice.train(), branch):
            twice(x)
        assert unchanged(kept, other) and not unchanged(moved, branch)
        assert all(norm.branch == "adversarial" for norm in norms)  # as before
    still = statistics("adversarial")
    pushed = x.clone().requires_grad_(True)
    torch.autograd.grad(twice.eval()(pushed).sum(), pushed)
    assert unchanged(still, "adversarial")
    shared = [name for name, _ in twice.named_parameters() if "clean" not in name and "adv" not in name]
    assert len(shared) == 3


def test_10_layers_that_are_not_normalised_are_only_copied() -> None:
    plain = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    copy = doubled(plain)
    x = Views([torch.rand(4, 3, generator=rng())]).flat()
    with reading(copy, "clean"):
        assert torch.equal(copy(x), plain(x))
    assert copy[0].weight is not plain[0].weight
