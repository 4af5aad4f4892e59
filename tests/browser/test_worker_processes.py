"""What a visitor sees when the worker processes are killed, and that no visitor can start a second set."""

import os
import re
import signal
import time
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from engine.store.run import Run
from engine.store.store import LIVE
from tests.conftest import PATIENCE, Server, wait_until

SOCKETS = """window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); window.sockets.push(this); }
};"""


def engines(server: Server) -> list[psutil.Process]:
    """The `engine serve` processes of the page server."""
    children = psutil.Process(server.process.pid).children()
    living = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "serve" in child.cmdline()]


def settled(page: Page) -> None:
    """Wait until the page has drawn itself, without an error."""
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)


def kill_engine(server: Server, then: Callable[[], object] = lambda: None) -> None:
    """Kill the engine as a system does that has no memory left, do what comes `then`, and wait for the next
    one.
    """
    wait_until(lambda: len(engines(server)) == 1, PATIENCE / 1000, "the engine")
    killed = engines(server)[0].pid
    os.kill(killed, signal.SIGKILL)
    then()
    wait_until(
        lambda: [one.pid for one in engines(server)] not in ([], [killed]), PATIENCE / 1000, "a new engine"
    )


@pytest.mark.slow
def test_a_page_goes_on_when_the_engine_is_killed(visit: Callable[..., Page], server: Server) -> None:
    page = visit("/attack?v=1&model=digits/adec&sample=3")
    settled(page)
    kill_engine(server, page.get_by_role("link", name="Curves").first.click)
    expect(page.get_by_text(re.compile("new ones (are starting|were started)")).first).to_be_visible()
    settled(page)
    expect(page.get_by_text("new ones were started")).to_be_visible()
    page.goto(server.url + "/attack?v=1&model=digits/adec&sample=1234")
    settled(page)
    expect(page.locator(".ladder .track")).to_have_count(1)


@pytest.mark.slow
def test_a_new_engine_is_there_within_ten_seconds(visit: Callable[..., Page], server: Server) -> None:
    settled(visit("/attack?v=1&model=digits/adec&sample=3"))
    began = time.monotonic()
    kill_engine(server)
    assert time.monotonic() - began < 10


@pytest.mark.long
def test_a_training_goes_on_when_the_engine_is_killed(visit: Callable[..., Page], server: Server) -> None:
    page = visit("/train?v=1&data=digits&method=adec&preset=quick&seed=77")
    settled(page)
    page.get_by_role("button", name="Train", exact=True).click()
    steps = page.get_by_text(re.compile(r": [\d,]+ of \d"))
    steps.first.wait_for()
    kill_engine(server)
    expect(page.get_by_text("new ones were started")).to_be_visible()
    steps.first.wait_for()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_role("button", name="Stop and keep").click()
    page.get_by_role("button", name="Resume").click()
    steps.first.wait_for()
    page.get_by_role("button", name="Attack as it is now").click()
    expect(page.locator(".ladder .track")).to_have_count(1)
    model = re.search(r"model=([0-9a-f]{16})(@|%40)\d+", page.url)
    assert model, page.url
    trained = Run(server.home / "runs" / model[1])
    assert trained.status() in ("running", "finished"), "it went on meanwhile"
    trained.want("stop")
    wait_until(lambda: trained.status() not in LIVE, PATIENCE / 1000, "the training's end")


@pytest.mark.long
def test_a_visitor_who_clears_caches_starts_no_second_engine(
    visit: Callable[..., Page], server: Server
) -> None:
    page = visit("about:blank")
    page.add_init_script(SOCKETS)
    page.goto(server.url + "/attack")
    settled(page)
    wait_until(lambda: len(engines(server)) == 1, PATIENCE / 1000, "the engine")
    before = engines(server)
    message = list(BackMsg(clear_cache=True).SerializeToString())
    assert page.evaluate("bytes => (sockets.at(-1).send(new Uint8Array(bytes)), sockets.length)", message)
    page.reload()
    settled(page)
    page.goto(server.url + "/train")
    settled(page)
    assert engines(server) == before
