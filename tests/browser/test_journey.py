"""The journey of a person through the whole app, in a real Chromium on one server: look, drag, inspect,
sweep, train, share, take away.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.store.store import Store
from tests.conftest import PATIENCE, Server, wait_until

Visit = Callable[..., Page]
SWEEP = "/curves?v=1&model=digits/adec&attack=fgsm&n=60&tab=epsilon"


def settled(page: Page) -> None:
    """Wait until the page's script has run and nothing it drew is still on its way."""
    page.wait_for_timeout(250)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)


def picture(canvas: Locator) -> str:
    """What a canvas shows."""
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def ladder(page: Page) -> Locator:
    """The handle of the ladder on a page, once it is there."""
    handle = page.locator(".ladder .track")
    handle.first.wait_for(timeout=PATIENCE)
    settled(page)
    expect(handle).to_have_count(1)
    handle.scroll_into_view_if_needed()
    return handle


def level(page: Page) -> str:
    """The level that the ladder shows."""
    return str(page.locator("[data-level]").first.get_attribute("data-level"))


def numbers(page: Page, names: list[str]) -> dict[str, str | None]:
    """Parameters of the page's address."""
    found = {name: re.search(rf"[?&]{name}=([^&]*)", page.url) for name in names}
    return {name: match[1] if match else None for name, match in found.items()}


def press(page: Page, plot: Locator, where: str, of: object) -> None:
    """Click a place of a figure as a hand does: once the figure knows on what the pointer rests, and again
    where it was drawn anew meanwhile and saw no click.
    """
    plot.scroll_into_view_if_needed()

    def seen() -> bool:
        x, y = plot.evaluate(where, of)
        if not (math.isfinite(x) and math.isfinite(y)):
            return False
        page.mouse.move(x + 2, y)
        page.mouse.move(x, y)
        page.wait_for_timeout(200)
        if not plot.evaluate("plot => (plot._hoverdata ?? []).length"):
            return False
        plot.evaluate("plot => { window.seen = 0; plot.once('plotly_click', () => { window.seen = 1; }); }")
        page.mouse.click(x, y)
        page.wait_for_timeout(500)
        return bool(page.evaluate("window.seen"))

    wait_until(seen, PATIENCE / 1000, "the figure to see the click")


def click_point(page: Page, plot: Locator, trace: str, place: int) -> None:
    """Click the point of a curve, once it is there."""
    where = """(plot, [name, place]) => {
        const trace = (plot._fullData ?? []).find((trace) => trace.name === name);
        if (!trace) return [NaN, NaN];
        const { x, y } = trace;
        const { _size, xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
        return [box.x + _size.l + xaxis.c2p(x[place]), box.y + _size.t + yaxis.c2p(y[place])];
    }"""
    press(page, plot, where, [trace, place])


def click_cell(page: Page, plot: Locator, row: int, column: int) -> None:
    """Click the cell of a matrix."""
    where = """(plot, [row, column]) => {
        const { _size, xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
        return [box.x + _size.l + xaxis.c2p(column), box.y + _size.t + yaxis.c2p(row)];
    }"""
    press(page, plot, where, [row, column])


def test_home_plays_before_anybody_clicks(visit: Visit) -> None:
    page = visit("/")
    canvas = page.locator(".ladder canvas.attacked")
    canvas.wait_for(timeout=PATIENCE)
    first = picture(canvas)
    wait_until(lambda: picture(canvas) != first, 3, "the picture on Home to move by itself")


def test_a_drag_changes_the_pictures_and_asks_the_server_only_when_it_ends(
    visit: Visit, server: Server
) -> None:
    sent: list[object] = []
    page = visit("about:blank")
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server.url}/attack?v=1&model=digits/adec")
    box = ladder(page).bounding_box()
    assert box is not None
    canvas, y = page.locator(".ladder canvas.attacked"), box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], y)
    page.mouse.down()
    before, seen = len(sent), {picture(canvas)}
    for step in range(1, 21):
        page.mouse.move(box["x"] + (0.1 + 0.04 * step) * box["width"], y)
        page.evaluate("() => new Promise(requestAnimationFrame)")
        seen.add(picture(canvas))
    assert len(seen) >= 10 and len(sent) == before, (
        f"{len(seen)} pictures, {len(sent) - before} messages to the server"
    )
    page.mouse.up()
    settled(page)
    assert len(sent) > before
    wait_until(
        lambda: abs(float(numbers(page, ["eps"])["eps"] or 0) - 0.3 * int(level(page)) / 64) < 1e-5,
        20,
        "the ε of the picture in the address",
    )


@pytest.mark.slow
def test_a_weight_on_the_reconstruction_changes_the_attack(visit: Visit) -> None:
    page = visit("/attack?v=1&model=digits/adec&tab=epsilon")
    ladder(page)
    slider = page.get_by_role("slider", name=re.compile("^λ"))
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    page.wait_for_url("**lambda=3&**", timeout=PATIENCE)
    settled(page)
    expect(page.get_by_text(re.compile("3·reconstruction")).first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name="over λ").or_(page.get_by_text("over λ", exact=True)).first.click()
    page.wait_for_url("**tab=lambda**", timeout=PATIENCE)
    handle = ladder(page)
    handle.press("End")
    expect(handle).to_have_attribute("aria-valuetext", re.compile("^lambda"))


