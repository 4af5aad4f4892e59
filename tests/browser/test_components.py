"""The three components in a real browser: what a hand does, what it costs, and what goes to the server."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from app.components.ladder import ladder_payload
from app.components.map import Classes, MapDrawing, map_payload
from app.components.standalone import standalone_html
from tests.browser.harness import samples
from tests.conftest import PATIENCE, ROOT, answers, end, free_port, wait_until

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def harness() -> Iterator[str]:
    """The address of a page server with nothing but the components."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "tests/browser/harness/page.py",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ.copy(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), 240, "the components' page")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


@pytest.fixture
def opened(browser: Browser, harness: str) -> Iterator[Opened]:
    """`opened("show=ladder", width=390)` -> a page with that component; an error in its script or an outside
    address fails the test.
    """
    contexts, wrong = [], []

    def page_of(
        query: str, width: int = 1280, height: int = 1000, dark: bool = False, **options: object
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: (
                wrong.append(request.url)
                if not re.match(r"(http|ws)://127\.0\.0\.1|blob:|data:|file:", request.url)
                else None
            ),
        )
        page.goto(query if query.startswith("file:") else f"{harness}/?{query}")
        page.wait_for_selector(".feint > *", timeout=PATIENCE)
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert not wrong, wrong


def data(page: Page, name: str) -> str:
    """What a component notes on its root."""
    return str(page.locator(".feint").evaluate("(root, name) => root.dataset[name]", name))


