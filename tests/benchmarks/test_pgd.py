"""PGD-20 on 512 samples of shipped models, against torchattacks' PGD on the same models in the same run.

Printed: medians of interleaved rounds, the speed as a ratio to torchattacks round by round, in wall time and
in seconds of the processor, and the flip rate, judged in float32. Both are given the clean clusters.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from engine import data, device
from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.models.protocols import Clusters, require
from engine.objectives.leave_cluster import LeaveCluster
from engine.running.models import load_model
from engine.store.store import Store

ROUNDS, EPSILON, N = 9, 0.1, 512


class Logits(nn.Module):
    """A model as torchattacks wants it: one tensor in, logits out."""

    def __init__(self, model: nn.Module, clean: Views) -> None:
        super().__init__()
        self.model, self.clean = model, clean

    def forward(self, x: Tensor) -> Tensor:
        return require(self.model, Clusters, "a benchmark").log_assign(self.clean.like(x.flatten(1)))


def arms(name: str) -> tuple[dict[str, Callable[[], Tensor]], Callable[[Tensor], float]]:
    """What is timed on a shipped model, by what it is called; and the flip rate of its answer."""
    run = Store().find(name)
    model = load_model(run, "cpu")
    every = data.load(run.spec.data)
    chosen = torch.randperm(len(every), generator=torch.Generator().manual_seed(0))[:N]
    clean = every.views.rows(chosen)
    flat, clusters = clean.flat(), require(model, Clusters, "a benchmark")
    own = clusters.log_assign(clean).argmax(1)
    peer = torchattacks.PGD(Logits(model, clean).eval(), eps=EPSILON, alpha=2.5 * EPSILON / 20, steps=20)

    bound = LeaveCluster().bind(model, clean)

    def theirs() -> Tensor:
        torch.manual_seed(0)
        return peer(flat[:, None, None], own).flatten(1)

    def ours(precision: str, stop: bool = False) -> Tensor:
        how = device.How("cpu", precision, torch.get_num_threads(), torch.__version__, "")
        objective = replace(bound, how=how)
        rng = torch.Generator().manual_seed(0)
        return answer(PGD(stop=stop).perturb(flat, objective, Budget("linf", EPSILON), rng)).x

    @torch.no_grad()
    def flips(moved: Tensor) -> float:
        return float((clusters.log_assign(clean.like(moved)).argmax(1) != own).float().mean())

    return {
        "torchattacks": theirs,
        "float32": lambda: ours("float32"),
        "bfloat16": lambda: ours("bfloat16"),
        "float32, stop": lambda: ours("float32", True),
        "bfloat16, stop": lambda: ours("bfloat16", True),
    }, flips


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["mnist_test/adec", "noisy_digits/comvc"])
@pytest.mark.parametrize("threads", [1, 2])
def test_pgd_against_torchattacks(name: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEINT_DATA", raising=False)  # MNIST beside the checkout
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    timed, flips = arms(name)
    seconds: dict[str, list[tuple[float, float]]] = {arm: [] for arm in timed}
    for turn in range(ROUNDS + 1):
        for arm, attack in timed.items():
            began, used = time.perf_counter(), time.process_time()
            attack()
            if turn:
                seconds[arm].append((time.perf_counter() - began, time.process_time() - used))
    torch.set_num_threads(before)
    print(f"\n{name}, PGD-20 on {N} samples, {threads} threads, median of {ROUNDS} interleaved rounds")
    for arm, attack in timed.items():
        wall, used = (
            statistics.median(
                peer[part] / own[part]
                for peer, own in zip(seconds["torchattacks"], seconds[arm], strict=True)
            )
            for part in (0, 1)
        )
        middle = statistics.median(round_[0] for round_ in seconds[arm])
        print(
            f"  {arm:14} {middle * 1000:8.1f} ms, speed {wall:5.2f} (processor {used:5.2f}),"
            f" flip rate {flips(attack()):.3f}"
        )
