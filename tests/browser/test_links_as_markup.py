"""What a link says is text: no parameter becomes a picture, a link or an element, in a real Chromium."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from app.address.links import LONGEST, MOST, PARAMETERS, pages
from tests.conftest import PATIENCE, Server

MARKUP = "![x](http://evil.example/x.png) <img> [a](b) http://evil.example www.evil.example e@evil.example"
FIRST = ("run", "model", "method", "study", "data")
"""Parameters over which a page may stop, so that the others are not read."""


SOME = ("attack", "data", "curves", "defend")
"""Pages that say nearly every parameter between them; the others under the mark slow."""
OTHERS = tuple(name for name in pages() if name not in SOME)


def opened(page: Page, server: Server, name: str, parameters: dict[str, str]) -> None:
    """Open a page with these parameters and wait until it has drawn itself."""
    page.goto(f"{server.url}/{'' if name == 'home' else name}?{urlencode(parameters)}")
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize(
    "without",
    [pytest.param((), id="all", marks=pytest.mark.slow), pytest.param(FIRST, id="without the first")],
)
@pytest.mark.parametrize("name", [*SOME, *(pytest.param(one, marks=pytest.mark.slow) for one in OTHERS)])
def test_no_parameter_becomes_an_element(
    name: str, without: tuple[str, ...], visit: Callable[..., Page], server: Server
) -> None:
    asked: list[str] = []
    page = visit("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    opened(page, server, name, {one: MARKUP for one in ("v", *PARAMETERS) if one not in without})
    expect(page.get_by_text("![x](http").first).to_be_visible(timeout=PATIENCE)
    for selector in ("img:not([src])", "img[src*=evil]", "a[href*=evil]", "a[href=b]", "a[href$='/b']"):
        found = page.locator(selector).evaluate_all("all => all.map((one) => one.outerHTML)")
        assert found == [], selector
    assert not [url for url in asked if url.split("?")[0].find("evil") >= 0]


@pytest.mark.long
def test_a_link_that_is_too_long_is_a_sentence(visit: Callable[..., Page], server: Server) -> None:
    page = visit("about:blank")
    opened(page, server, "attack", {"v": "1", "umap": "0", "model": "x" * (LONGEST + 1), "norm": "l2"})
    expect(page.get_by_text(f"model with {LONGEST + 1:,} characters")).to_be_visible(timeout=PATIENCE)
    assert "norm=l2" in page.url
    opened(
        page,
        server,
        "attack",
        {"v": "1", "umap": "0", "norm": "l2"} | {f"p{number}": "1" for number in range(MOST)},
    )
    expect(page.get_by_text(f"{MOST + 3} parameters")).to_be_visible(timeout=PATIENCE)
    assert "norm=l2" not in page.url
