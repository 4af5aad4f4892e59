"""A person draws a digit, sees it flip, fixes a part of it, and sends the link; then compares two models."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_journey import level, picture, settled
from tests.conftest import PATIENCE

Visit = Callable[..., Page]
FOUR = (((120, 40), (70, 150), (220, 150)), ((170, 90), (170, 250)))


def draw(page: Page, paper: Locator, *strokes: tuple[tuple[int, int], ...], side: int = 280) -> None:
    """Draw lines with the mouse, in pixels of a paper of this side."""
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box is not None
    for points in strokes:
        places = [(box["x"] + x * box["width"] / side, box["y"] + y * box["width"] / side) for x, y in points]
        page.mouse.move(*places[0])
        page.mouse.down()
        for _, place in pairwise(places):
            page.mouse.move(*place, steps=6)
        page.mouse.up()


@pytest.mark.slow
def test_a_drawing_is_attacked_and_its_link_shows_it(visit: Visit) -> None:
    page = visit("/attack?data=digits&model=digits/adec&umap=0")
    page.get_by_text("Draw one").click(timeout=PATIENCE)
    paper = page.locator("canvas.paper")
    paper.wait_for(timeout=PATIENCE)
    settled(page)
    draw(page, paper, *FOUR)
    expect(page.get_by_text("The model puts it into cluster")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url(re.compile(r"own=[0-9a-f]{12}"), timeout=PATIENCE)
    settled(page)
    seen, link = picture(page.locator(".ladder canvas.clean")), page.url
    other = visit("/" + link.split("/", 3)[3])
    other.locator(".ladder .track").wait_for(timeout=PATIENCE)
    settled(other)
    assert picture(other.locator(".ladder canvas.clean")) == seen, "a copied link shows the same"
    page.get_by_text("Fix a region").click()
    marks = page.get_by_role("application", name="what is marked may not change")
    marks.wait_for(timeout=PATIENCE)
    draw(page, marks, ((1, 1), (6, 1)), side=8)
    page.wait_for_url(re.compile(r"fixed=[\w-]+"), timeout=PATIENCE)
    expect(page.get_by_text("of 64 pixels fixed").first).to_be_visible(timeout=PATIENCE)
    marks.focus()
    page.keyboard.press("Backspace")
    expect(page.get_by_text("of 64 pixels fixed")).to_have_count(0, timeout=PATIENCE)


@pytest.mark.long
def test_the_paper_is_drawn_on_by_keys(visit: Visit) -> None:
    page = visit("/attack?data=digits&model=digits/adec&umap=0")
    page.get_by_text("Draw one").click(timeout=PATIENCE)
    page.locator("canvas.paper").wait_for(timeout=PATIENCE)
    settled(page)
    page.locator("canvas.paper").focus()
    for key in [" ", *["ArrowDown"] * 8, " "]:
        page.keyboard.press(key)
    expect(page.get_by_text("The model puts it into cluster")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw something")).to_be_visible(timeout=PATIENCE)


def test_one_handle_moves_every_slot_without_the_server(visit: Visit) -> None:
    page = visit("/compare?data=digits")
    track = page.locator(".slot-track")
    track.wait_for(timeout=PATIENCE)
    settled(page)
    before = [picture(canvas) for canvas in page.locator(".slots canvas.attacked").all()]
    assert len(before) == 2
    asked: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: asked.append("sent")))
    box = track.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=8)
    held = level(page)
    moved = [picture(canvas) for canvas in page.locator(".slots canvas.attacked").all()]
    assert all(old != new for old, new in zip(before, moved, strict=True)) and not asked
    page.mouse.up()
    page.wait_for_url(re.compile(r"eps=0\.2"), timeout=PATIENCE)
    settled(page)
    assert level(page) == held
    expect(page.get_by_text("the other way round on")).to_be_visible(timeout=PATIENCE)
    with page.expect_download() as download:
        page.get_by_role("group", name="Save this moment").get_by_role("button", name="SVG").click()
    svg = Path(download.value.path()).read_text(encoding="utf-8")
    assert svg.count("data:image/png;base64,") == 6, "three pictures a slot"
    assert page.locator(".slot-control .value").inner_text() in svg and svg.count("A: ") == 1
    with page.expect_download() as download:
        page.get_by_role("group", name="Save this moment").get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) % 2 == 1 and sum(line.startswith('"B"') for line in lines) == len(lines) // 2
