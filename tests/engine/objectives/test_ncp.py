"""Towards centroids: bounds and signs of eq. (4), the neighbour by hand, strategies that add up, and what is
reached; away from a teacher.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer, value_and_gradient
from engine.data.views import Views
from engine.errors import AbilityError, SettingsError
from engine.models.outputs import outputs
from engine.models.protocols import abilities
from engine.objectives.chase_neighbour import ChaseNeighbour
from engine.objectives.leave_own_cluster import LeaveOwnCluster
from engine.objectives.leave_teacher import LeaveTeacher
from engine.objectives.ncp import NCP, AmongCentroids, neighbours, score
from tests.engine.tiny import Tiny, TinyEncoder, images

CLUSTERS = 6


class Sphere(nn.Module):
    """Encodes, compares with centroids of random directions, clusters by them, and imitates another one."""

    def __init__(self, clusters: int = CLUSTERS) -> None:
        super().__init__()
        self.net, self.other = Tiny(0, clusters), Tiny(1)

    def encode(self, x: Views) -> Tensor:
        return self.net.encode(x)

    def centroids(self) -> Tensor:
        return self.net.centres / self.net.centres.norm(dim=1, keepdim=True)

    def log_assign(self, x: Views) -> Tensor:
        z = self.encode(x)
        return (z / z.norm(dim=1, keepdim=True) @ self.centroids().T / 0.1).log_softmax(dim=1)

    def teacher(self, x: Views) -> Tensor:
        return self.other.encode(x)


def cosines(model: Sphere, flat: Tensor) -> np.ndarray:
    """Of each row's embedding with every centroid, in float64: (n, k)."""
    z = model.encode(Views([flat])).double().numpy()
    return z / np.linalg.norm(z, axis=1, keepdims=True) @ model.centroids().double().numpy().T


def test_strategies_are_the_cosines_with_own_and_neighbour() -> None:
    model, clean, moved = Sphere(), images(50), images(50, seed=2).flat()
    order = np.argsort(-cosines(model, clean.flat()), axis=1)
    found = cosines(model, moved)
    row = np.arange(50)
    own = found[row, order[:, 0]]
    for n in (2, 3, CLUSTERS):
        neighbour = found[row, order[:, n - 1]]
        for settings, expected in (
            (LeaveOwnCluster(), -own),
            (ChaseNeighbour(neighbour=n), neighbour),
            (NCP(neighbour=n), neighbour - own),
        ):
            value = settings.bind(model, clean)(moved).numpy()
            np.testing.assert_allclose(value, expected, atol=1e-5, err_msg=settings.name)


def test_the_objective_is_bounded_by_the_distance_of_its_centroids_and_not_above_zero_at_rest() -> None:
    model, clean, moved = Sphere(), images(200), images(200, seed=2).flat()
    every = model.centroids()
    for n in (2, 4):
        objective = NCP(neighbour=n).bind(model, clean)
        own, neighbour = neighbours(model.encode(clean), every, n)
        bound = (every[own] - every[neighbour]).norm(dim=1)
        assert (objective(moved).abs() <= bound + 1e-6).all() and (bound <= 2).all()
        assert (objective(clean.flat()) <= 1e-6).all()


def test_neighbours_are_distinct_and_the_first_is_the_nearest() -> None:
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    every = nn.functional.normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(neighbours(z, every, 1)[1], (z @ every.T).argmax(dim=1))
    ranks = torch.stack([neighbours(z, every, n)[1] for n in range(1, 6)], dim=1)
    assert all(len(set(row)) == 5 for row in ranks.tolist())
    assert torch.equal(neighbours(100 * z, every, 3)[1], ranks[:, 2]), "directions alone count"
    with pytest.raises(SettingsError, match="one of the 7 clusters of this model; got neighbour 8"):
        neighbours(z, every, 8)


def test_gradients_of_the_strategies_add_up() -> None:
    model, clean, moved = Sphere(), images(8), images(8, seed=2).flat()
    away, toward, both = (
        value_and_gradient(settings.bind(model, clean), moved)[1]
        for settings in (LeaveOwnCluster(), ChaseNeighbour(neighbour=3), NCP(neighbour=3))
    )
    assert both.abs().amax() > 0.01
    torch.testing.assert_close(both, away + toward)


