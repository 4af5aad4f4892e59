"""A copied link shows somebody else the same: every page is changed by hand, its link is copied, and a second
browser that knows nothing of the first opens it.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_journey import PATIENCE, ladder, settled
from tests.conftest import Server

ATTACK = "/attack?model=digits/adec&umap=0"
SEEN = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const shown = (element) => element.offsetParent !== null;
  const every = (selector) => [...main.querySelectorAll(selector)].filter(shown);
  return {
    values: every("input")
      .map((field) => ["checkbox", "radio"].includes(field.type) ? field.checked : field.value),
    chosen: every('[aria-checked="true"], [aria-pressed="true"], [role="slider"]')
      .map((element) => element.getAttribute("aria-valuetext") || element.innerText),
    images: every("img").map((image) => image.src.split("/").pop()),
    plots: every(".js-plotly-plot")
      .map((plot) => JSON.stringify(plot._fullData.map(({ name, y, z }) => [name, y, z]))),
  };
}"""
"""What a page shows in its widgets, pictures and figures."""
DRAWN = "all => all.filter((one) => one.offsetParent !== null).map((one) => one.toDataURL())"


@pytest.fixture
def persons(browser: Browser, server: Server) -> Iterator[Callable[[], Page]]:
    """`persons()`: a page of somebody new, who may copy."""
    contexts: list[BrowserContext] = []

    def somebody() -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        return context.new_page()

    yield somebody
    for context in contexts:
        context.close()


def drag(page: Page) -> None:
    """Let the ladder go somewhere that is nobody's default."""
    before = page.url
    handle = ladder(page)
    handle.focus()
    handle.press("End")
    for key in ("Shift+ArrowLeft", "Shift+ArrowLeft", "ArrowLeft"):
        handle.press(key)
    page.wait_for_url(lambda url: url != before, timeout=PATIENCE)
    rested(page)


def rested(page: Page) -> None:
    """Wait until the last of several keys has come into the address."""
    before = ""
    while page.url != before:
        before = page.url
        page.wait_for_timeout(2000)
        settled(page)


def strengthen(page: Page) -> None:
    """Change what only the attack's own form knows."""
    ladder(page)
    page.get_by_role("button", name="More of this attack").click()
    page.get_by_text("Random start", exact=True).click()
    page.wait_for_url("**random_start**", timeout=PATIENCE)
    page.keyboard.press("Escape")
    drag(page)


def weigh_then_return(page: Page) -> None:
    """Let go over λ, then over ε: one axis knows nothing of the other's level."""
    drag(page)
    page.get_by_text("over ε", exact=True).first.click()
    page.wait_for_url("**tab=epsilon**", timeout=PATIENCE)
    drag(page)


def configure(page: Page) -> None:
    """Choose another method, preset and setting in the form of Train, and train nothing."""
    page.get_by_role("button", name="Train", exact=True).wait_for(timeout=PATIENCE)
    settled(page)
    page.get_by_role("combobox", name=re.compile("Method")).click()
    page.get_by_role("option", name="ACAI", exact=False).first.click()
    settled(page)
    page.get_by_text("Settings", exact=True).first.click()
    field = page.get_by_role("spinbutton", name=re.compile("^(?!Seed)")).first
    field.fill("77")
    field.press("Enter")
    page.wait_for_url("**settings=**", timeout=PATIENCE)
    page.get_by_text("Settings", exact=True).first.click()  # folded away, as somebody else finds it


def pick(page: Page) -> None:
    """Choose a row of the matrix and another sample."""
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for(timeout=PATIENCE)
    settled(page)
    page.get_by_role("button", name="Next").click()
    settled(page)


SCENES: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "home": ("/", None),
    "attack over ε": (ATTACK, drag),
    "attack, its own settings": (ATTACK, strengthen),
    "inspect": ("/inspect?model=digits/adec&n=60&pick=attacked:3:-1&view=attacked&eps=0.15", pick),
    "curves": ("/curves?model=digits/adec&along=lambda", None),
    "train": ("/train?data=digits", configure),
}
MORE: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "attack over λ, then ε": (f"{ATTACK}&tab=lambda&eps=0.2", weigh_then_return),
    "attack over the path": (f"{ATTACK}&tab=path&eps=0.2", drag),
    "attack over λ": (f"{ATTACK}&tab=lambda&eps=0.2", drag),
    "attack on the UMAP": ("/attack?model=digits/adec&umap=1", drag),
    "train, a run": ("/train?run=digits/adec", None),
    "runs": ("/runs", None),
    "multiview": ("/multiview?model=noisy_digits/comvc", drag),
    "robust": ("/robust?tab=nu", drag),
    "defend": ("/defend?tab=grid", None),
}
"""What pages show otherwise than they begin, and pages of the same parts; under the mark slow."""


@pytest.mark.long
@pytest.mark.parametrize("scene", [*SCENES, *(pytest.param(scene, marks=pytest.mark.slow) for scene in MORE)])
def test_a_copied_link_shows_somebody_else_the_same(
    scene: str, persons: Callable[[], Page], server: Server
) -> None:
    path, change = (SCENES | MORE)[scene]
    mine = persons()
    mine.goto(server.url + path)
    expect(mine.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    settled(mine)
    if change is not None:
        change(mine)
    settled(mine)
    mine.get_by_role("button", name="Copy link").click()
    link = mine.evaluate("() => navigator.clipboard.readText()")
    assert link == mine.url and "v=1" in link
    theirs = persons()
    theirs.goto(link)
    expect(theirs.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    if scene == "home":  # which plays by itself
        assert len(seen(theirs)["drawn"]) == len(seen(mine)["drawn"])
    else:
        end = time.monotonic() + PATIENCE / 1000
        while seen(theirs) != seen(mine) and time.monotonic() < end:  # a map may be on its way to both
            theirs.wait_for_timeout(1000)
        assert seen(theirs) == seen(mine)
    assert theirs.url == link, "what was opened is what was copied"


def seen(page: Page) -> dict[str, Any]:
    """What a page shows."""
    settled(page)
    found: dict[str, Any] = page.evaluate(SEEN)
    return found | {"drawn": page.locator("canvas").evaluate_all(DRAWN)}
