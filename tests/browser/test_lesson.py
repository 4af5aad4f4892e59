"""A student goes through the first lesson in a real browser, on a machine without MNIST: predicts, drags,
checks, reads a number off, and keeps everything over a reload.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import PATIENCE, ladder, settled


@pytest.mark.slow
def test_a_student_finishes_the_first_lesson(visit: Callable[..., Page]) -> None:
    page = visit("/lessons?lesson=noise&lang=en")
    panel = page.locator(".st-key-lesson_panel")

    def step(number: int) -> None:
        expect(panel.get_by_text(f"Step {number} of 5")).to_be_visible(timeout=PATIENCE)

    def on(number: int) -> None:
        settled(page)
        panel.get_by_role("button", name="Next").click()
        step(number)

    step(1)
    panel.locator(".stButtonGroup").get_by_text("The attack", exact=True).click()
    expect(panel.get_by_text("and so it is")).to_be_visible(timeout=PATIENCE)
    on(2)
    handle = ladder(page)
    handle.focus()
    handle.press("Home")
    page.wait_for_url(re.compile(r"eps=0\.0796875"), timeout=PATIENCE)
    panel.get_by_role("button", name="Check").click()
    expect(panel.get_by_text("Right.")).to_be_visible(timeout=PATIENCE)
    on(3)
    panel.locator(".stButtonGroup").get_by_text("more than 8 in 10", exact=True).click()
    expect(page.get_by_text("Which samples broke")).to_be_visible(timeout=PATIENCE)
    on(4)
    ladder(page)
    assert "attack_settings" not in page.url, "no setting changes on the way from Inspect to Attack"
    panel.get_by_role("spinbutton").fill("0.033")
    panel.get_by_role("spinbutton").press("Enter")
    expect(panel.get_by_text("Right.")).to_be_visible(timeout=PATIENCE)
    on(5)
    page.reload()
    expect(panel.get_by_text("Done: 4 of 4 answers right.")).to_be_visible(timeout=PATIENCE)
    expect(panel.get_by_role("button", name="Next lesson: ")).to_be_enabled()
