"""On a machine without MNIST and without a network, in a real Chromium: its pictures are there on arrival."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import wait_until

PATIENCE = 45_000
"""Milliseconds."""
BIG = "nodes => nodes.filter(node => (node.naturalWidth || node.width) % 28 == 0).length"
"""How many pictures are as wide as digits of MNIST, or a multiple of it."""


def settled(page: Page) -> None:
    """Wait until the page's script has run."""
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("name", ["", "attack", "inspect", "curves", "train"])
def test_a_page_begins_with_mnist(name: str, visit: Callable[..., Page]) -> None:
    page = visit(f"/{name}")
    settled(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    assert "data=mnist_test" in page.url
    if name == "curves":
        expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("5 models, the same attack")).to_be_visible()
    elif name == "train":  # what its training drew, in one picture
        expect(page.get_by_alt_text("their reconstructions").first).to_be_visible(timeout=PATIENCE)
    else:
        shown = page.locator("img, canvas")
        wait_until(lambda: shown.evaluate_all(BIG) > 2, 30, f"pictures of MNIST on the page {name}")


@pytest.mark.long
def test_a_click_on_the_map_turns_the_grid_to_its_sample(visit: Callable[..., Page]) -> None:
    page = visit("/inspect")
    settled(page)
    over = page.locator(".map .over")
    over.scroll_into_view_if_needed()
    before = page.url
    for step in range(200):  # points of the map lie close together in its middle
        x, y = 0.3 + 0.4 * (step % 20) / 20, 0.3 + 0.4 * (step // 20) / 10
        box = over.bounding_box()  # the page may still grow above it
        assert box is not None
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(150)
        if page.url != before:
            break
    settled(page)
    chosen = page.get_by_role("listbox", name="Selected samples").locator("[aria-selected=true]")
    expect(chosen).to_have_count(1)
    sample = page.url.split("sample=")[1].split("&")[0]
    assert page.url != before and str(chosen.get_attribute("aria-label")).startswith(f"sample {sample},")