def saved(page: Page, button: str, folder: Path) -> Path:
    """The file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def drew(page: Page, more: int) -> None:
    """Wait until a component, untouched, has drawn more than so many further frames."""
    wanted = int(data(page, "frames")) + more
    becomes(page, lambda: int(data(page, "frames")) > wanted, f"more than {wanted} frames")


def becomes(page: Page, true: Callable[[], bool], what: str) -> None:
    """Wait until something on a page is so; its events go on meanwhile."""
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        page.wait_for_timeout(50)


def runs(page: Page) -> int:
    """How often the script ran for this visitor."""
    return int(page.get_by_text(re.compile("^runs: ")).inner_text().split()[1])


def fingerprint(canvas: Locator) -> str:
    """The canvas as PNG."""
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def drag_along(page: Page, start: float, end_at: float, steps: int = 30) -> None:
    """Hold the slider at a share of its width and move; the button stays down."""
    box = page.get_by_role("slider").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(
            box["x"] + (start + (end_at - start) * step / steps) * box["width"], box["y"] + box["height"] / 2
        )
        page.evaluate("() => new Promise(requestAnimationFrame)")


def test_the_ladder_moves_with_the_hand_and_reports_once(opened: Opened) -> None:
    page = opened("show=ladder&factor=3")
    pictures = {
        name: fingerprint(page.locator(f"canvas.{name}"))
        for name in ("clean", "delta", "attacked", "recon", "map")
    }
    before, frames = runs(page), int(data(page, "frames"))
    drag_along(page, 0.1, 0.9)
    assert runs(page) == before, "a run of the script while dragging"
    changed = {
        name for name, picture in pictures.items() if fingerprint(page.locator(f"canvas.{name}")) != picture
    }
    assert changed == {"delta", "attacked", "recon", "map"}
    assert int(data(page, "frames")) - frames >= 20
    assert page.locator(".ladder .share").first.inner_text().endswith("%")
    page.mouse.up()
    level = data(page, "level")
    expect(page.get_by_text(re.compile("^released: "))).to_have_text(f"released: {level}")
    wait_until(lambda: runs(page) > before, PATIENCE / 1000, "the number of runs, which comes last")
    assert runs(page) == before + 1


def test_the_bars_of_a_ladder_begin_with_the_largest_change_where_it_flips(opened: Opened) -> None:
    page = opened("show=ladder")
    page.locator(".ladder .row").first.wait_for()
    page.locator(".ladder .track").press("Home")
    texts = page.locator(".ladder .row .moved").all_inner_texts()
    changes = [int(text[1:] or 0) for text in texts]
    assert changes == sorted(changes, reverse=True) and changes[0] > changes[-1]


def test_a_frame_of_the_ladder_is_short(opened: Opened) -> None:
    page = opened("show=ladder&factor=3")
    drag_along(page, 0.05, 0.5, steps=10)
    page.locator(".feint").evaluate(
        "root => { root.durations = []; new MutationObserver(() =>"
        " root.durations.push(+root.dataset.frameMs)).observe(root, { attributes: true, attributeFilter:"
        " ['data-frames'] }) }"
    )
    box = page.get_by_role("slider").bounding_box()
    assert box is not None
    for step in range(30):
        page.mouse.move(box["x"] + (0.5 + 0.4 * step / 30) * box["width"], box["y"] + 10)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.up()
    durations = sorted(page.locator(".feint").evaluate("root => root.durations"))
    print(
        f"ladder frame: median {durations[len(durations) // 2]:.2f} ms, slowest {durations[-1]:.2f} ms of"
        f" {len(durations)}"
    )
    assert len(durations) >= 15
    assert durations[len(durations) // 2] < 8


def test_the_ladder_by_keyboard(opened: Opened) -> None:
    page = opened("show=ladder")
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    flip = int(data(page, "level"))
    for key, level in (
        ("ArrowRight", flip + 1),
        ("Shift+ArrowRight", flip + 6),
        ("ArrowLeft", flip + 5),
        ("Home", flip),
        ("End", 64),
    ):
        slider.press(key)
        expect(page.locator(".feint")).to_have_attribute("data-level", str(level))
    assert "epsilon 0.300" in (slider.get_attribute("aria-valuetext") or "")
    expect(page.get_by_text(re.compile("^released: "))).to_have_text("released: 64")
    expect(page.locator(".ladder [aria-live]")).to_contain_text("Noise of the same size")
    slider.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    slider.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_ladder_plays_by_itself_unless_motion_is_unwelcome(opened: Opened) -> None:
    page = opened("show=ladder&autoplay=1")
    drew(page, 5)
    assert runs(page) == 1
    still = opened("show=ladder&autoplay=1", reduced_motion="reduce")
    first = data(still, "frames")
    still.wait_for_timeout(500)
    assert data(still, "frames") == first


@pytest.mark.long
@pytest.mark.parametrize("axis", ["path", "lambda"])
def test_the_other_ladders(opened: Opened, axis: str) -> None:
    page = opened(f"show=ladder&axis={axis}&levels=21")
    slider = page.get_by_role("slider")
    slider.press("End")
    expect(slider).to_have_attribute(
        "aria-valuetext", re.compile({"path": "step 20 of 20", "lambda": "lambda 2.00"}[axis])
    )


def test_a_ladder_without_groups_draws_the_value_and_no_bars(opened: Opened, shots: Path) -> None:
    page = opened("show=ladder&nothing=1")
    slider = page.get_by_role("slider")
    curve = fingerprint(page.locator("canvas.curve"))
    slider.press("End")
    expect(page.locator(".ladder .bars")).to_be_hidden()
    expect(page.locator(".ladder .badge")).to_be_hidden()
    expect(page.locator(".ladder .now")).to_have_text(
        re.compile(r"^moves the picture by [\d.]+ · noise of the")
    )
    expect(page.locator(".ladder .key")).to_contain_text("value of the objective")
    assert curve and re.search(r"epsilon 0.300.*, [\d.]+$", slider.get_attribute("aria-valuetext") or "")
    page.screenshot(path=shots / "ladder-without-groups.png", full_page=True)


@pytest.mark.long
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_the_ladder_fits_its_page(opened: Opened, shots: Path, width: int, dark: bool) -> None:
    page = opened("show=ladder&sample=9", width=width, height=1000 if width > 1000 else 844, dark=dark)
    slider = page.get_by_role("slider").bounding_box()
    assert slider is not None and slider["y"] + slider["height"] <= 844, (
        "picture and slider are seen without scrolling"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.screenshot(path=shots / f"ladder-{width}-{'dark' if dark else 'light'}.png", full_page=True)


def test_the_ladder_saves_its_moment_and_its_levels(opened: Opened, tmp_path: Path) -> None:
    page = opened("show=ladder&sample=9")
    svg = ElementTree.parse(saved(page, "SVG", tmp_path)).getroot()
    space = "{http://www.w3.org/2000/svg}"
    pictures = [image.attrib["href"] for image in svg.iter(f"{space}image")]
    assert len(set(pictures)) == 3 and all(href.startswith("data:image/png;base64,") for href in pictures)
    words = " ".join(text.text or "" for text in svg.iter(f"{space}text"))
    assert page.locator(".ladder .value").inner_text() in words and "ε* ≤" in words
    assert len(list(svg.iter(f"{space}path"))) >= 2, "the curve and the area under it"
    colours = re.findall(r'(?:fill|stroke)="([^"]+)"', ElementTree.tostring(svg).decode())
    assert all(re.fullmatch(r"none|#[0-9a-f]{6}", colour) for colour in colours), (
        "as every program reads them"
    )
    picture = Image.open(saved(page, "PNG", tmp_path))
    assert picture.width == 3 * int(svg.attrib["width"]) and len(picture.getcolors(1 << 24) or []) > 20
    with saved(page, "CSV", tmp_path).open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    answer = samples.ladder_drawing(9).answer
    assert np.allclose([float(row["epsilon"]) for row in rows], answer.levels, atol=1e-6)
    assert answer.q is not None
    assert [row["group"] for row in rows] == [answer.group_names[k] for k in answer.q.argmax(1)]
    assert np.allclose([float(row["q_own"]) for row in rows], answer.q[:, answer.own_group], atol=1e-6)


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw a closed shape with corners given as shares of the map."""
    box = page.locator(".map .over").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


