"""Robust clustering in a real Chromium: a click on any thumbnail shows that sample in all three rounds."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import PATIENCE, settled

Visit = Callable[..., Page]
PICKERS = 6
"""Clean and attacked pictures of three rounds; one of each round is clicked."""


@pytest.mark.long
def test_a_thumbnail_of_every_round_chooses_its_sample(visit: Visit) -> None:
    page = visit("/robust?v=1&model=digits/conv_ae")
    pickers = page.locator(".picker:visible")
    expect(pickers).to_have_count(PICKERS, timeout=PATIENCE)
    settled(page)
    for place in (0, 3, 4):
        cells = pickers.nth(place).locator(".cell")
        another = cells.and_(page.locator("[aria-selected=false]")).nth(place // 2)
        named = re.search(r"sample (\d+)", another.get_attribute("aria-label") or "")
        assert named is not None
        another.click()
        page.wait_for_url(f"**model=digits%2Fconv_ae&**sample={named[1]}&**", timeout=PATIENCE)
        settled(page)
        expect(page.get_by_role("spinbutton", name="Sample number")).to_have_value(named[1], timeout=PATIENCE)
        expect(page.locator(".picker:visible")).to_have_count(PICKERS, timeout=PATIENCE)
        expect(page.get_by_role("alert")).to_have_count(0)
