"""What is imported before the first event: PyTorch and little else, since a person waits for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("sklearn", "pandas", "pyarrow", "scipy", "sympy", "umap", "distributed", "torch._dynamo")
"""Packages that take a tenth of a second of the processor and more."""
UNTIL_THE_FIRST_EVENT = """
import sys
from engine.cli import commands
from engine.running import runner
def first(*given, whole=runner.work, **named):
    yield next(whole(*given, **named))
    print("slow:", *[name for name in SLOW if name in sys.modules])
runner.work = first
commands.main(sys.argv[1:])
"""
LIST = "import sys\nfrom engine.cli import commands\ncommands.main(sys.argv[1:])\n"
LIST += "print('slow:', *[name for name in (*SLOW, 'torch') if name in sys.modules])\n"
ATTACK = ("attack", "pgd", "--model", "digits/adec", "--epsilon", "0.1", "--n", "10", "--json")


@pytest.mark.long
@pytest.mark.parametrize(
    ("script", "words"), [(UNTIL_THE_FIRST_EVENT, ATTACK), (LIST, ("list",))], ids=["attack", "list"]
)
def test_nothing_slow_is_imported_before_the_first_word(script: str, words: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"SLOW = {SLOW}\n{script}", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0 and ended.stdout.splitlines()[-1].split() == ["slow:"], ended
