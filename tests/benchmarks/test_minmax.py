"""`minmax` on 1,000 MNIST images of a dense autoencoder, T = 40 and T_I = 5, against a loop over single
samples.

Printed for two sizes of the estimate: seconds of one batch, seconds of one sample (median of `SINGLE`), and
how many times faster the batch is than a loop over as many samples would be.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch

from engine import data
from engine.attacks.budget import Budget
from engine.attacks.minmax import MinMax
from engine.attacks.protocols import answer
from engine.device import How
from engine.models.dense_ae import DenseAE
from engine.objectives.keep_reconstruction import KeepReconstruction

N, SINGLE = 1000, 9


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@pytest.mark.benchmark
@pytest.mark.parametrize(("k", "size"), [(64, 32), (96, 128)])
def test_a_batch_against_a_loop(k: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEINT_DATA", raising=False)  # MNIST beside the checkout
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    every = data.load("mnist_test")
    settings = DenseAE(epochs=2)
    how = How("cpu", "float32", 2, torch.__version__, "")
    state = settings.skeleton(every.views, 10, torch.Generator().manual_seed(0), how)
    for _ in settings.train(state, every.views):
        pass
    model = state.model.eval().requires_grad_(False)
    attack, budget = MinMax(compressed=k, size=size), Budget("linf", 1.0)

    def attacked(first: int, last: int) -> None:
        clean = every.views.rows(torch.arange(first, last))
        objective = KeepReconstruction().bind(model, clean)
        answer(attack.perturb(clean.flat(), objective, budget, torch.Generator().manual_seed(0)))

    attacked(0, 2)
    together = min(seconds(lambda: attacked(0, N)) for _ in range(2))
    alone = statistics.median(seconds(lambda row=row: attacked(row, row + 1)) for row in range(SINGLE))
    torch.set_num_threads(before)
    print(
        f"\nminmax, K = {k}, d' = {size}, two threads: {N} samples in {together:.1f} s, one in {alone:.3f} s;"
        f" a loop takes {N * alone / together:.0f} times as long"
    )
