"""`minmax` against an independent transcription of its five lines, and what must hold at every iterate."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.attacks import likeness
from engine.attacks.budget import Budget
from engine.attacks.gaussian_noise import GaussianNoise
from engine.attacks.minmax import AlongK, MinMax
from engine.attacks.minmax_penalty import MinMaxPenalty
from engine.attacks.own_draws import glorot_width
from engine.attacks.protocols import Iterate, answer
from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.plain_conv_ae import PlainConvAE
from engine.nets import mine
from engine.objectives.keep_reconstruction import KeepReconstruction
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.move_embedding import MoveEmbedding
from engine.objectives.protocols import Objective
from engine.running.judging import Judge
from engine.running.launching import launch
from engine.running.threat import Threat
from tests.engine.tiny import SIZE, Tiny, TinyAutoencoder, blobs, done, images

SMALL = {"compressed": 12, "size": 6, "steps": 8, "inner_steps": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Linear(nn.Module):
    """Reconstructs by one matrix, x̂ = M x, which is no projection: there are better inputs than x itself."""

    def __init__(self) -> None:
        super().__init__()
        low = torch.randn(SIZE, 4, generator=rng(4))
        self.matrix = nn.Parameter(0.7 * low @ torch.linalg.pinv(low), requires_grad=False)

    def reconstruct(self, x: Views) -> Tensor:
        return x.flat() @ self.matrix.T


def kept(model: nn.Module, clean: Views) -> Objective:
    return KeepReconstruction().bind(model, clean)


def path(attack: MinMax, clean: Views, epsilon: float = 0.4, model: nn.Module | None = None) -> list[Iterate]:
    objective = kept(model or Linear(), clean)
    return list(attack.perturb(clean.flat(), objective, Budget("linf", epsilon), rng()))


def as_specified(x: np.ndarray, delta: np.ndarray, m: np.ndarray, attack: MinMax, epsilon: float) -> list:
    """One sample, line by line, in float64, with −‖δ‖² for I: (δ, f, c) after every step."""
    clean, c, told = ((x - m @ x) ** 2).sum(), attack.first_price, []
    for t in range(1, attack.steps + 1):
        error = x - m @ (x + delta)
        f = (error**2).sum() - clean
        slope = -2 * m.T @ error if f > 0 else np.zeros_like(x)
        g = c * slope - attack.direction * (-2 * delta)
        delta = np.clip(delta - attack.step_size * g, -epsilon, epsilon)
        delta = np.clip(x + delta, 0, 1) - x
        f = ((x - m @ (x + delta)) ** 2).sum() - clean
        c = max(0.0, (1 - attack.dual_step / t**0.25) * c + attack.dual_step * max(0.0, f))
        told.append((delta, f, c))
    return told


@pytest.mark.parametrize("direction", [-1, 1])
def test_it_is_the_algorithm(direction: int) -> None:
    """With −‖δ‖² for I nothing is random but the start, and every line can be written down."""
    attack = MinMax(similarity="l2", direction=direction, steps=25, first_price=0.5, start_width=0.3)
    model, clean = Linear(), images(5)
    found = path(attack, clean, model=model)
    x, matrix = clean.flat().double().numpy(), model.matrix.double().numpy()
    for row in range(5):
        start = found[0].x[row].double().numpy() - x[row]
        expected = as_specified(x[row], start, matrix, attack, 0.4)
        for iterate, (delta, f, c) in zip(found[1:-1], expected, strict=True):
            assert iterate.x[row].numpy() - x[row] == pytest.approx(delta, abs=1e-5)
            assert float(-iterate.value[row]) == pytest.approx(f, abs=1e-4)
            assert float(iterate.traces["c"][row]) == pytest.approx(c, abs=1e-4)
        counts = [(-d @ d * direction, n) for n, (d, f, _) in enumerate(expected) if f <= 0 and d @ d >= 1e-6]
        best = found[1 + max(counts)[1]].x[row] if counts else clean.flat()[row]
        assert torch.equal(found[-1].x[row], best)
    assert any(not torch.equal(found[-1].x[row], clean.flat()[row]) for row in range(5))


@pytest.mark.parametrize("step", ["plain", "sign", "normalised"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_every_iterate_is_inside_and_the_price_never_negative(norm: str, step: str) -> None:
    clean, epsilon = images(6), 0.3
    attack, objective = MinMax(step=step, step_size=0.05, **SMALL), kept(Linear(), clean)
    for iterate in attack.perturb(clean.flat(), objective, Budget(norm, epsilon), rng()):
        delta = iterate.x - clean.flat()
        size = delta.abs().amax() if norm == "linf" else delta.norm(dim=1).max()
        assert float(size) <= epsilon + 1e-6 and float(iterate.x.min()) >= 0 and float(iterate.x.max()) <= 1
        assert float(iterate.traces["c"].min()) >= 0
        torch.testing.assert_close(iterate.value, objective(iterate.x))


def test_where_nothing_fails_the_price_decays_as_it_is_written() -> None:
    clean = images(3)
    never = replace(kept(Linear(), clean), measure=lambda flat: 1 + 0 * flat.sum(1))
    attack = MinMax(first_price=0.7, **SMALL)
    found = list(attack.perturb(clean.flat(), never, Budget("linf", 0.3), rng()))
    expected = 0.7
    for t, iterate in enumerate(found[1:-1], start=1):
        expected *= 1 - 0.1 / t**0.25
        torch.testing.assert_close(iterate.traces["c"], torch.full((3,), expected))


def test_without_a_price_the_step_is_the_gradient_of_the_likeness() -> None:
    """Against finite differences of the closed form in float64, in both directions."""
    clean = images(2)
    for direction in (-1, 1):
        attack = MinMax(similarity="closed_form", direction=direction, first_price=0, step_size=1e-4, steps=1)
        found = path(attack, clean, epsilon=1.0)
        x, point = clean.flat().double(), found[0].x.double()
        for row in range(2):
            for number in range(SIZE):
                ends = []
                for sign in (1, -1):
                    moved = point.clone()
                    moved[row, number] += sign * 1e-5
                    ends.append(mine.closed_form(x, moved, 128)[row])
                slope = float(ends[0] - ends[1]) / 2e-5
                step = float(found[1].x[row, number] - found[0].x[row, number])
                room = 1e-3 < float(point[row, number]) < 1 - 1e-3
                assert not room or step == pytest.approx(1e-4 * direction * slope, rel=0.02, abs=2e-6)


def test_the_answer_is_a_success_to_another_copy_of_the_model_and_the_best_of_its_path() -> None:
    clean, attack = (
        images(40),
        MinMax(step="sign", step_size=0.02, start_width=0.05, rate=0.05, **(SMALL | {"inner_steps": 10})),
    )
    found = path(attack, clean)
    x, best = clean.flat(), found[-1]
    moved = (best.x - x).norm(dim=1) > 0
    assert 5 < int(moved.sum()) < 40
    again, own = Linear(), Linear().reconstruct(clean)
    error = (again.reconstruct(clean.like(best.x)) - x).square().sum(1)
    loss = (own - x).square().sum(1)
    assert bool((error[moved] <= loss[moved] + 1e-6 * (1 + loss[moved])).all())
    similarity = torch.stack([iterate.traces["I"] for iterate in found[1:-1]])
    met = torch.stack([iterate.value for iterate in found[1:-1]]) >= 0
    least = torch.where(met & (similarity > 0), similarity, torch.inf).amin(0)
    torch.testing.assert_close(best.traces["I"][moved], least[moved])
    torch.testing.assert_close(best.traces["score"][moved], -least[moved])
    assert torch.equal(best.traces["score"] == -torch.inf, ~moved)


def test_it_goes_the_way_it_is_told() -> None:
    clean = images(30)
    likeness = [
        path(MinMax(direction=direction, step="sign", start_width=0.2887, **SMALL), clean)[-2]
        .traces["I"]
        .mean()
        for direction in (1, -1)
    ]
    assert likeness[0] > likeness[1]


def test_nothing_is_no_success() -> None:
    """With ε = 0, and with a start that plain steps do not leave: f ≤ 0 there, and nothing is answered."""
    clean = images(6)
    for attack, epsilon in ((MinMax(**SMALL), 0.0), (MinMax(start="zero", **SMALL), 0.3)):
        found = path(attack, clean, epsilon)[-1]
        assert torch.equal(found.x, clean.flat())
        assert bool((found.traces["score"] == -torch.inf).all())


def test_a_failure_answers_with_the_sample_or_with_what_came_nearest() -> None:
    clean, hopeless = images(6), {"margin": 5.0, "step": "sign", "start_width": 0.05, **SMALL}
    assert torch.equal(path(MinMax(**hopeless), clean)[-1].x, clean.flat())
    *before, found = path(MinMax(failed="nearest", **hopeless), clean)
    f = torch.stack([5.0 - kept(Linear(), clean)(clean.flat()), *(it.traces["f"] for it in before[1:])])
    points = torch.stack([clean.flat(), *(iterate.x for iterate in before[1:])])
    torch.testing.assert_close(found.x, points[f.argmin(0), torch.arange(6)])
    assert (f.argmin(0) > 0).any() and bool((found.traces["score"] == -torch.inf).all()), "still no success"


def test_a_sample_at_the_mark_counts_where_it_moved() -> None:
    """What the model does not see may change freely: f is exactly 0 there, and that is a success."""

    class Blind(nn.Module):
        def reconstruct(self, x: Views) -> Tensor:
            return 0.5 + 0 * x.flat()

    clean = images(4)
    found = path(MinMax(**SMALL, positive=False), clean, model=Blind())[-1]
    assert bool(((found.x - clean.flat()).norm(dim=1) > 0).all())
    judge = Judge(Blind(), blobs(30), "cpu")
    threat = Threat(MinMax(**SMALL, positive=False), KeepReconstruction(), "linf", 0.3)
    samples, _ = done(launch(threat, judge, 0))
    assert samples.success(samples.attacked).all() and samples.success(samples.clean).sum() == 0


@pytest.mark.parametrize("compress_by", ["pairs", "projections", "convolution"])
def test_a_batch_is_its_samples_one_by_one(compress_by: str) -> None:
    """Test 12 of the specification, I to 1e-4 too."""
    clean, model = images(6), Linear()
    if compress_by == "convolution":
        clean = Views([torch.rand(6, 1, 8, 8, generator=rng())])
        model = PlainConvAE(wide=4, narrow=2).network(clean.shapes, 1).eval()
    attack = MinMax(compress_by=compress_by, **(SMALL | {"steps": 20}))
    together = path(attack, clean, model=model)
    for row in range(0, 6, 2):
        alone = path(attack, clean.rows(torch.tensor([row])), model=model)
        for one, all_ in zip(alone, together, strict=True):
            torch.testing.assert_close(one.x[0], all_.x[row], rtol=0, atol=1e-4)
            score, of_all = one.traces["I"][0], all_.traces["I"][row]  # nan where the row is its own answer
            torch.testing.assert_close(score, of_all, rtol=0, atol=1e-4, equal_nan=True)


def test_a_sample_does_not_depend_on_its_chunk() -> None:
    judge, answers = Judge(TinyAutoencoder(), blobs(30), "cpu"), []
    for chunk in (20, 7):
        threat = Threat(MinMax(**SMALL), KeepReconstruction(), "linf", 0.3, n=20, chunk=chunk)
        samples, _ = done(launch(threat, judge, 0))
        answers.append(samples.attacked.x)
    for other in answers[1:]:
        torch.testing.assert_close(other, answers[0], rtol=0, atol=1e-4)


def test_as_many_samples_as_fit_are_attacked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that do not fit are attacked after the others, and found where they would be together."""
    judge, answers, batches = Judge(TinyAutoencoder(), blobs(30), "cpu"), [], []
    attack = MinMax(network="published", **SMALL)
    perturb = MinMax.perturb

    def counted(self: MinMax, x: Tensor, *others: Any) -> Iterator[Iterate]:
        batches.append(len(x))
        return perturb(self, x, *others)

    monkeypatch.setattr(MinMax, "perturb", counted)
    for memory in (8e9, 7.5 * 16 * mine.parameters(6, True, None)):
        monkeypatch.setattr(likeness, "MEMORY", memory)
        samples, _ = done(launch(Threat(attack, KeepReconstruction(), "linf", 0.3, n=20), judge, 0))
        answers.append(samples.attacked.x)
    assert batches == [20, 7, 7, 6]
    torch.testing.assert_close(answers[1], answers[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("network", ["collapsed", "published"])
def test_the_maps_of_a_convolution_leave_the_model_as_it_was(network: str) -> None:
    """Its weights are bit-identical, and carry no gradient."""
    clean = Views([torch.rand(3, 1, 8, 8, generator=rng())])
    model = PlainConvAE(wide=4, narrow=2).network(clean.shapes, 1).eval().requires_grad_(True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    attack = MinMax(compress_by="convolution", network=network, **SMALL)
    found = path(attack, clean, model=model)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert bool(found[-2].traces["I"].isfinite().all())
    assert not torch.equal(found[-2].x, found[0].x)


@pytest.mark.parametrize(
    ("shape", "width"), [((1, 28, 28), 0.086), ((3, 32, 32), 0.0732), ((1, 8, 8), 0.2887), ((64,), 0.2165)]
)
def test_the_start_is_as_wide_as_the_shape_says(shape: tuple[int, ...], width: float) -> None:
    """Keras' initialiser on a variable of the sample's shape; a row of d is √(3 / d). Never wider than on
    28 x 28.
    """
    assert float(glorot_width((shape,))[0]) == pytest.approx(width, abs=5e-4)
    clean = Views([torch.full((4, *shape), 0.5)])
    objective = replace(kept(Tiny(), images(1)), measure=lambda flat: flat.sum(1), shapes=clean.shapes)
    start = MinMax(**SMALL).begun(clean.flat(), objective, Budget("linf", 1.0), rng()) - 0.5
    assert 0.9 * min(width, 0.086) < float(start.abs().max()) <= min(width, 0.086) * 1.01


def test_draws_that_stay_tell_iterates_apart_better() -> None:
    """The likeness of the very same point: twice the same where draws stay, else two draws of it."""
    clean, spread = images(20), {}
    for draws in (1, 8):
        attack = MinMax(draws=draws, step_size=1e-9, rate=1e-9, **SMALL)
        told = torch.stack([iterate.traces["I"] for iterate in path(attack, clean)[:-1]])
        spread[draws] = float(told.std(0).mean())
    assert spread[8] < 1e-3 < spread[1]


def test_800_steps_of_the_estimate_stay_finite() -> None:
    attack = MinMax(compressed=16, size=8, steps=4, inner_steps=200, rate=1.5e-5, network="published")
    assert bool(path(attack, images(2))[-2].traces["I"].isfinite().all())


def test_what_cannot_be_is_said() -> None:
    clean = images(2)
    with pytest.raises(SettingsError, match="compressed must be .* 2; got 1.* told from shuffled ones"):
        MinMax(compressed=1)
    with pytest.raises(SettingsError, match="start must be noise where the similarity is l2"):
        MinMax(similarity="l2", start="zero")
    with pytest.raises(SettingsError, match="begins with one"):
        path(MinMax(compress_by="convolution", **SMALL), clean)
    with pytest.raises(SettingsError, match="says when it is met"):
        moved = MoveEmbedding().bind(Tiny(), clean)
        answer(MinMax(**SMALL).perturb(clean.flat(), moved, Budget("linf", 0.1), rng()))


def test_the_other_direction_finds_the_nearer_sample_beyond_the_border() -> None:
    """Both directions leave the cluster on many of the same samples; +1 answers with the nearer point."""
    clean, found = images(40), {}
    objective = LeaveCluster().bind(Tiny(clusters=5), clean)
    for direction in (-1, 1):
        attack = MinMax(
            direction=direction, step_size=0.05, first_price=1, similarity="l2", start_width=0.4, steps=60
        )
        found[direction] = answer(attack.perturb(clean.flat(), objective, Budget("linf", 0.5), rng()))
    lengths = {name: (one.x - clean.flat()).norm(dim=1) for name, one in found.items()}
    for direction, length in lengths.items():
        assert torch.equal(found[direction].value > 0, length > 0)
    both = (lengths[1] > 0) & (lengths[-1] > 0)
    assert int(both.sum()) > 5
    assert lengths[1][both].mean() < 0.8 * lengths[-1][both].mean()


@pytest.mark.parametrize(
    ("value", "expected"), [(-1.0, [0.1, 1, 10, 100, 1000]), (1.0, [0.1, 0.05, 0.025, 0.0125, 0.00625])]
)
def test_the_search_over_prices_is_binary(value: float, expected: list[float]) -> None:
    """A price at which all fails is made ten times larger; one that will do is halved towards what failed."""
    clean = images(1)
    attack = MinMaxPenalty(prices=5, first_price=0.1, positive=False, **SMALL)
    objective = replace(kept(Linear(), clean), measure=lambda flat: 0 * flat.sum(1) + value)
    found = list(attack.perturb(clean.flat(), objective, Budget("linf", 0.3), rng()))
    assert [each.step for each in found] == list(range(attack.iterates))
    asked = [float(found[price * (attack.steps + 1)].traces["c"]) for price in range(5)]
    assert asked == pytest.approx(expected)


def test_the_penalty_method_answers_with_a_success() -> None:
    clean = images(20)
    attack = MinMaxPenalty(
        direction=-1, step="sign", step_size=0.02, start_width=0.05, positive=False, prices=3, **SMALL
    )
    objective = kept(Linear(), clean)
    found = answer(attack.perturb(clean.flat(), objective, Budget("linf", 0.4), rng()))
    moved = (found.x - clean.flat()).norm(dim=1) > 0
    assert int(moved.sum()) > 3 and bool((objective(found.x)[moved] >= 0).all())
    assert torch.equal(found.traces["score"] > -torch.inf, moved)


def test_gaussian_noise_has_its_deviation_and_belongs_to_its_sample() -> None:
    x = torch.full((200, 400), 0.5) + 0.01 * torch.rand(200, 400, generator=rng())
    objective = Objective(lambda flat: flat.sum(1))
    for sigma in (0.001, 0.05):
        moved = answer(GaussianNoise(sigma=sigma).perturb(x, objective, Budget("linf", 1.0), rng())).x
        assert float((moved - x).std()) == pytest.approx(sigma, rel=0.02)
        assert float((moved - x).mean()) == pytest.approx(0, abs=sigma / 50)
        alone = answer(GaussianNoise(sigma=sigma).perturb(x[7:8], objective, Budget("linf", 1.0), rng())).x
        assert torch.equal(alone[0], moved[7])
    assert float(torch.corrcoef(moved - x).fill_diagonal_(0).abs().max()) < 0.35  # none is another's


@pytest.mark.parametrize("changes", [{}, {"draws": 3, "network": "published"}, {"similarity": "closed_form"}])
def test_all_k_in_one_batch_are_each_alone(changes: dict[str, object]) -> None:
    """The ladder over K is launched at once; every level is what its K finds by itself."""
    attack, clean, ks = MinMax(**SMALL | changes), images(2), (2, 5, 12, 150)  # type: ignore[arg-type]
    index = torch.arange(2).repeat_interleave(len(ks))
    model, budget = Linear(), Budget("linf", 0.4, shared=len(ks))
    tiled = clean.rows(index)
    together = AlongK(**attack.values(), each=ks * 2)
    found = answer(together.perturb(tiled.flat(), kept(model, tiled), budget, rng()))
    for place, k in enumerate(ks):
        alone = attack.model_copy(update={"compressed": k})
        own = answer(alone.perturb(clean.flat(), kept(model, clean), Budget("linf", 0.4), rng()))
        torch.testing.assert_close(found.x[place :: len(ks)], own.x, rtol=0, atol=1e-4)
        torch.testing.assert_close(
            found.traces["I"][place :: len(ks)], own.traces["I"], rtol=0, atol=1e-3, equal_nan=True
        )
    assert MinMax(compress_by="projections").in_one("compressed", 2) is None
