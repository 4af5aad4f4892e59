"""Links: every choice that makes a picture is in the address, defaults too, so that a copied link shows
somebody else the same.

A page asks `key(name, default, valid)` for a widget's key before the widget is drawn; `remember()` writes
the address at its end.
"""

import ast
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from app.address.notices import notice
from app.words import _

ROOT = Path(__file__).resolve().parents[2]
ADDRESS_VERSION = "1"
SHARED = (
    "data",
    "model",
    "attack",
    "objective",
    "norm",
    "eps",
    "lambda",
    "steps",
    "target",
    "sample",
    "n",
    "pick",
    "view",
    "colour",
    "order",
    "attack_settings",
    "objective_settings",
    "ramp",
    "lesson",
    "part",
    "lang",
    "answers",
)
"""Parameters that mean the same on every page: they go with a person from page to page."""
OF_A_PAGE = (
    "run",
    "seed",
    "umap",
    "tab",
    "attacker",
    "locked",
    "protocol",
    "kind",
    "aim",
    "defence",
    "step",
    "study",
    "size",
    "nu",
    "top",
    "at",
    "method",
    "preset",
    "settings",
    "base",
    "along",
    "stretch",
    "network",
    "delta",
    "range",
    "points",
    "seeds",
    "which",
    "of_seed",
    "other",
    "pictures",
    "find",
    "place",
    "what",
    "status",
    "who",
    "direction",
    "k",
    "within",
    "clusters",
    "weight",
    "neighbour",
    "compressed",
    "code",
    "own",
    "label",
    "fixed",
    "order_by",
    "slots",
    "pair",
    "rule",
    "paper",
    "drew",
    "by",
    "of_data",
)
"""Parameters that mean something else on another page: they stay with theirs when a person goes on, unless a
link brings them.
"""
PARAMETERS = (*SHARED, *OF_A_PAGE)

MOST, LONGEST = 64, 4000
"""Parameters in a link, and characters in each, beyond which they are left out."""
DECLARED = ("TITLE", "ICON", "PLACE")
"""What the script of a page says of itself at its top, and"""
UNDER = "UNDER"
"""the heading in the navigation under which it stands, if any."""

Value = TypeVar("Value", str, int, float, bool)


class PageScript(NamedTuple):
    """The script of a page, and how the navigation shows it."""

    name: str
    file: Path
    title: str
    icon: str
    place: int
    under: str = ""
    """The heading under which it stands; "": it stands by itself."""


@cache
def pages() -> dict[str, PageScript]:
    """Name -> script of every page, in the navigation's order: the files in `pages/` that say TITLE, ICON and
    PLACE. Read from the syntax: a page is run only where it is shown.
    """
    found = [_page(file) for file in sorted((ROOT / "pages").glob("*.py"))]
    return {page.name: page for page in sorted((page for page in found if page), key=lambda page: page.place)}


def _page(file: Path) -> PageScript | None:
    said: dict[str, Any] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            names = ast.unparse(node.targets[0]).strip("()").split(", ")
            if set(names) <= {*DECLARED, UNDER}:
                values = ast.literal_eval(node.value)
                said |= dict(zip(names, values if len(names) > 1 else [values], strict=True))
    if said.keys() - {UNDER} != set(DECLARED):
        return None
    return PageScript(file.stem, file, said["TITLE"], said["ICON"], said["PLACE"], said.get(UNDER, ""))


def open_address(page: str = "") -> None:
    """Once a script run, before any widget: take what the URL of this page says into the session."""
    address = st.session_state.setdefault("address", {})
    st.session_state["address_shown"] = {}
    seen = {} if _turned_to(page) else st.session_state.setdefault("address_seen", {})
    current = _of_url()
    st.session_state["address_brought"] = {name for name, text in current.items() if seen.get(name) != text}
    version = st.query_params.get("v", ADDRESS_VERSION)
    if version != ADDRESS_VERSION:
        notice(
            _(
                "This link was made by another version of Feint (v={version}); what it says is read as far"
                " as it still fits."
            ).format(version=version[:40])
        )
    st.session_state.setdefault("address_carried", set()).difference_update(current)
    for name in st.session_state["address_brought"]:
        address[name] = current[name]
        _said().add(name)
        st.session_state.pop(f"p_{name}", None)
    st.session_state["address_seen"] = current or seen


def _of_url() -> dict[str, str]:
    """The parameters of the URL that are known, without what no link of Feint would say."""
    given = st.query_params.to_dict()
    if len(given) > MOST:
        told = _("The link has {n} parameters, and at most {most} are read: it is left out.")
        notice(told.format(n=len(given), most=MOST))
        return {}
    known = {name: given[name] for name in PARAMETERS if name in given}
    for name, text in known.items():
        if len(text) > LONGEST:
            notice(
                _(
                    "The link says {name} with {n:,} characters, and at most {most:,} are read:"
                    " it is left out."
                ).format(name=name, n=len(text), most=LONGEST)
            )
    return {name: text for name, text in known.items() if len(text) <= LONGEST}


def _turned_to(page: str) -> bool:
    """Whether a person came here from another page, whose own parameters are put aside then, and this one's
    taken up again.

    A widget of the same key on another page is another widget, which would begin empty: all begin from the
    address.
    """
    before = st.session_state.get("address_page", page)
    st.session_state["address_page"] = page
    if before == page:
        return False
    aside, address = st.session_state.setdefault("address_aside", {}), st.session_state["address"]
    aside[before] = {name: address[name] for name in OF_A_PAGE if name in address}
    kept = {name: value for name, value in address.items() if name not in OF_A_PAGE} | aside.get(page, {})
    said = _said() & kept.keys()
    forget(*PARAMETERS)
    address.update(kept)
    st.session_state["address_carried"] = set(kept)
    _said().update(said)
    return True