@pytest.mark.long
@pytest.mark.parametrize("n", [10_000, 70_000])
def test_a_lasso_is_quick_and_small(opened: Opened, n: int) -> None:
    clock = time.monotonic()
    page = opened(f"show=map&n={n}")
    drawn = time.monotonic() - clock
    sent: list[int] = []
    expect(page.get_by_text("selected: none")).to_be_visible()
    listener = page.context.new_cdp_session(page)
    listener.send("Network.enable")
    listener.on(
        "Network.webSocketFrameSent", lambda event: sent.append(len(event["response"]["payloadData"]))
    )
    lasso(page, [(0.02, 0.02), (0.6, 0.03), (0.62, 0.97), (0.02, 0.95)])
    began = page.evaluate("performance.now()")
    expect(page.get_by_text(re.compile(r"^selected: \d+"))).to_be_visible()
    took = page.evaluate("performance.now()") - began
    chosen = int(data(page, "selected"))
    assert page.get_by_text(re.compile(r"^selected: \d+")).inner_text() == f"selected: {chosen}"
    assert n / 4 < chosen < n
    becomes(page, lambda: sum(sent) > 0, "the selection on its way")
    print(
        f"map of {n}: there after {drawn:.2f} s, painted in {data(page, 'paintMs')} ms, lasso of {chosen} in"
        f" {data(page, 'lassoMs')} ms, back in {took:.0f} ms, {sum(sent)} bytes up"
    )
    assert 0 < sum(sent) <= 20_000


def test_a_selection_survives_recolouring_and_escape_clears_it(opened: Opened) -> None:
    page = opened("show=map&n=2000")
    lasso(page, [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)])
    expect(page.get_by_text(re.compile(r"^selected: \d+"))).to_be_visible()
    chosen = data(page, "selected")
    assert re.search(r"\d+ / \d+", page.locator(".map .legend").inner_text())
    page.get_by_text("margin", exact=True).click()
    expect(page.locator(".map .ramp")).to_be_visible()
    assert data(page, "selected") == chosen
    page.locator(".map .over").press("Escape")
    expect(page.get_by_text("selected: none")).to_be_visible()


