"""What an app costs that nobody looks at, and with a page that rests: processor seconds of all its processes.

Measured on two cores, in per cent of one: 0.5 with a page at rest and 0.5 where nobody looks (page server
0.47, scheduler and workers 0.08), against 6.9 with Dask's own clocks (scheduler 3.3, workers 3.2).
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server, wait_until

SECONDS = 60


def used(server: Server) -> Counter[str]:
    """Processor seconds of the page server, the scheduler and the workers so far."""
    found: Counter[str] = Counter()
    page_server = psutil.Process(server.process.pid)
    for process in (page_server, *page_server.children(recursive=True)):
        kind = "page server" if process == page_server else "workers"
        with suppress(psutil.NoSuchProcess):  # ended just now, or nobody has asked yet how
            kind = "scheduler" if "serve" in process.cmdline() else kind
            times = process.cpu_times()
            found[kind] += times.user + times.system
    return found


def cost(server: Server) -> Counter[str]:
    """Per cent of a core over SECONDS."""
    before = used(server)
    time.sleep(SECONDS)
    after = used(server)
    return Counter({kind: 100 * (after[kind] - before[kind]) / SECONDS for kind in after})


def rests(server: Server) -> bool:
    """Whether nothing is computed any more."""
    before = used(server).total()
    time.sleep(5)
    return used(server).total() - before < 0.5


@pytest.mark.benchmark
def test_idle(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("/attack")
    expect(page.locator(".ladder .track").first).to_be_visible()
    wait_until(lambda: rests(server), 240, "a page at rest")
    print()
    for name, look in (("a page at rest", True), ("nobody", False)):
        if not look:
            page.context.close()
        found = cost(server)
        parts = ", ".join(f"{kind} {share:.2f}" for kind, share in found.items())
        print(f"  {name:16} {found.total():5.2f} % of a core: {parts}")