def key(
    name: str, default: Value, valid: Callable[[Value], bool] = lambda value: True, expected: str = ""
) -> str:
    """The widget key of an address parameter, its session value set and checked; nonsense gives the default
    and a notice, what was chosen on another page and does not fit here the default alone.
    """
    widget = f"p_{name}"
    if widget in st.session_state and _fits(st.session_state[widget], default, valid):
        return widget
    text = st.session_state["address"].get(name)
    value = default
    if text is not None and widget not in st.session_state:
        parsed = _parsed(text, default)
        if parsed is not None and valid(parsed):
            value = parsed
        elif name not in st.session_state.get("address_carried", ()):
            notice(
                _(
                    "The link says {name}={text}, but {name} must be {wanted}; {default} is used instead."
                ).format(name=name, text=str(text)[:40], wanted=expected or _usual(default), default=default)
            )
    st.session_state[widget] = value
    return widget


def _usual(default: Any) -> str:
    """What a parameter of this kind must be, where nobody says it better."""
    if isinstance(default, float):
        return _("a number in its range")
    return _("a whole number in its range") if type(default) is int else _("one of the names listed here")


def value(name: str, default: Value, valid: Callable[[Value], bool] = lambda value: True) -> Value:
    """The checked value of an address parameter that no widget shows."""
    return st.session_state[key(name, default, valid)]  # type: ignore[no-any-return]


def put(name: str, new: str | int | float | bool) -> None:
    """Set an address parameter; call it before its widget is drawn, or from a callback."""
    st.session_state["address"][name] = new
    st.session_state[f"p_{name}"] = new
    _said().add(name)


def chosen(name: str, default: Value) -> bool:
    """Whether a parameter was chosen, by a link or by a hand, and is not merely its default."""
    return name in _said() or value(name, default) != default


def chosen_value(name: str, default: Value) -> Value | None:
    """What a link or a hand has chosen; None while nobody has, and nothing of it stands in the address
    then.
    """
    unknown = name not in _said() and name not in st.session_state["address"]
    return value(name, default) if not unknown and chosen(name, default) else None


def unsay(name: str, default: Value) -> None:
    """What stands at its default was chosen by nobody, though a link says it, as links say every default."""
    if st.session_state["address"].get(name) is not None and value(name, default) == default:
        _said().discard(name)


def brought(*names: str) -> bool:
    """Whether a link that was opened just now says all of these."""
    return set(names) <= st.session_state["address_brought"]


def show(name: str, shown: str | int | float | bool) -> None:
    """Let the URL say what the picture is drawn with, where a page finds that by itself: the choice stays
    what it is, and whoever opens the link has the same picture.
    """
    st.session_state["address_shown"][name] = shown


def _said() -> set[str]:
    """The parameters that a link or a hand has set."""
    found: set[str] = st.session_state.setdefault("address_said", set())
    return found


def left(*keys: str) -> bool:
    """Whether the page with these widgets was left before their callback came: it does nothing then."""
    return any(key not in st.session_state for key in keys)


def forget(*names: str) -> None:
    """Drop address parameters that no longer mean anything."""
    for name in names:
        st.session_state["address"].pop(name, None)
        st.session_state.pop(f"p_{name}", None)
        _said().discard(name)


def forget_everywhere(*names: str) -> None:
    """Drop them here and where other pages have put them aside."""
    forget(*names)
    for aside in st.session_state.get("address_aside", {}).values():
        for name in names:
            aside.pop(name, None)


def remember() -> None:
    """At a page's end: write every known parameter, defaults too, into the URL."""
    address = st.session_state["address"]
    for name in PARAMETERS:
        if f"p_{name}" in st.session_state:
            address[name] = st.session_state[f"p_{name}"]
    wanted = {"v": ADDRESS_VERSION} | shown()
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state["address_seen"] = {name: text for name, text in wanted.items() if name != "v"}


def shown() -> dict[str, str]:
    """The parameters of the address as it stands: what was chosen, and what the page is drawn with."""
    address = st.session_state["address"] | {
        name: st.session_state[f"p_{name}"] for name in PARAMETERS if f"p_{name}" in st.session_state
    }
    shown = address | st.session_state["address_shown"]
    return {name: _text(shown[name]) for name in PARAMETERS if shown.get(name) not in (None, "")}


def go(page: str, parameters: Mapping[str, str | int | float]) -> None:
    """Open a page with these parameters set, as a link to it would: so widgets that are drawn already do not
    matter.
    """
    link = {"v": ADDRESS_VERSION} | {name: _text(new) for name, new in parameters.items()}
    st.switch_page(ROOT / "pages" / f"{page}.py", query_params=link)


def go_afresh(page: str, parameters: Mapping[str, str | int | float]) -> None:
    """Open a page with these parameters and no others, whatever was chosen here or on other pages before."""
    forget_everywhere(*PARAMETERS)
    st.session_state["address_seen"] = {}  # all of the link is new
    go(page, parameters)


def _fits(current: Any, default: Any, valid: Callable[[Any], bool]) -> bool:
    same_kind = isinstance(current, type(default)) or (
        isinstance(default, float) and isinstance(current, int)
    )
    return same_kind and valid(current)


def _parsed(text: Any, default: Any) -> Any:
    if isinstance(text, type(default)):
        return text
    if isinstance(default, bool):
        return {"1": True, "0": False, "true": True, "false": False}.get(str(text).lower())
    try:
        return type(default)(text)
    except ValueError:
        return None


def _text(current: Any) -> str:
    if isinstance(current, bool):
        return str(int(current))
    return f"{current:.6g}" if isinstance(current, float) else str(current)
