"""Every picture that can be clicked is clicked, in a real Chromium: it chooses a sample, breaks no page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import PATIENCE, settled

PAGES = {
    "attack": "/attack?v=1&model=digits/adec&umap=0",
    "attack of two views": "/attack?v=1&model=noisy_digits/comvc&umap=0",
    "inspect": "/inspect?v=1&model=digits/adec&n=50",
    "multiview": "/multiview?v=1&model=noisy_digits/comvc",
    "robust, acts": "/robust?v=1&model=digits/conv_ae&tab=acts",
    "uae": "/uae?v=1&data=digits",
    "robust, dragging": "/robust?v=1&model=digits/conv_ae&tab=nu",
}


MORE = ("attack of two views", "robust, acts")
"""Under the mark slow: Multi-view and `test_robust` click the same pictures."""


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in MORE else name for name in PAGES]
)
def test_every_picker_chooses(name: str, visit: Callable[..., Page]) -> None:
    page = visit(PAGES[name])
    ready(page)
    for place in range(page.locator(".picker").count()):
        thumbnails = page.locator(".picker").nth(place).get_by_role("option")
        thumbnails.last.click()
        ready(page)
        whole(page)


def ready(page: Page) -> None:
    """Wait for a page with all its pictures, the folded ones opened."""
    page.locator(".picker").first.wait_for(state="attached", timeout=PATIENCE)
    settled(page)
    folded = page.get_by_text("Choose a sample", exact=True)
    if folded.count() and not page.locator(".picker").first.is_visible():
        folded.first.click()
        settled(page)


def whole(page: Page) -> None:
    """A page shows no exception and no red box; what one says is told."""
    for box in ("stException", "stAlertContentError"):
        found = page.get_by_test_id(box)
        expect(found, "; ".join(found.all_inner_texts())).to_have_count(0)
