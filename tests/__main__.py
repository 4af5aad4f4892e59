"""`python3 -m tests [--all] [what pytest takes]`: sets everything up on first use, then runs the checks, with
`--all` those that take long too.

The standard library alone: it runs on the system's Python, before anything is installed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from app.setup import ROOT, SetupError, environment
from tests import chromium

TOGETHER = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""The whole suite runs in two processes, a file in one of them, in the order of `conftest.py`."""
ALL = ("-m", "not slow and not benchmark")
"""What `--all` means: the long tests too."""


def checks(python: Path, arguments: list[str]) -> dict[str, list[str]]:
    """Name -> command; what was typed behind `python3 -m tests` goes to pytest."""
    chosen = [one for one in arguments if one != "--all"]
    asked = [*(chosen or TOGETHER), *(ALL if "--all" in arguments else ())]
    return {
        "ruff": [str(python), "-m", "ruff", "check", "--output-format", "concise", "."],
        "format": [str(python), "-m", "ruff", "format", "--check", "."],
        "mypy": [str(python), "-m", "mypy"],
        "pytest": [str(python), "-m", "pytest", *asked],
    }


def run(name: str, command: list[str]) -> tuple[bool, str]:
    """Whether a check passed, and a line that says so."""
    print(f"== {name}: {' '.join(command[1:])}", flush=True)
    began = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode == 0
    return passed, f"{name:8}{'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s"


def main() -> int:
    """Every check runs even if one before it fails; 0 if all passed, 1 otherwise."""
    try:
        python = environment()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    browser = chromium.got(python)
    if browser:
        os.environ["CHROME"] = browser
    else:
        print(chromium.MISSING, file=sys.stderr)
    results = [run(name, command) for name, command in checks(python, sys.argv[1:]).items()]
    print("\n".join(["", *(line for _, line in results)]))
    return 0 if all(passed for passed, _ in results) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
