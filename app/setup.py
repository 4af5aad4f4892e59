"""Makes `.venv` from requirements.txt, once: the standard library alone, for a fresh clone and the system's
own Python.

The stamp in `.venv` is the hash of what the environment was made from, so a second start has nothing to do
and knows it in milliseconds. It is written last: an interrupted install is simply done again.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
NEEDED, NEEDED_WITH_CUDA = 3.0, 10.0  # GB for .venv and what pip unpacks on the way


class SetupError(Exception):
    """Set-up cannot go on; the message is one sentence with the cure."""


def venv_python(venv: Path, system: str = platform.system()) -> Path:
    """The interpreter inside `venv`: Scripts/python.exe on Windows, bin/python elsewhere."""
    return venv / "Scripts" / "python.exe" if system == "Windows" else venv / "bin" / "python"


def environment(root: Path = ROOT, say: Callable[[str], None] = print) -> Path:
    """The interpreter of `root`/.venv, which has everything in requirements.txt; made or brought up to date
    if needed.

    Raises SetupError where there is no space, no network, no permission, or no wheel for this Python.
    """
    venv, requirements = root / ".venv", root / "requirements.txt"
    if is_ready(venv, requirements):
        return venv_python(venv)
    with refusals_explained(root), one_at_a_time(requirements, say):
        if not is_ready(venv, requirements):  # another start may have made it while this one waited
            make(venv, requirements, say)
    return venv_python(venv)


def make(venv: Path, requirements: Path, say: Callable[[str], None] = print) -> None:
    """Create or repair `venv`, install `requirements` into it, and stamp it."""
    cpu = prefers_cpu_torch()
    if not works(venv_python(venv)):
        check_space(venv.parent, NEEDED if cpu or platform.system() != "Linux" else NEEDED_WITH_CUDA)
        say(f"Making {venv.name} with Python {platform.python_version()} ...")
        create(venv)
    index = TORCH_CPU if cpu and answers(TORCH_CPU + "/torch/") else None
    say("Installing what Feint needs (about 2 GB on the disk; one to five minutes, this once) ...")
    install(pip_command(venv_python(venv), requirements, index), venv.parent, say)
    stamp_file(venv).write_text(stamp(venv, requirements))


# The stamp


def stamp_file(venv: Path) -> Path:
    """Where the stamp lies."""
    return venv / "feint-stamp"


def stamp(venv: Path, requirements: Path) -> str:
    """The hash of what an environment is made from: the requirements, and the Python it runs on."""
    config, python = venv / "pyvenv.cfg", os.path.realpath(venv_python(venv))
    made_from = (
        requirements.read_bytes(),
        config.read_bytes() if config.exists() else b"",
        os.fsencode(python),
    )
    return hashlib.sha256(b"\0".join(made_from)).hexdigest()


def is_ready(venv: Path, requirements: Path) -> bool:
    """Whether `venv` was completely installed from these requirements and its Python is still there."""
    kept = stamp_file(venv)
    return kept.exists() and venv_python(venv).exists() and kept.read_text() == stamp(venv, requirements)


# Making the environment


def works(python: Path) -> bool:
    """Whether `python` starts, is new enough and has pip."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return (
            subprocess.run([python, "-c", probe], capture_output=True, stdin=subprocess.DEVNULL).returncode
            == 0
        )
    except OSError:  # it is not there, or half of it
        return False


def create(venv: Path) -> None:
    """An empty environment with pip in it; what an interrupted set-up left there is cleared first."""
    command = [sys._base_executable, "-m", "venv", "--clear", str(venv)]  # type: ignore[attr-defined]
    made = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if made.returncode:
        output = made.stdout + made.stderr
        raise SetupError(
            explanation(output)
            or (
                f"This Python cannot make virtual environments ({last_line(output)}): "
                "install its venv module (on Debian or Ubuntu: apt install python3-venv) and run the same "
                "command again."
            )
        )


def pip_command(python: Path, requirements: Path, index: str | None = None) -> list[str]:
    """The command that installs `requirements`; `index` is one more place where pip looks for wheels."""
    extra = ["--extra-index-url", index] if index else []
    return [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--no-user",
        "--progress-bar",
        "off",
        "-r",
        str(requirements),
        *extra,
    ]


