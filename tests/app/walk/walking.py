"""Trying every choice that a page offers, under AppTest."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.app.conftest import said

WRITTEN = "$$STREAMLIT_INTERNAL_KEY_TESTING"
"""Where AppTest keeps how a widget writes its options."""
JARGON = ("Traceback", "RuntimeError", "ValueError", "tensor(", "torch.", "NoneType", "KeyError", "nan")
"""Words of a program, which no page says."""
RAW = re.compile(r"\b(?:digits|noisy_digits|mnist_test|noisy_mnist)/[a-z]\w+")
"""Names that are typed, as no page calls anything but in a command."""


@dataclass(frozen=True)
class Spot:
    """A widget of a page: its kind, its key or label, and what may be chosen in it."""

    kind: str
    name: str
    options: tuple[Any, ...]


def spots(at: AppTest) -> Iterator[Spot]:
    """Every widget of a page that offers a choice; of numbers the smallest, which costs least and is tried
    first, and the largest.
    """
    for kind in ("button_group", "selectbox"):
        for widget in getattr(at, kind):
            yield Spot(kind, name(widget), tuple(widget.options))
    for kind in ("toggle", "checkbox"):
        for widget in getattr(at, kind):
            yield Spot(kind, name(widget), (not widget.value, bool(widget.value)))
    for kind in ("slider", "number_input"):
        for widget in getattr(at, kind):
            if not isinstance(widget.value, list | tuple):
                ends = (widget.max, widget.min)
                yield Spot(kind, name(widget), tuple(end for end in ends if end is not None))


def name(widget: Any) -> str:
    """What a widget is found by, however often the page was drawn since."""
    return str(widget.key or widget.label)


def choose(at: AppTest, spot: Spot, option: Any) -> bool:
    """Choose an option and draw the page; False where it is not offered any more."""
    there = [widget for widget in getattr(at, spot.kind) if name(widget) == spot.name]
    if not there or there[0].disabled:
        return False
    widget: Any = there[0]
    if spot.kind in ("button_group", "selectbox"):
        if option not in widget.options:
            return False
        at.session_state[WRITTEN][widget.id] = str  # an option is given here as it is written
        many = spot.kind == "button_group" and not widget._is_single_select
        widget.set_value([option] if many else option)
    elif spot.kind in ("slider", "number_input"):
        if widget.value == option or not (widget.min or option) <= option <= (widget.max or option):
            return False
        widget.set_value(option)
    else:
        widget.set_value(option)
    at.run()
    return True


def complaints(at: AppTest) -> list[str]:
    """What is wrong with a drawn page: exceptions, red boxes, and words of a program."""
    words = said(at).split()
    return (
        [f"exception: {one.message}" for one in at.exception]
        + [f"red box: {one.value}" for one in at.error]
        + [f"it says {word}" for word in JARGON if word in words]
        + [f"it says {name}" for name in (*raw(at), *MEANINGLESS.findall(said(at)))]
    )


MEANINGLESS = re.compile(r"PGD-5 at 0\.2|\d on the mean")
"""What pages once said, and what told nobody anything."""


def raw(at: AppTest) -> list[str]:
    """The typed names that stand in sentences and lists."""
    texts = [item.value for kind in ("markdown", "caption", "info", "warning") for item in getattr(at, kind)]
    texts += [str(option) for widget in at.selectbox for option in widget.options]
    return sorted({found.group() for text in texts for found in RAW.finditer(str(text))})


def walk(
    opened: Callable[[], AppTest], most: int, left_out: Callable[[str, str], bool]
) -> tuple[int, list[str]]:
    """Choose up to `most` options of each widget of a page, one after another; how often the page was drawn,
    and what was wrong. A page that is broken is opened anew.
    """
    at = opened()
    drawn, wrong = 1, complaints(at)
    for spot in list(spots(at)):
        for option in spread(spot.options, most):
            if left_out(spot.name, str(option)) or not choose(at, spot, option):
                continue
            drawn += 1
            if found := complaints(at):
                wrong += [f"{spot.name} = {option}: {one}" for one in found]
                at = opened()
    return drawn, wrong


def spread(options: tuple[Any, ...], most: int) -> list[Any]:
    """At most so many of some options, evenly, the last one among them."""
    step = max(1, -(-len(options) // most))
    return list(options[::-1][::step])
