"""Each page in a real Chromium: it opens without an error, without a request that leaves this machine and
without torch in the page server; it fits on a desk in light and on a phone in dark, where its first picture,
figure or table begins within two screens, and meets WCAG 2.1 at levels A and AA there, as far as axe-core
can tell.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.address.links import pages
from app.charts import plot
from tests.browser.test_journey import settled
from tests.conftest import PATIENCE, Server

SCREENS = (("light", 1280, 900), ("dark", 390, 844))
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],  # what passes is not described: a third of the time
}
ALWAYS = ("home", "attack")
"""Pages that are looked at whenever tests run; the others under the mark long."""
EVIDENCE = ".ladder, .map, .picker, .js-plotly-plot, img, canvas, [data-testid=stDataFrame]"
"""What there is to see on a page, beside text."""
TOPS = (
    "all => all.map((one) => one.getBoundingClientRect()).filter((box) => box.height).map((box) => box.top)"
)
INKS = "all => all.map((one) => getComputedStyle(one).fill)"
MAPS = "/proc/{pid}/maps"
"""The libraries of a process; only Linux lists them."""


def violations(page: Page) -> list[str]:
    """What axe-core finds, a line each."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def rgb(colour: str) -> str:
    """A colour of the form #rrggbb as browsers write it."""
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


def foreign(server: Server, asked: list[str]) -> list[str]:
    """Requests that left this machine."""
    own = (server.url, server.url.replace("http", "ws"), "data:", "blob:")
    return [url for url in asked if not url.startswith(own)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name in pages()]
)
def test_a_page_opens_fits_and_is_accessible(
    name: str, visit: Callable[..., Page], server: Server, shots: Path
) -> None:
    asked: list[str] = []
    page = visit("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/{'' if name == 'home' else name}?v=1&data=digits")
    for scheme, width, height in SCREENS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
        settled(page)
        tall = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(max(tall, 844), 6000)})
        page.wait_for_timeout(300)
        page.screenshot(path=shots / f"page-{name}-{width}-{scheme}.png")
        wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth")
        assert wide <= width and page.evaluate("() => document.documentElement.scrollWidth") <= width, (
            f"{name} is {wide} pixels wide"
        )
        assert violations(page) == []
        inks = page.locator(".js-plotly-plot :is(.gtitle, .gtitle-subtitle)").evaluate_all(INKS)
        assert set(inks) <= {rgb(plot.INK[scheme])}, f"titles of figures on {name} are not those of {scheme}"
        tops = page.get_by_test_id("stMain").locator(EVIDENCE).evaluate_all(TOPS)
        assert not tops or min(tops) < 2 * height, f"{name} shows nothing before {min(tops):.0f} pixels"
    assert foreign(server, asked) == []
    maps = Path(MAPS.format(pid=server.process.pid))
    assert not maps.exists() or "libtorch" not in maps.read_text()


@pytest.mark.long
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


@pytest.mark.long
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


def test_the_menu_of_a_phone_closes_over_the_page_that_was_chosen(visit: Callable[..., Page]) -> None:
    page = visit("/lessons?v=1", width=390)
    page.get_by_test_id("stExpandSidebarButton").click(timeout=PATIENCE)
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text="Claims")
    link.click()
    expect(link).not_to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
