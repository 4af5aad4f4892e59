"""Defend in a real Chromium: a cell of λ and γ that is clicked is in the address, and its runs open."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import PATIENCE, click_cell, settled

Visit = Callable[..., Page]


@pytest.mark.long
def test_a_cell_that_is_clicked_is_in_the_link_and_opens_its_runs(visit: Visit) -> None:
    page = visit("/defend?v=1&tab=grid")
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for(timeout=PATIENCE)
    settled(page)
    click_cell(page, plot, 3, 2)
    page.wait_for_url(re.compile(r"[?&]at=1(%2C|,)0\.1(&|$)"), timeout=PATIENCE)
    expect(page.get_by_text("λ = 1, γ = 0.1", exact=True)).to_be_visible(timeout=PATIENCE)
    theirs = visit(page.url)
    settled(theirs)
    expect(theirs.get_by_text("λ = 1, γ = 0.1", exact=True)).to_be_visible(timeout=PATIENCE)
    theirs.get_by_role("link", name="Open seed 0").click()
    theirs.wait_for_url("**/train?**run=noisy_digits%2Far_dmvc_am**", timeout=PATIENCE)
    settled(theirs)
    expect(theirs.get_by_test_id("stMain").get_by_text("AR-DMVC-AM").first).to_be_visible(timeout=PATIENCE)
