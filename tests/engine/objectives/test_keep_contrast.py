"""`keep_contrast`: the published criterion is constant, the repaired one is not; views are the same for
all.
"""

import math

import pytest
import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.minmax import MinMax
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.errors import AbilityError, DataError
from engine.models.simclr import SimCLR
from engine.nets.contrastive import ContrastiveNetwork, nt_xent
from engine.objectives.keep_contrast import KeepContrast
from engine.objectives.protocols import Objective
from engine.objectives.weighted_sum import WeightedSum
from engine.running.judging import Judge
from engine.running.launching import launch
from engine.running.threat import Threat
from tests.engine.tiny import Tiny, blobs, done, images


def pictures(n: int, seed: int = 0) -> Views:
    return Views([torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed))])


@pytest.fixture(scope="module")
def model() -> ContrastiveNetwork:
    settings = SimCLR(encoder="layers", projection=(16, 8), crop=0.4)
    found = settings.network(((1, 8, 8),), 1).eval().requires_grad_(False)
    assert isinstance(found, ContrastiveNetwork)
    found.remember(pictures(12, seed=5))
    return found


def bound(model: ContrastiveNetwork, clean: Views) -> Objective:
    return KeepContrast(pairs=3).bind(model, clean)


def test_the_published_criterion_is_constant(model: ContrastiveNetwork) -> None:
    """100 views that are one picture: 2 log 99, without a gradient, whatever the picture."""
    for seed in range(3):
        x = pictures(1, seed)[0].requires_grad_(True)
        z = model.project(Views([x.expand(50, -1, -1, -1)]))
        loss = nt_xent(z, z, 0.5).mean()
        assert float(loss.detach()) == pytest.approx(2 * math.log(99), abs=1e-4)
        (slope,) = torch.autograd.grad(loss, x)
        assert float(slope.abs().max()) < 1e-5


def test_the_repaired_one_is_not(model: ContrastiveNetwork) -> None:
    clean = pictures(6)
    objective = bound(model, clean)
    assert objective(clean.flat()).abs().max() < 1e-5
    x = clean.flat().requires_grad_(True)
    (slope,) = torch.autograd.grad(objective(x).sum(), x)
    assert float(slope.abs().max()) > 1e-3
    found = answer(
        PGD().perturb(clean.flat(), objective, Budget("linf", 0.2), torch.Generator().manual_seed(0))
    )
    assert bool((found.value > 0.05).all())


def test_it_is_its_formula(model: ContrastiveNetwork) -> None:
    """Without random views, of one sample: every term by hand."""
    still = SimCLR(encoder="layers", projection=(16, 8), crop=1.0, flip=0.0, strength=0.0)
    plain = still.network(((1, 8, 8),), 1).eval().requires_grad_(False)
    assert isinstance(plain, ContrastiveNetwork)
    others = pictures(4, seed=5)
    plain.remember(others)
    clean, moved = pictures(1), pictures(1, seed=3)

    def loss(x: Views) -> Tensor:
        z, a = (torch.nn.functional.normalize(plain.project(rows), dim=1) for rows in (x, others))
        to_others = (z @ a.T / 0.5).exp().sum() * 2  # two views of each
        return 2 * (torch.log(math.exp(1 / 0.5) + to_others) - 1 / 0.5)

    found = bound(plain, clean)(moved.flat())
    assert float(found) == pytest.approx(float(loss(clean) - loss(moved)), abs=2e-3)


def test_a_sample_is_seen_the_same_beside_others_and_alone(model: ContrastiveNetwork) -> None:
    clean, moved = pictures(5), pictures(5, seed=2).flat()
    together = bound(model, clean)(moved)
    for row in (0, 3):
        alone = bound(model, clean.rows(torch.tensor([row])))(moved[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-4)


def test_minmax_keeps_the_contrast(model: ContrastiveNetwork) -> None:
    clean = pictures(4)
    objective = bound(model, clean)
    attack = MinMax(
        steps=6, inner_steps=1, compressed=8, size=6, step="sign", start_width=0.05, positive=False
    )
    found = answer(attack.perturb(clean.flat(), objective, Budget("linf", 0.5), torch.Generator()))
    moved = (found.x - clean.flat()).norm(dim=1) > 0
    assert bool(moved.any()) and bool((objective(found.x)[moved] >= -1e-5).all())


def test_success_is_judged_by_the_loss_of_the_same_views(model: ContrastiveNetwork) -> None:
    """A launch counts those whose loss is not above the clean one's, of attacked samples and of noise."""
    data = blobs(30, shape=(1, 8, 8))
    wanted, judge = KeepContrast(pairs=3), Judge(model, data, "cpu")
    threat = Threat(PGD(steps=3), wanted, "linf", 0.2, n=8, half="test")
    samples, _ = done(launch(threat, judge, 0))
    clean = judge.clean(samples.index)
    gained = wanted.bind(model, clean)(samples.attacked.x)
    assert samples.value is not None and samples.reached is not None
    torch.testing.assert_close(samples.value, gained, rtol=0, atol=1e-4)
    assert torch.equal(samples.reached, gained >= -1e-5) and len(samples.success(samples.noisy)) == 8
    still = samples.objective.reached(samples.clean, samples.clean)
    assert still is not None and not bool(still.any()), "who did not move is no success"
    summed = WeightedSum(parts=((1.0, {"name": "keep_contrast", "pairs": 3}),))
    found = summed.bind(model, clean).reached
    assert found is not None and torch.equal(found(samples.attacked.x), samples.reached)


def test_what_it_needs_is_said(model: ContrastiveNetwork) -> None:
    with pytest.raises(AbilityError, match="needs a model that contrasts"):
        KeepContrast().bind(Tiny(), images(2))
    forgetful = SimCLR(encoder="layers", projection=(16, 8)).network(((1, 8, 8),), 1)
    with pytest.raises(DataError, match="other samples"):
        KeepContrast().bind(forgetful, pictures(2))
