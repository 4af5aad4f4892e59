"""What a person takes away: a figure as SVG and PNG, and a report of views that were kept in the browser."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_journey import settled


def saved(page: Page, button: str, folder: Path) -> Path:
    """The file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).first.click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


@pytest.mark.long
def test_a_figure_and_a_report_are_taken_away(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit("/defend?v=1&data=digits")
    settled(page)
    page.get_by_text("Table, and this figure to take away").first.click()
    settled(page)
    svg = ElementTree.parse(saved(page, "SVG", tmp_path)).getroot()
    assert sum(len(text.text or "") for text in svg.iter("{http://www.w3.org/2000/svg}text")) > 50
    picture = Image.open(saved(page, "PNG", tmp_path))
    assert picture.width == 3 * int(svg.attrib["width"]) and len(picture.getcolors(1 << 24) or []) > 20
    page.get_by_role("button", name="Keep this view for a report").click()
    expect(page.get_by_text("1 view kept in this browser.")).to_be_visible()
    title = page.get_by_role("heading", level=1).inner_text()
    report = saved(page, "Report (HTML)", tmp_path).read_text(encoding="utf-8")
    assert title in report and "data:image/svg" in report and "python3 -m engine study" in report
    assert "http" not in report.split(page.url.split("/defend")[0])[0].replace("http-equiv", "")
    cells = json.loads(saved(page, "Notebook", tmp_path).read_text(encoding="utf-8"))["cells"]
    assert "pip install notebook" in cells[0]["source"]
    assert title in cells[1]["source"] and cells[2]["cell_type"] == "code"
    page.get_by_role("button", name="Empty it").click()
    expect(page.get_by_text("kept in this browser.")).to_have_count(0)


def lines(table: Locator) -> list[list[str]]:
    """What the lines of a table say, word by word."""
    return [text.split() for text in table.locator("tr").all_inner_texts()]


@pytest.mark.long
def test_pictures_of_pickers_and_tables_come_along_in_a_report(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/attack?v=1&data=digits")
    cells = page.locator(".picker .cell:visible")
    expect(cells.first).to_be_visible()
    settled(page)
    captions = cells.locator(".caption").all_inner_texts()
    bars = page.locator(".bars .row:visible .name").all_inner_texts()
    page.get_by_role("button", name="Keep this view for a report").click()
    page.goto(f"{page.url.split('/attack')[0]}/data?v=1&data=digits")
    table = page.get_by_test_id("stTable").first
    expect(table).to_be_visible()
    settled(page)
    rows = lines(table)
    page.get_by_role("button", name="Keep this view for a report").click()
    report = saved(page, "Report (HTML)", tmp_path)
    page.goto(report.as_uri())
    assert rows and rows in [lines(table) for table in page.locator("table").all()]
    figures = page.locator("figure", has=page.locator("img")).locator("figcaption").all_inner_texts()
    assert captions and set(captions) <= set(figures)
    assert bars and all(
        any(said.startswith(f"{name} · ") and "%" in said for said in figures) for name in bars
    )
    last = page.locator("figure", has=page.get_by_text(captions[-1], exact=True)).locator("img").last
    src = (last.get_attribute("src") or "").removeprefix("data:image/png;base64,")
    assert len(Image.open(io.BytesIO(base64.b64decode(src))).getcolors() or []) > 5
    assert page.locator('img[alt="picture"]').count() == 0


@pytest.mark.long
def test_claims_are_taken_away_with_their_commands(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit("/claims?v=1&data=digits")
    settled(page)
    commands = [
        code.strip() for code in page.get_by_test_id("stCode").locator("code:visible").all_inner_texts()
    ]
    page.get_by_role("button", name="Keep this view for a report").click()
    report = saved(page, "Report (HTML)", tmp_path)
    cells = json.loads(saved(page, "Notebook", tmp_path).read_text(encoding="utf-8"))["cells"]
    assert [cell["source"] for cell in cells[2:]] == [f"!{line}" for line in commands] and len(commands) > 20
    page.goto(report.as_uri())
    assert page.locator("pre").all_inner_texts() == commands
