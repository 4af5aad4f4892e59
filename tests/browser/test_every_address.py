"""Every model with every objective and axis, and every tab of every page, opened by its address in a real
Chromium: no exception, no red box; and every picker of these pages is clicked.

MNIST's models are asked about whatever does not ship where FEINT_TEST_DATA names a folder with the data; else
pages say that the data are away, or are shown on digits.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from app.address.links import pages
from app.forms import possible
from app.papers.multiview import attackers
from engine.store.run import Run
from engine.store.store import ZOO, Store
from tests.app.walk.test_every_choice import TABS
from tests.browser.test_every_picker import ready, whole
from tests.browser.test_journey import settled
from tests.conftest import Server

MODELS = {name: run for name, run in Store(ZOO).zoo().items() if run.spec.action == "train"}
FEW = {"v": "1", "umap": "0", "n": "50"}
"""What keeps a page quick."""
DATA = ("mnist_test", "digits")
"""What pages begin with."""
Address = dict[str, str]


def on_attack(name: str, run: Run) -> Iterator[tuple[str, Address]]:
    """A model with every objective along every axis, each under the first attack that has it, and under every
    attack once; not those whose ladders take minutes. `test_every_question` climbs them all in a few levels.
    """
    method, seen = run.spec.name, set()
    for objective in possible.objectives(method):
        for attack in possible.attacks(method, objective):
            entry = possible.entry("attack", attack)
            few = {"steps": "2"} if "steps" in entry["defaults"] else {}
            for axis in possible.axes(method, attack, objective) if not entry.get("slow") else ():
                if {(objective, axis), (attack, "")} - seen:
                    chosen = {"model": name, "attack": attack, "objective": objective, "tab": axis}
                    yield "attack", chosen | few
                seen |= {(objective, axis), (attack, "")}


def elsewhere(name: str, run: Run) -> Iterator[tuple[str, Address]]:
    """A model on every other page that has a use for it."""
    abilities = possible.abilities(run.spec.name)
    if possible.objectives(run.spec.name):
        yield from (("curves", {"model": name, "tab": tab}) for tab in TABS["curves"])
        yield "inspect", {"model": name}
    if "fuses" in abilities:
        for aim in attackers.objectives().names:
            for attacker in possible.attacks(run.spec.name, aim, fitted=True):
                if possible.entry("attack", attacker).get("slow"):  # as on Attack
                    continue
                chosen = {"model": name, "attacker": attacker, "aim": aim}
                yield from (("multiview", chosen | {"locked": at}) for at in ("", "1"))
    if "decodes" in abilities:
        yield from (("robust", {"model": name, "tab": tab}) for tab in TABS["robust"])
    yield "train", {"run": name}


def opened(page: Page, server: Server, name: str, address: Address) -> None:
    """A page is drawn at an address, and nothing is wrong with it."""
    query = urlencode(FEW | address)
    page.goto(f"{server.url}{'/' if name == 'home' else f'/{name}'}?{query}")
    try:
        settled(page)
        whole(page)
    except AssertionError as wrong:
        raise AssertionError(f"{name}?{query}: {wrong}") from None


def every_picker(page: Page) -> None:
    """Click the last picture of each picker, which chooses it and breaks nothing."""
    for place in range(page.locator(".picker").count()):
        ready(page)
        page.locator(".picker").nth(place).get_by_role("option").last.click()
        settled(page)
        whole(page)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_address_of_a_model_opens(name: str, visit: Callable[..., Page], server: Server) -> None:
    page, shown = visit("about:blank"), ""
    page.emulate_media(reduced_motion="reduce")
    for place, address in (*on_attack(name, MODELS[name]), *elsewhere(name, MODELS[name])):
        opened(page, server, place, address)
        if place != shown:
            every_picker(page)
        shown = place


@pytest.mark.slow
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", pages())
def test_every_tab_of_a_page_opens(name: str, data: str, visit: Callable[..., Page], server: Server) -> None:
    page = visit("about:blank")
    for tab in TABS.get(name, ("",)):
        opened(page, server, name, {"data": data} | ({"tab": tab} if tab else {}))
        every_picker(page)
