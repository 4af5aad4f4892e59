"""The pages' times in a real Chromium: `python3 -m tests -m benchmark -s tests/benchmarks/test_pages.py`.
Prints, never fails on a time.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from engine.store.store import Store
from tests.conftest import Server

pytestmark = pytest.mark.benchmark
Visit = Callable[..., Page]
STATE = "document.querySelector('[data-testid=stApp]').dataset.testScriptState"
WATCHED = """() => {
  window.spans = []; let began = null; const app = document.querySelector('[data-testid=stApp]');
  new MutationObserver(() => {
    const now = performance.now(), running = app.dataset.testScriptState === 'running';
    if (running && began === null) began = now;
    if (!running && began !== null) { window.spans.push(now - began); began = null; } })
  .observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] }); }"""
"""Notes how long each run of the script takes, as the browser sees it."""


def at_rest(page: Page, calm: float = 0.5) -> None:
    """Wait until the script has not run for a while."""
    since = time.monotonic()
    while time.monotonic() - since < calm:
        if page.evaluate(STATE) == "running":
            since = time.monotonic()
        page.wait_for_timeout(50)


def reruns(page: Page, labels: tuple[str, str], times: int = 10) -> list[float]:
    """Milliseconds of each rerun when two segments are pressed in turn; the first of each is not counted, for
    it may compute.
    """
    took = []
    page.evaluate(WATCHED)
    for number in range(times + 2):
        before = page.evaluate("window.spans.length")
        page.get_by_role("radio", name=labels[1 - number % 2], exact=True).click()
        with suppress(TimeoutError):  # a run that the browser never showed as one
            page.wait_for_function("count => window.spans.length > count", arg=before, timeout=5_000)
        at_rest(page, 0.3)
        if number > 1 and page.evaluate("window.spans.length") > before:
            took.append(float(page.evaluate("count => window.spans[count]", before)))
    return took


def test_first_page_and_first_motion(visit: Visit) -> None:
    visit("/")  # the first visitor starts the engine
    clock = time.monotonic()
    page = visit("/")
    page.wait_for_selector("h1")
    title = time.monotonic() - clock
    ladder = page.locator(".feint[data-frames]")
    ladder.wait_for()
    while int(ladder.evaluate("root => root.dataset.frames")) < 3:
        page.wait_for_timeout(20)
    print(f"\nhome: title after {title:.2f} s, the digit moves after {time.monotonic() - clock:.2f} s")


def test_release_to_picture(visit: Visit) -> None:
    page = visit("/attack?umap=0&sample=7")
    expect(page.get_by_text("Digits #7", exact=True)).to_be_visible(timeout=60_000)
    at_rest(page)
    took = []
    for sample in range(20, 35):
        field = page.get_by_role("spinbutton", name="Sample number")
        field.fill(str(sample))
        began = time.monotonic()
        field.press("Enter")
        page.get_by_text(f"Digits #{sample}", exact=True).wait_for()
        took.append(time.monotonic() - began)
        at_rest(page)
    print(
        f"\nrelease to picture, a ladder never asked before: median {statistics.median(took):.2f} s, worst"
        f" {max(took):.2f} s"
    )


def test_reruns_while_a_training_goes_on(visit: Visit, server: Server) -> None:
    """A training of minutes goes on; a page draws again without new work."""
    page = visit("/train?data=digits&model=dec_star&seed=777")
    page.get_by_role("button", name="Train", exact=True).click(timeout=60_000)
    expect(page.get_by_text("running").first).to_be_visible(timeout=120_000)
    pairs = {
        "/attack?umap=0": ("over ε", "over the path T"),
        "/inspect": ("adversarial", "clean"),
        "/curves": ("along ε", "along λ"),
    }
    found = []
    for path, labels in pairs.items():
        page = visit(path)
        page.get_by_role("radio", name=labels[0], exact=True).wait_for(timeout=60_000)
        at_rest(page, 2)
        took = reruns(page, labels)
        found += took
        print(
            f"\nrerun of {path} while a training goes on: median {statistics.median(took):.0f} ms, worst"
            f" {max(took):.0f} ms"
        )
    running = [run for run in Store(server.home).all() if run.status() == "running"]
    print(
        f"all: median {statistics.median(found):.0f} ms; the training is"
        f" {'still going on' if running else 'over: repeat this'}"
    )
    for run in running:
        run.want("stop")


def test_ten_viewers(visit: Visit, server: Server) -> None:
    for place in range(10):
        page = visit(("/", "/attack", "/inspect", "/train", "/runs")[place % 5])
        page.wait_for_selector("h1")
        at_rest(page)
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    print(f"\npage server with ten viewers: {resident / 1000:.0f} MB")
