"""Multi-view speed: a CoMVC step against the plain eager float32 one, and a ladder of 9 levels on the same
network. Two views of 28x28.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.attacks import ladder
from engine.attacks.pgd import PGD
from engine.data.views import AtRest, Views
from engine.device import choose
from engine.models.comvc import CoMVC
from engine.models.multiview import network_of
from engine.models.state import State
from engine.nets.ddc import contrast, ddc
from engine.objectives.mv_disrupt import MvDisrupt
from engine.objectives.protocols import Objective

ROUNDS = 12
SETTINGS = CoMVC()
"""The published size: width 64, batches of 100."""


def pictures(n: int = 1000) -> AtRest:
    """Smooth random pictures, two views of each, as bytes."""
    rng = torch.Generator().manual_seed(7)
    views = [
        F.interpolate(torch.randn(n, 1, 7, 7, generator=rng), size=28, mode="bilinear").clamp(0, 1)
        for _ in range(2)
    ]
    return AtRest(tuple((view * 255).to(torch.uint8) for view in views), (255.0, 255.0))


def fresh(precision: str) -> State:
    """The same weights and draws, whatever the precision."""
    state = SETTINGS.skeleton(pictures(), 10, torch.Generator().manual_seed(0), choose("cpu", precision))
    state.model.train()
    return state


def plain() -> Callable[[Views], float]:
    """The same step as its paper writes it: contiguous tensors, float32, default Adam, no clipping."""
    state = fresh("float32")
    model = network_of(state).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters(), lr=SETTINGS.rate)

    def step(x: Views) -> float:
        z = model.views(x)
        h, logits = model.head(model.fusion(z))
        weight = F.softmax(model.weights, dim=0).min().detach()
        loss = torch.stack(ddc(h, F.softmax(logits, dim=1))).sum() + SETTINGS.contrast * contrast(z, weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    return step


@pytest.mark.benchmark
def test_a_step_of_comvc() -> None:
    state, theirs = fresh("auto"), plain()
    data, rng = pictures(), torch.Generator().manual_seed(1)
    batches = [data.rows(torch.randperm(1000, generator=rng)[:100]) for _ in range(ROUNDS + 2)]
    ratios, ours, others, losses = [], [], [], []
    for turn, x in enumerate(batches):
        began = time.perf_counter()
        told = theirs(x)
        between = time.perf_counter()
        parts = SETTINGS.update(state, x)
        losses.append((float(torch.stack(list(parts.values())).sum()), told))
        end = time.perf_counter()
        if turn >= 2:
            ratios.append((between - began) / (end - between))
            ours.append(end - between)
            others.append(between - began)
    slow, fast = statistics.median(others), statistics.median(ours)
    print(
        f"\nCoMVC step, width 64, 2 x 28x28, batch 100, {torch.get_num_threads()} threads: plain eager"
        f" float32 {slow * 1000:.0f} ms ({slow * 10:.2f} s per 1,000 images), ours ({state.how.precision})"
        f" {fast * 1000:.0f} ms ({fast * 10:.2f} s)"
    )
    print(
        f"median of {len(ratios)} ratios: {statistics.median(ratios):.2f}; loss after {len(batches)} steps:"
        f" ours {losses[-1][0]:.3f}, plain {losses[-1][1]:.3f}"
    )
    assert all(parameter.isfinite().all() for parameter in state.model.parameters())


@pytest.mark.benchmark
def test_a_ladder_of_9_levels() -> None:
    model: nn.Module = network_of(fresh("float32")).eval().requires_grad_(False)
    clean = pictures().rows(slice(0, 1))

    def bind(views: Views, _: torch.Tensor) -> Objective:
        return Objective(MvDisrupt().measure(model, views), True)

    times = []
    for turn in range(7):
        began = time.perf_counter()
        found = ladder.over_epsilon(
            ladder.Attempt(bind, clean, PGD(), "linf"),
            torch.linspace(0, 0.3, 9),
            torch.Generator().manual_seed(0),
        )
        if turn >= 2:
            times.append(time.perf_counter() - began)
    print(f"\nladder of 9 levels x PGD-20, width 64, 2 x 28x28: median {statistics.median(times):.2f} s")
    assert (found.value.diff(dim=1) >= 0).all()
