"""A process that ends with the one that started it, however that one ends: it holds the other end of our
standard input.

This holds on every system, for a SIGKILL too, and does not depend on which thread started us.
"""

import os
import signal
import threading

LEASH = "--end-with-parent"
"""The flag of a process that is to end so."""
GRACE = 5.0
"""Seconds to save one's work in, once that process has ended."""


def end_with_it() -> None:
    """When standard input closes: ask this process to end as SIGTERM does, and end it after GRACE seconds."""
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock would be held when the interpreter ends
        pass
    last = threading.Timer(GRACE, os._exit, args=(1,))
    last.daemon = True
    last.start()
    signal.raise_signal(signal.SIGTERM)
