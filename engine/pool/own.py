"""Worker processes of our own: `engine serve` as a child that ends with this process."""

import subprocess
import sys
import time
import uuid

from engine.errors import EngineUnavailable
from engine.home import scratch
from engine.pool import parent, workers

START = 60.0
"""Seconds that our own scheduler has to start."""


def spawn() -> "tuple[subprocess.Popen[bytes], str, str]":
    """A scheduler of our own with its lanes, its address and its certificate. Raises EngineUnavailable where
    it does not start.
    """
    folder = scratch()
    address_file = folder / f".engine-{uuid.uuid4().hex[:8]}"
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "engine",
                "serve",
                parent.LEASH,
                "--address-file",
                str(address_file),
            ],
            cwd=workers.ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START
    while not address_file.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise EngineUnavailable(f"The worker processes did not start; {folder / 'engine.log'} says why.")
        time.sleep(0.05)
    address, _, pem = address_file.read_text().partition("\n")
    address_file.unlink()
    return process, address, pem


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let them go: they save what they work on and end."""
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
