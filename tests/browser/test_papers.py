"""The journeys of UAE and Contrastive in a real Chromium, on digits: choose, drag, turn, open elsewhere."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import ladder, level, picture, settled
from tests.conftest import PATIENCE

Visit = Callable[..., Page]
TRAININGS = 1_800_000
"""Milliseconds in which five trainings and three attacks on digits end, on a machine that does more."""


def choose_another(page: Page) -> str:
    """Click a picture that is not the one shown; the number of its sample."""
    cell = page.locator(".picker .cell[aria-selected=false]:visible").nth(2)
    wanted = re.search(r"sample (\d+)", cell.get_attribute("aria-label") or "")
    assert wanted is not None
    cell.click()
    page.wait_for_url(re.compile(rf"sample={wanted[1]}(&|$)"), timeout=PATIENCE)
    settled(page)
    return wanted[1]


def drag_to_the_end(page: Page) -> None:
    """Another level, another picture."""
    handle = ladder(page)
    handle.focus()
    handle.press("Home")
    canvas = page.locator(".ladder canvas.attacked")
    was, shown = level(page), picture(canvas)
    handle.press("End")
    page.wait_for_timeout(300)
    assert level(page) != was and picture(canvas) != shown


@pytest.mark.slow
def test_a_picture_slides_to_its_neighbouring_cluster(visit: Visit) -> None:
    page = visit("/contrastive?v=1&data=digits")
    ladder(page)
    choose_another(page)
    handle = ladder(page)
    near = page.locator(".ladder .near-row").nth(1).locator("canvas")
    handle.focus()
    handle.press("ArrowRight")
    first = [picture(one) for one in near.all()]
    drag_to_the_end(page)
    assert [picture(one) for one in near.all()] != first, "who is near changes on the way"
    page.get_by_text("3rd", exact=True).click()
    page.wait_for_url(re.compile("neighbour=3"), timeout=PATIENCE)
    drag_to_the_end(page)


@pytest.mark.slow
def test_ten_samples_one_through_time_and_the_opposite(visit: Visit) -> None:
    page = visit("/uae?v=1&data=digits")
    ladder(page)
    choose_another(page)
    drag_to_the_end(page)
    page.get_by_text("Most similar, mistaken", exact=True).click()
    settled(page)
    drag_to_the_end(page)
    page.get_by_role("link", name=re.compile("Attack this model otherwise")).click()
    page.wait_for_url(re.compile(r"/attack\?.*attack=minmax"), timeout=PATIENCE)


@pytest.mark.slow
def test_an_autoencoder_is_augmented_and_its_bars_are_drawn(visit: Visit) -> None:
    page = visit("/uae?v=1&data=digits&tab=augment&size=quick&method=dense_ae&seeds=1")
    page.get_by_role("button", name=re.compile("Augment$")).click()
    page.get_by_text("test error against the control for equal steps, in one seed").wait_for(
        timeout=TRAININGS
    )
    bars = page.locator(".js-plotly-plot .bars .point")
    expect(bars).to_have_count(5)
    page.get_by_role("link", name=re.compile("Attack this model")).click()
    page.wait_for_url(re.compile(r"/attack\?.*model="), timeout=PATIENCE)
    ladder(page)