def install(command: list[str], root: Path, say: Callable[[str], None] = print) -> None:
    """Run pip, telling of each download. Raises SetupError with what went wrong in one sentence."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            for line in pip.stdout or ():
                lines.append(line)
                told = progress(line)
                if told:
                    say("  " + told)
        except BaseException:  # Ctrl-C, which need not have reached pip
            pip.terminate()
            raise
    if pip.returncode:
        output = "".join(lines)
        raise SetupError(
            explanation(output) or f"pip could not install requirements.txt: {last_line(output)}"
        )


def progress(line: str) -> str | None:
    """What a person wants to know of a line of pip's: the large downloads, and that the last part has
    begun.
    """
    large = re.match(r"\s*Downloading (\S+?)-(\d[^-\s]*)-\S+ \((\d+(?:\.\d+)? [MG]B)\)", line)
    if large:
        return f"{large[1]} {large[2]} ({large[3]})"
    return "unpacking (half a minute) ..." if line.startswith("Installing collected") else None


# The CPU wheels of PyTorch


def prefers_cpu_torch(system: str = platform.system(), nvidia: Path = Path("/proc/driver/nvidia")) -> bool:
    """Whether this is Linux with no NVIDIA GPU: there PyPI's own wheel of PyTorch brings gigabytes of CUDA
    for nothing.
    """
    return system == "Linux" and not nvidia.exists() and shutil.which("nvidia-smi") is None


def answers(url: str, seconds: float = 2.0) -> bool:
    """Whether `url` answers in time, name look-up included (which urllib's own time-out leaves out)."""
    heard: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds):
                heard.append(True)
        # no network, no such page, or a proxy that cannot be read: pip looks elsewhere
        except (OSError, ValueError):
            heard.append(False)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return heard == [True]


# What can go wrong

EXPLANATIONS = {
    (
        "No space left on device",
        "Errno 28",
        "not enough space on the disk",
        "Disk quota exceeded",
    ): (
        f"The disk is full: Feint's environment needs about {NEEDED:.0f} GB; make room and run the same "
        "command again."
    ),
    (
        "NewConnectionError",
        "Failed to establish a new connection",
        "Temporary failure in name resolution",
        "getaddrinfo failed",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "Network is unreachable",
        "ProxyError",
        "Connection refused",
    ): (
        "No network: set-up downloads what Feint needs from pypi.org; connect (or set HTTPS_PROXY) and run "
        "the same command again."
    ),
    ("CERTIFICATE_VERIFY_FAILED",): (
        "This network puts its own certificate before pypi.org's: set PIP_CERT to the file of it and run the "
        "same command again."
    ),
    (
        "Permission denied",
        "Errno 13",
        "Read-only file system",
    ): "This folder cannot be written to: copy Feint to a folder of your own and run the same command there.",
}


def explanation(output: str) -> str | None:
    """The sentence for what pip or venv complained about, or None where it is none of the usual things."""
    for complaints, sentence in EXPLANATIONS.items():
        if any(complaint in output for complaint in complaints):
            return sentence
    missing = [
        line.rsplit(" ", 1)[-1]
        for line in output.splitlines()
        if "No matching distribution found for" in line
    ]
    if missing:
        return (
            f"There is no {missing[0]} for Python {platform.python_version()} on {platform.system()} "
            f"{platform.machine()}: "
            "use a 64-bit Python 3.11 to 3.13."
        )
    return None


def last_line(output: str) -> str:
    """The last thing said, without pip's own advertisements."""
    said = [line.strip() for line in output.splitlines() if line.strip() and "notice" not in line]
    return said[-1].removeprefix("ERROR: ") if said else "it said nothing"


def check_space(folder: Path, needed: float = NEEDED) -> None:
    """Raises SetupError if fewer than `needed` GB are free where the environment will lie."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed:
        raise SetupError(
            f"Feint's environment needs about {needed:.0f} GB and {folder} has {free:.1f} GB free: "
            "make room and run the same command again."
        )


@contextmanager
def refusals_explained(root: Path) -> Iterator[None]:
    """What the operating system refuses, as one sentence."""
    try:
        yield
    except OSError as error:
        raise SetupError(explanation(str(error)) or f"Set-up in {root} failed: {error}.") from error


@contextmanager
def one_at_a_time(file: Path, say: Callable[[str], None] = print) -> Iterator[None]:
    """Hold the lock on `file`, waiting for a set-up that is already going on; it falls with the process that
    holds it.
    """
    with open(file, "rb") as held:
        if not lock(held.fileno(), wait=False):
            say("Another set-up is going on: waiting for it ...")
            lock(held.fileno(), wait=True)
        yield


if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int, wait: bool) -> bool:
        """Whether the lock on an open file was got."""
        # far beyond the end: Windows lets nobody read a locked region
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            except OSError:  # LK_LOCK itself gives up after ten seconds
                if not wait:
                    return False
else:
    import fcntl

    def lock(descriptor: int, wait: bool) -> bool:
        """Whether the lock on an open file was got."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