def test_scores_know_no_scale_and_opposite_directions_are_as_far_as_can_be() -> None:
    u = nn.functional.normalize(torch.randn(4, 9, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(score(7 * u, u, -u, "away"), torch.full((4,), -1.0))
    torch.testing.assert_close(score(-u / 3, u, -u, "both"), torch.full((4,), 2.0))
    torch.testing.assert_close(score(u, -u, u, "toward"), torch.full((4,), 1.0))


@pytest.mark.parametrize("settings", [LeaveOwnCluster(), NCP(), ChaseNeighbour(neighbour=3)])
def test_what_is_reached_is_what_the_nearest_centroid_says(settings: AmongCentroids) -> None:
    model, clean = Sphere(), images(300)
    moved = answer(
        PGD(steps=10).perturb(
            clean.flat(),
            settings.bind(model, clean),
            Budget("linf", 0.3),
            torch.Generator().manual_seed(0),
        )
    ).x
    order = np.argsort(-cosines(model, clean.flat()), axis=1)
    after = cosines(model, moved).argmax(axis=1)
    reached = settings.reached(outputs(model, clean), outputs(model, clean.like(moved)))
    assert reached is not None and 0.05 < reached.float().mean() < 1
    chases = isinstance(settings, ChaseNeighbour)
    assert reached.tolist() == (after == order[:, 2] if chases else after != order[:, 0]).tolist()
    assert settings.reached_above is None, "a third centroid may be nearest at a value below 0"


@pytest.mark.parametrize("settings", [LeaveOwnCluster(), NCP(), NCP(neighbour=5), ChaseNeighbour()])
def test_steps_of_pgd_end_above_where_they_began(settings: AmongCentroids) -> None:
    model, clean = Sphere(), images(300)
    path = list(
        PGD(steps=5).perturb(
            clean.flat(),
            settings.bind(model, clean),
            Budget("linf", 0.1),
            torch.Generator().manual_seed(0),
        )
    )
    assert ((path[-1].value >= path[0].value).float().mean()) >= 0.95


def test_pgd_towards_the_neighbour_is_an_own_pgd_on_the_cosines() -> None:
    """Written without the house: gradients of cosines, signs, clipping; the best point of each path."""
    model, clean, epsilon, step = Sphere(), images(60), 0.1, 0.025
    x, order = clean.flat(), np.argsort(-cosines(model, clean.flat()), axis=1)
    own, neighbour = (model.centroids()[order[:, rank].tolist()] for rank in (0, 1))

    def value(moved: Tensor) -> Tensor:
        z = model.encode(Views([moved]))
        return nn.functional.cosine_similarity(z, neighbour) - nn.functional.cosine_similarity(z, own)

    point, best = x.clone(), value(x)
    for _ in range(5):
        point.requires_grad_(True)
        (gradient,) = torch.autograd.grad(value(point).sum(), point)
        point = point.detach() + step * gradient.sign()
        point = torch.minimum(torch.maximum(point, x - epsilon), x + epsilon).clamp(0, 1)
        best = torch.maximum(best, value(point))
    found = answer(
        PGD(steps=5, step_size=step, random_start=False).perturb(
            x, NCP().bind(model, clean), Budget("linf", epsilon), torch.Generator()
        )
    )
    torch.testing.assert_close(found.value, best, atol=1e-4, rtol=0)
    assert (found.x - x).abs().amax() <= epsilon + 1e-6 and found.x.min() >= 0 and found.x.max() <= 1


def test_a_neighbour_that_is_not_there_and_a_model_without_centroids_are_said() -> None:
    with pytest.raises(SettingsError, match="one of the 3 clusters of this model; got neighbour 4"):
        NCP(neighbour=4).bind(Sphere(clusters=3), images(2))
    with pytest.raises(SettingsError, match="greater than or equal to 2; got 1"):
        ChaseNeighbour(neighbour=1)
    for name in ("ncp", "chase_neighbour", "leave_own_cluster"):
        with pytest.raises(AbilityError, match=f"{name} needs a model that compares"):
            registry.find("objective", name)().bind(TinyEncoder(), images(2))
    with pytest.raises(AbilityError, match="leave_teacher needs a model that imitates"):
        LeaveTeacher().bind(TinyEncoder(), images(2))
    assert {"compares", "imitates"} <= set(abilities(Sphere()))


def test_leaving_the_teacher_is_the_negative_cosine_with_what_it_made_of_the_clean_sample() -> None:
    model, clean, moved = Sphere(), images(20), images(20, seed=2).flat()
    value = LeaveTeacher().bind(model, clean)(moved)
    expected = -nn.functional.cosine_similarity(model.encode(clean.like(moved)), model.teacher(clean))
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=0)


def test_a_student_that_is_its_teacher_is_left_from_a_random_start_only() -> None:
    model, clean = Sphere(), images(5)
    model.other = model.net
    objective = LeaveTeacher().bind(model, clean)
    value, gradient = value_and_gradient(objective, clean.flat())
    assert bool((gradient == 0).all()) and torch.equal(value, torch.full((5,), -1.0))
    budget, rng = Budget("linf", 0.1), torch.Generator().manual_seed(0)
    assert bool((answer(PGD().perturb(clean.flat(), objective, budget, rng)).value > -0.999).all())
