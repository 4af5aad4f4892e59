"""Each page and tab meets WCAG 2.1 at level A and AA as far as axe-core can tell: in light on a desk, in dark
on a phone.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from app.address.links import pages
from tests.browser.test_journey import settled

ADDRESSES = {name: "/" if name == "home" else f"/{name}" for name in pages()}
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


def violations(page: Page) -> list[str]:
    """What axe-core finds, a line each."""
    found = Axe().run(page, options=LEVELS).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_accessible(name: str, visit: Callable[..., Page]) -> None:
    page = visit(f"{ADDRESSES[name]}?v=1&data=digits")
    settled(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    settled(page)
    assert violations(page) == []
