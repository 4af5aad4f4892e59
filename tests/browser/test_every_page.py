"""Each page opens in a real Chromium: without an error, without a request that leaves this machine, without
torch in the page server.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.address.links import pages
from tests.conftest import PATIENCE, Server

PATHS = {name: "/" if name == "home" else f"/{name}" for name in pages()}


@pytest.mark.parametrize("name", PATHS)
def test_a_page_opens(name: str, visit: Callable[..., Page], server: Server) -> None:
    asked: list[str] = []
    page = visit("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url + PATHS[name])
    expect(page.get_by_test_id("stAppViewContainer")).to_be_visible()
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id(
        "stException"
    ).first.inner_text()
    assert [
        url
        for url in asked
        if not url.startswith((server.url, server.url.replace("http", "ws"), "data:", "blob:"))
    ] == []


@pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="only Linux lists the libraries of a process"
)
def test_the_page_server_holds_no_torch_after_every_page(visit: Callable[..., Page], server: Server) -> None:
    page = visit("/")
    for path in PATHS.values():
        page.goto(server.url + path)
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=PATIENCE
        )
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_a_charts_toolbar_is_never_over_its_title_and_not_on_a_phone(visit: Callable[..., Page]) -> None:
    for width in (1280, 390):
        page = visit("/attack?v=1&model=digits/adec&umap=0", width=width)
        chart = page.locator(".js-plotly-plot").first
        chart.scroll_into_view_if_needed(timeout=45_000)
        chart.hover()
        bar = chart.locator(".modebar")
        if width < 640:
            expect(bar).to_be_hidden()
            continue
        expect(bar).to_be_visible()
        title, buttons = (chart.locator(name).first.bounding_box() for name in (".gtitle", ".modebar"))
        assert title is not None and buttons is not None
        assert buttons["y"] > title["y"] + title["height"], (title, buttons)


def test_the_keyboard_skips_to_the_ladder(visit: Callable[..., Page]) -> None:
    page = visit("/attack?v=1&model=digits/adec&umap=0")
    page.locator(".ladder .track").wait_for(timeout=45_000)
    link = page.get_by_role("link", name="Skip to the ladder")
    expect(link).to_have_css("opacity", "0")
    page.get_by_role("button", name="Keys, colours").focus()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(link).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".ladder .play")).to_be_focused()