def test_a_box_a_legend_and_a_click(opened: Opened) -> None:
    page = opened("show=digits")
    page.get_by_role("button", name=re.compile("^Box")).click()
    lasso(page, [(0.01, 0.01), (0.99, 0.99)])
    expect(page.get_by_text("selected: 1797")).to_be_visible()
    page.locator(".map .legend button").nth(3).click()
    wanted = page.locator(".map .legend button").nth(3).inner_text().split("/")[1].strip()
    expect(page.get_by_text(f"selected: {wanted}")).to_be_visible()
    page.locator(".map .over").press("Escape")
    box = page.locator(".map .over").bounding_box()
    assert box is not None
    for share in (0.5, 0.45, 0.4, 0.55, 0.6):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        page.wait_for_timeout(80)
        if page.locator(".map .card").is_visible():
            break
    card = page.locator(".map .card")
    expect(card).to_be_visible()
    assert card.locator(".thumb").count() == 1
    sample = re.search(r"sample (\d+)", card.inner_text())
    assert sample is not None
    page.mouse.click(box["x"] + share * box["width"], box["y"] + share * box["height"])
    expect(page.get_by_text(re.compile(r"^point: "))).to_have_text(f"point: {sample[1]}")


def test_points_move_from_clean_to_attacked(opened: Opened) -> None:
    page = opened("show=map&n=3000")
    before, count = fingerprint(page.locator(".map .points")), runs(page)
    page.locator(".map .mover input").press("End")
    becomes(page, lambda: fingerprint(page.locator(".map .points")) != before, "points that move")
    assert runs(page) == count


def test_the_wheel_zooms_only_where_it_is_meant(opened: Opened) -> None:
    page = opened("show=map&n=3000")
    points, over = page.locator(".map .points"), page.locator(".map .over")
    before = fingerprint(points)
    over.hover()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(200)
    assert fingerprint(points) == before, "the page scrolls, the map stays"
    over.focus()
    page.mouse.wheel(0, -300)
    becomes(page, lambda: fingerprint(points) != before, "a closer look")
    over.press("0")
    becomes(page, lambda: fingerprint(points) == before, "the whole map")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_the_map_fits_its_page(opened: Opened, shots: Path, width: int, dark: bool) -> None:
    page = opened("show=digits", width=width, dark=dark)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.screenshot(path=shots / f"map-{width}-{'dark' if dark else 'light'}.png")


def test_the_wipe_by_hand_and_by_keyboard(opened: Opened, shots: Path) -> None:
    page = opened("show=wipe", width=700)
    handle, count = page.get_by_role("slider"), runs(page)
    for key, share in (("ArrowRight", "55"), ("Shift+ArrowLeft", "30"), ("End", "100"), ("Home", "0")):
        handle.press(key)
        expect(handle).to_have_attribute("aria-valuenow", share)
    page.get_by_role("button", name="Side by side").click()
    first, second = (page.locator(".wipe img").nth(place).bounding_box() for place in (0, 1))
    assert first is not None and second is not None and first["x"] + first["width"] < second["x"]
    page.get_by_role("button", name="Blink").click()
    expect(page.locator(".wipe img").nth(0)).to_be_hidden()
    expect(page.locator(".wipe img").nth(0)).to_be_visible()
    assert runs(page) == count
    page.screenshot(path=shots / "wipe-700-light.png")


