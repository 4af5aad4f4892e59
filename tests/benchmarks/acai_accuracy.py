"""What bf16 forwards cost in accuracy: `python -m tests.benchmarks.acai_accuracy`, minutes long.

Trains `acai` on digits (preset quick) from the same seeds in float32 and in bfloat16 and prints each pair's
ACC, the mean difference in points and its 95 % interval (Student's t over seeds). Judged in float32.
"""

import argparse
import math
import statistics
import time

import torch
from scipy.stats import t as student

from engine.data import load
from engine.data.dataset import Dataset
from engine.device import choose
from engine.metrics.clustering import accuracy
from engine.models.acai import ACAI


def trained(data: Dataset, seed: int, precision: str, threads: int | None) -> float:
    """ACC of the quick preset."""
    settings = ACAI.preset("quick")
    state = settings.skeleton(
        data.views, data.clusters, torch.Generator().manual_seed(seed), choose("cpu", precision, threads)
    )
    for _ in settings.train(state, data.views):
        pass
    with torch.no_grad():
        clusters = state.model.log_assign(data.views.all()).argmax(1).numpy()  # type: ignore[operator]
    assert data.labels is not None
    return accuracy(data.labels, clusters)


def main() -> None:
    """Print a line a seed, then the mean difference with its interval."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    asked, data, differences = parser.parse_args(), load("digits"), []
    for seed in range(asked.seeds):
        began = time.perf_counter()
        half, full = (trained(data, seed, precision, asked.threads) for precision in ("bfloat16", "float32"))
        differences.append(100 * (half - full))
        spent = time.perf_counter() - began
        print(
            f"seed {seed}: bfloat16 {half:.4f}, float32 {full:.4f}, {differences[-1]:+.2f} points"
            f" ({spent:.0f} s)",
            flush=True,
        )
    mean = statistics.mean(differences)
    half_width = (
        student.ppf(0.975, len(differences) - 1) * statistics.stdev(differences) / math.sqrt(len(differences))
    )
    interval = f"{mean - half_width:+.2f} to {mean + half_width:+.2f}"
    print(f"mean difference {mean:+.2f} points, 95 % interval {interval}, n = {len(differences)} seeds")


if __name__ == "__main__":
    main()
