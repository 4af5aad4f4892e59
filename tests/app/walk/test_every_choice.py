"""Every choice that a page offers gives a picture: no exception, no red box, no word of a program."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address.links import pages
from engine.store.store import Store
from tests.app.conftest import Worker
from tests.app.walk.walking import walk

TABS = {
    "attack": ("epsilon", "path", "lambda"),
    "curves": ("epsilon", "lambda"),
    "data": ("data", "models", "bring"),
    "defend": ("holds", "grid", "tables", "train"),
    "robust": ("acts", "nu", "strength", "pixels", "tables", "fit", "train"),
}
PARTS = [(page, tab) for page in pages() for tab in TABS.get(page, ("",))]
HERE = {"data": "digits"}
"""What needs no data but those that come with Feint."""
LONG = ("uae",)
"""Pages whose choices each begin a long attack; tests of their own open them."""
FEW = {"inspect": {"model": "digits/adec", "n": "50"}}


def far(widget: str, option: str) -> bool:
    """Whether a choice needs data that are fetched first, or a UMAP, which compiles for half a minute, or
    leads to another tab, which is walked by itself, or to other data or another language on all pages.
    """
    return "mnist" in option.lower() or widget in ("p_umap", "p_tab", "p_lang", "house_choice")


Opened = Callable[..., AppTest]


def tried(opened: Opened, page: str, tab: str, most: int) -> list[str]:
    """What was wrong with a page under its choices, of which only Home has none."""
    address = HERE | FEW.get(page, {}) | ({"tab": tab} if tab else {})
    drawn, wrong = walk(lambda: opened(page, **address), most, far)
    assert most == 1 or drawn > 1 or page == "home", f"{page} offers nothing"
    return wrong


@pytest.mark.long
@pytest.mark.parametrize(
    ("page", "tab"),
    [
        pytest.param(*part, marks=[pytest.mark.slow] * (part[0] in LONG))
        for part in PARTS
        if part[0] != "inspect"
    ],
)
def test_a_page_bears_its_choices(
    page: str, tab: str, trained_home: Store, worker: Worker, opened: Opened
) -> None:
    assert not (wrong := tried(opened, page, tab, 1)), "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "tab"), PARTS)
def test_a_page_bears_every_choice(
    page: str, tab: str, trained_home: Store, worker: Worker, opened: Opened
) -> None:
    assert not (wrong := tried(opened, page, tab, 1000)), "\n".join(wrong)
