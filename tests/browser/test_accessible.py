"""Each page fits on a desk in light and on a phone in dark, and meets WCAG 2.1 at levels A and AA there, as
far as axe-core can tell.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.address.links import pages
from tests.browser.test_journey import settled
from tests.conftest import PATIENCE

ADDRESSES = {name: "/" if name == "home" else f"/{name}" for name in pages()}
SCREENS = (("light", 1280, 900), ("dark", 390, 844))
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


def violations(page: Page) -> list[str]:
    """What axe-core finds, a line each."""
    found = Axe().run(page, options=LEVELS).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_fits_and_is_accessible(name: str, visit: Callable[..., Page], shots: Path) -> None:
    page = visit(f"{ADDRESSES[name]}?v=1&data=digits&n=200")
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
