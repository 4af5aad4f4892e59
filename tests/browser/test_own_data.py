"""A stranger brings a .zip of pictures in a real Chromium: reads what is in it, keeps it and trains on it."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import violations
from tests.browser.test_journey import settled
from tests.engine.data.test_own_kept import KINDS, pictures


@pytest.mark.slow
def test_own_pictures_are_read_kept_and_trained_on(
    visit: Callable[..., Page], tmp_path: Path, shots: Path
) -> None:
    folder = pictures(tmp_path / "walk", 8)
    with zipfile.ZipFile(tmp_path / "walk.zip", "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder))
    page = visit("/data?v=1&data=digits&tab=bring")
    settled(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "walk.zip")
    expect(page.get_by_role("heading", name="As the machine sees it")).to_be_visible()
    settled(page)
    assert page.locator(".feint-grid img").count() == 12 and page.get_by_alt_text(KINDS[0]).count() == 4
    assert violations(page) == []
    page.screenshot(path=shots / "own-data.png", full_page=True)
    page.get_by_label("Call it").fill("My walk")
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_text("My walk is kept")).to_be_visible()
    settled(page)
    assert "which=my-walk" in page.url and "data=my-walk" in page.url
    page.get_by_role("link", name="Train on it").click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    settled(page)
    assert "data=my-walk" in page.url and "/train" in page.url
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Stop and keep").first.click()