def test_a_cell_of_the_matrix_shows_its_samples(visit: Visit, shots: Path) -> None:
    page = visit("/inspect?v=1&model=digits/adec&n=200")
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for(timeout=PATIENCE)
    settled(page)
    everything = page.get_by_text(re.compile(r"^All 200 samples"))
    expect(everything).to_be_visible()
    click_cell(page, plot, 0, 0)
    expect(everything).to_have_count(0, timeout=PATIENCE)
    settled(page)
    chosen = re.search(r"(\d+) / 200", page.locator(".st-key-inspect_chips").inner_text())
    assert chosen is not None and 0 <= int(chosen[1]) < 200
    click_cell(page, page.locator(".js-plotly-plot").first, 0, -1)
    expect(page.locator(".picker .cell").first).to_be_visible(timeout=PATIENCE)
    page.screenshot(path=shots / "journey-inspect-cell.png")


def run_of(url: str) -> str:
    """The run that an address names; "" for none."""
    return parse_qs(urlsplit(url).query).get("run", [""])[0]


@pytest.mark.long
def test_a_sweep_fills_and_a_point_opens_its_images(visit: Visit, shots: Path) -> None:
    page = visit(SWEEP)
    page.get_by_role("button", name="Start the sweep").wait_for(timeout=PATIENCE)
    settled(page)
    seeds = page.get_by_role("spinbutton", name="Attack seeds")
    seeds.fill("2")
    seeds.press("Enter")
    expect(page.get_by_text("14 cells of at most 60 samples")).to_be_visible(timeout=PATIENCE)
    settled(page)
    shipped = {run.key for run in Store().zoo().values()}
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_url(lambda url: run_of(url) not in ("", *shipped), timeout=PATIENCE)
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Every cell (CSV)").wait_for(timeout=PATIENCE)
    settled(page)
    assert re.fullmatch("[0-9a-f]{16}", numbers(page, ["run"])["run"] or "")
    click_point(page, plot, "this attack", 3)
    expect(page.get_by_role("heading", name="The samples behind ε = 0.15")).to_be_visible(timeout=PATIENCE)
    thumbnails = page.locator(".picker .cell")
    thumbnails.first.wait_for(timeout=PATIENCE)
    settled(page)
    assert thumbnails.count() == 48 and "→" in page.locator(".picker").inner_text()
    page.screenshot(path=shots / "journey-curves-images.png")
    captioned = thumbnails.nth(4).get_attribute("aria-label") or ""
    thumbnails.nth(4).click()
    wanted = re.search(r"sample (\d+)", captioned)
    assert wanted is not None
    page.wait_for_url(
        re.compile(rf"/attack\?.*attack=fgsm&.*eps=0\.15&.*sample={wanted[1]}&"), timeout=PATIENCE
    )
    page.locator(".ladder .track").wait_for(timeout=PATIENCE)


@pytest.mark.long
def test_a_training_outlives_a_reload_and_stops_when_told(visit: Visit, server: Server) -> None:
    page = visit("/train?v=1&data=digits&seed=3")
    page.get_by_role("button", name="Train", exact=True).wait_for(timeout=PATIENCE)
    settled(page)
    method = page.get_by_role("combobox", name=re.compile("Method"))
    method.click()
    page.get_by_role("option", name="AE + k-means").click()
    settled(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Stop and keep").wait_for(timeout=PATIENCE)
    page.wait_for_url("**run=**", timeout=PATIENCE)
    run = numbers(page, ["run"])["run"]
    assert run is not None
    expect(page.get_by_text(re.compile(r"\d of 2,000")).first).to_be_visible(timeout=PATIENCE)
    page.reload()
    page.get_by_role("button", name="Stop and keep").wait_for(timeout=PATIENCE)
    assert numbers(page, ["run"])["run"] == run and (server.home / "runs" / run).is_dir()
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_the_saved_ladder_plays_without_a_server(
    visit: Visit, browser: Browser, tmp_path: Path, shots: Path
) -> None:
    page = visit("/attack?v=1&model=digits/adec")
    ladder(page)
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="Ladder (HTML)").click()
    file = tmp_path / "ladder.html"
    download.value.save_as(file)
    phone = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    try:
        alone = phone.new_page()
        alone.goto(file.as_uri())
        canvas = alone.locator("canvas.attacked")
        canvas.wait_for()
        first = picture(canvas)
        wait_until(lambda: picture(canvas) != first, 3, "the saved ladder to play")
        assert alone.evaluate("() => document.documentElement.scrollWidth") <= 390
        alone.screenshot(path=shots / "journey-saved-ladder-390.png")
    finally:
        phone.close()
