"""`python3 -m engine …`: the command line. Standard library alone up to the point where the right interpreter
runs.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from engine.pool import parent

NEEDED = (
    "torch",
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "pyarrow",
    "pydantic",
    "safetensors",
    "PIL",
    "platformdirs",
    "psutil",
    "filelock",
    "distributed",
    "cryptography",
    "tqdm",
)
ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main() -> int:
    """Run the command in this interpreter, or in .venv's; the exit code."""
    if parent.LEASH in sys.argv:  # before the imports, which may take a minute on a busy machine
        parent.end_with_it()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing:
        from engine import cli  # needs what was just looked for

        return cli.main(sys.argv[1:])
    if VENV.exists() and Path(sys.prefix).resolve() != VENV.parents[1].resolve():
        return _elsewhere()
    print(
        f"This Python ({sys.executable}) lacks {missing[0]}, which Feint needs; run `python3 -m app` once,"
        f" which sets up {VENV.parents[1]}, or `pip install -r requirements.txt`.",
        file=sys.stderr,
    )
    return 2


def _elsewhere() -> int:
    command = [str(VENV), "-m", "engine", *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