@pytest.mark.long
def test_a_matrix_reports_cells_and_headers(opened: Opened, harness: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.goto(f"{harness}/?show=charts")
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot")).to_have_count(6, timeout=PATIENCE)
    place = """(plot, [x, y]) => {
        const { _size, xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
        return [box.x + _size.l + xaxis.c2p(x), box.y + _size.t + yaxis.c2p(y)];
    }"""
    for row, column in ((3, 3), (9, 0), (4, -1), (-1, 7)):
        page.mouse.click(*plot.evaluate(place, [column, row]))
        expect(page.get_by_text(re.compile("^cell: "))).to_have_text(f"cell: ({row}, {column})")
        page.wait_for_timeout(
            400
        )  # a second click sooner than 0.3 s is a double click, which selects nothing
    context.close()


def test_a_ladder_plays_from_one_file(opened: Opened, shots: Path, tmp_path: Path) -> None:
    payload = ladder_payload(samples.ladder_drawing(9)) | {"autoplay": True}
    file = tmp_path / "ladder.html"
    file.write_text(
        standalone_html("ladder", payload, "A <nine> & more", "Made by Feint; </script> is harmless here."),
        encoding="utf-8",
    )
    page = opened(file.as_uri(), width=390, height=844, dark=True, offline=True)
    drew(page, 3)
    assert page.title() == "A <nine> & more"
    drag_along(page, 0.2, 0.8, steps=10)
    page.mouse.up()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.screenshot(path=shots / "standalone-390-dark.png")


def test_a_ladder_of_a_table_draws_signed_bars_of_features(
    opened: Opened, shots: Path, tmp_path: Path
) -> None:
    drawing = samples.table_drawing(9)
    payload = ladder_payload(drawing)
    file = tmp_path / "table.html"
    file.write_text(standalone_html("ladder", payload, "A table", "Made up."), encoding="utf-8")
    page = opened(file.as_uri(), width=390, height=844, offline=True)
    rows = page.locator(".feature-row")
    rows.first.wait_for()
    assert rows.count() == 12 and not page.locator(".ladder .hero").is_visible()
    answer, level = drawing.answer, int(page.locator("[data-level]").first.get_attribute("data-level") or 0)
    moved = answer.delta[level]
    first = int(np.abs(answer.delta[drawing.answer.start]).argmax())
    assert rows.first.locator(".feature-name").inner_text() == f"feature {first + 1}"
    before = float(-1 + 4 * answer.clean[first])
    after = before + 4 * float(moved[first])
    told = [float(text) for text in rows.first.locator(".feature-number").inner_text().split(" → ")]
    assert told == pytest.approx([before, after], abs=0.03)
    side = "less" if moved[first] < 0 else "more"
    assert rows.first.locator(f".{side}").count() == 1
    assert not re.search("pixel|image|picture|/255", page.locator(".features").inner_text(), re.IGNORECASE)
    svg = ElementTree.parse(saved(page, "SVG", tmp_path)).getroot()
    space = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in svg.iter(f"{space}text")]
    assert set(page.locator(".feature-name").all_inner_texts()) <= set(words), "bars in place of pictures"
    assert not list(svg.iter(f"{space}image"))
    assert saved(page, "PNG", tmp_path).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "of each feature's range" in page.locator(".reading").inner_text()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.screenshot(path=shots / "ladder-table-390.png")


def test_a_map_works_from_one_file(opened: Opened, tmp_path: Path) -> None:
    places, moved, codes = samples.many_points(500)
    payload = map_payload(
        MapDrawing(
            xy=places,
            colour=Classes("cluster", codes, [f"</b>{k}" for k in range(10)]),
            title="Blobs",
            caption="Made up.",
            xy_attacked=moved,
        )
    )
    file = tmp_path / "map.html"
    file.write_text(standalone_html("map", payload, "Blobs", "Made up."), encoding="utf-8")
    page = opened(file.as_uri(), offline=True)
    lasso(page, [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99)])
    assert data(page, "selected") == "500"
    assert json.loads(page.locator("#payload").inner_text())["title"] == "Blobs"
    svg = ElementTree.parse(saved(page, "SVG", tmp_path)).getroot()
    dots = [dot for dot in svg.iter("{http://www.w3.org/2000/svg}circle") if "r" in dot.attrib]
    assert len(dots) == 500 + 10, "points, and a name for each colour"
    assert len(Image.open(saved(page, "PNG", tmp_path)).convert("RGB").getcolors(1 << 24) or []) > 20
    with saved(page, "CSV", tmp_path).open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["cluster"] for row in rows] == [f"</b>{k}" for k in codes]
    wide = np.ptp(places[:, 0])
    told = np.array([float(row["x_attacked"]) - float(row["x"]) for row in rows])
    assert np.abs(told - (moved - places)[:, 0]).max() < 1e-3 * wide
