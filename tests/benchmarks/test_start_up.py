"""How long a command takes to its first word, and where that time goes.

Measured on two cores in seconds of the processor, about the same as those of the wall on a quiet machine:
`list` 0.4 with a catalogue; without one 3.2 (PyTorch 1.2, everything registered 0.8). `attack` on a
shipped model to its first event 1.6, of which PyTorch 1.2. scikit-learn (0.6), pandas (0.4), SciPy (0.3) and
symbolic algebra (0.5) wait until something needs them.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.store import catalogue

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5


def first_word(*words: str) -> tuple[float, float]:
    """Wall seconds to a command's first line, and the processor seconds that it had used by then."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline()
    waited = time.perf_counter() - began
    used = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")")[-1].split()[11:13]
    process.communicate()
    return waited, sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.benchmark
def test_start_to_first_word(home: Path) -> None:
    words = ("attack", "pgd", "--model", "digits/adec", "--epsilon", "0.1", "--n", "10", "--json")
    print()
    for name, kept, command in (
        ("list, no catalogue", False, ("list",)),
        ("list", True, ("list",)),
        ("attack, no catalogue", False, words),
        ("attack", True, words),
    ):
        rounds = []
        for seed in range(ROUNDS):
            if not kept:
                catalogue.file().unlink(missing_ok=True)
            rounds.append(first_word(*command, *(("--seed", str(seed)) if command is words else ())))
        wall, used = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"  {name:22} {wall:6.2f} s, {used:5.2f} s of the processor in this process")
