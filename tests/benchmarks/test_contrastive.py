"""Contrastive speed, in seconds of one core, which other work on the machine hardly changes: a step of SimCLR
and one of the second stage with ResNet-18 against plain eager float32, and the silhouette against
scikit-learn's.
"""

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from engine.data.views import AtRest
from engine.defences.ncp_acl import NCPACL
from engine.device import choose
from engine.models.pace import descend
from engine.models.simclr import SimCLR
from engine.models.state import State
from engine.nets.silhouette import silhouette

BATCH, ROUNDS = 64, 5
STAGE_1 = SimCLR(batch=BATCH)
STAGE_2 = NCPACL(encoder_settings=STAGE_1.values(), batch=BATCH)


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Neither side has a second one."""
    before = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        yield
    torch.set_num_threads(before)


def pictures() -> AtRest:
    """Random pictures in colour, as bytes."""
    rng = torch.Generator().manual_seed(7)
    return AtRest((torch.randint(0, 256, (BATCH, 3, 32, 32), generator=rng, dtype=torch.uint8),), (255.0,))


def plain(state: State) -> State:
    """The same in the layout that PyTorch begins with."""
    for network in (state.model, state.extra):
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return state


def first_stage(precision: str) -> Callable[[], float]:
    state = STAGE_1.skeleton(pictures(), 10, torch.Generator().manual_seed(0), choose("cpu", precision, 1))
    state.model.train()
    state = plain(state) if precision == "float32" else state

    def step() -> float:
        loss = STAGE_1.loss(state, pictures().all())
        descend(state.optimisers["simclr"], loss)
        return float(loss.detach())

    return step


def second_stage(precision: str) -> Callable[[], float]:
    how, rng = choose("cpu", precision, 1), torch.Generator().manual_seed(0)
    state = STAGE_2.skeleton(pictures(), 10, rng, how)
    STAGE_2.adopt(state, {"base": STAGE_1.drawn(((3, 32, 32),), torch.Generator().manual_seed(1))})
    state = plain(state) if precision == "float32" else state
    STAGE_2.begin_epoch(state, pictures())

    def step() -> float:
        values = STAGE_2.step(state, STAGE_2.seen(state, pictures().all()), torch.arange(BATCH), 1000)
        return float(values["imitation"] + values["agreement"])

    return step


@pytest.mark.benchmark
@pytest.mark.parametrize("stage", [first_stage, second_stage])
def test_a_step_of_resnet_18(stage: Callable[[str], Callable[[], float]]) -> None:
    theirs, ours = stage("float32"), stage("auto")
    slow, fast = [], []
    for turn in range(ROUNDS + 1):
        began = time.process_time()
        told = theirs()
        between = time.process_time()
        loss = ours()
        if turn:  # the first one warms up
            slow.append(between - began)
            fast.append(time.process_time() - between)
    one, other = statistics.median(slow), statistics.median(fast)
    print(
        f"\n{stage.__name__}, ResNet-18, {BATCH} pictures of 3 x 32 x 32: plain eager float32 {one:.2f} s,"
        f" ours {other:.2f} s a step, ratio of medians {one / other:.2f}"
    )
    assert loss == pytest.approx(told, rel=0.1)


@pytest.mark.benchmark
@pytest.mark.parametrize("precision", [torch.float64, torch.float32])
def test_a_silhouette_in_closed_form(precision: torch.dtype) -> None:
    """Ours computes in float32 where that tells it to 1e-6; scikit-learn in the precision of the data."""
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(10_000, 512, generator=rng, dtype=torch.float64).relu().to(precision)
    labels = torch.randint(20, (10_000,), generator=rng)
    times = []
    for _ in range(9):
        began = time.process_time()
        found = float(silhouette(z, labels).mean())
        times.append(time.process_time() - began)
    began = time.process_time()
    expected = silhouette_score(z.numpy(), labels.numpy(), metric="cosine")
    took, ours = time.process_time() - began, statistics.median(times)
    print(
        f"\nsilhouette of 10,000 x 512 in 20 clusters, {precision}: scikit-learn {took:.2f} s, ours"
        f" {ours * 1000:.1f} ms, {took / ours:.0f} times as fast"
    )
    assert found == pytest.approx(expected, abs=1e-6)
