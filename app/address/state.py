"""The address, the session and the handle on the engine.

Address: every choice that makes a picture is in the URL, defaults too, so that a copied link shows somebody
else the same. A page asks `key(name, default, valid)` for a widget's key before the widget is drawn, and
`remember()` writes the URL at its end.
"""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.link import copy_link
from engine.asking import answers
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.home import home
from engine.models.declared import title_of
from engine.pool.client import Engine
from engine.store import catalogue as engine_catalogue
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
ADDRESS_VERSION = "1"
PARAMETERS = (
    "data",
    "model",
    "attack",
    "objective",
    "norm",
    "eps",
    "lambda",
    "steps",
    "target",
    "seed",
    "sample",
    "run",
    "n",
    "pick",
    "view",
    "colour",
    "order",
    "umap",
    "tab",
    "attacker",
    "locked",
    "protocol",
    "lesson",
    "step",
)
OF_A_PAGE = ("run", "seed", "umap", "tab", "attacker", "locked", "protocol", "lesson", "step")
"""Parameters that mean something else on another page: they stay with theirs when a person goes on, unless a
link brings them.
"""
PAGES = {
    "home": "Home",
    "attack": "Attack",
    "inspect": "Inspect",
    "curves": "Curves",
    "multiview": "Multi-view",
    "defend": "Defend",
    "robust": "Robust clustering",
    "train": "Train",
    "runs": "Runs",
}

KEYS = """
| key | what it does |
|---|---|
| Tab, Shift+Tab | next and previous control |
| ← → on a ladder | one level; with Shift five |
| Space on a ladder | play and pause |
| Home on a ladder | to the level where the cluster changes |
| ← → ↑ ↓ in a grid | next sample; Enter chooses it |
| J, K on Inspect | previous and next sample |
| Escape on Inspect | clears the selection |
"""

Value = TypeVar("Value", str, int, float, bool)


def open_address(page: str = "") -> None:
    """Once a script run, before any widget: take what the URL of this page says into the session."""
    address = st.session_state.setdefault("address", {})
    seen = {} if _turned_to(page) else st.session_state.setdefault("address_seen", {})
    current = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    version = st.query_params.get("v", ADDRESS_VERSION)
    if version != ADDRESS_VERSION:
        notice(
            f"This link was made by another version of Feint (v={version}); what it says is read as far as it"
            " still fits."
        )
    for name, text in current.items():
        if seen.get(name) != text:
            address[name] = text
            st.session_state.pop(f"p_{name}", None)
    st.session_state["address_seen"] = current or seen


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
    forget(*PARAMETERS)
    address.update(kept)
    return True


def key(
    name: str, default: Value, valid: Callable[[Value], bool] = lambda value: True, expected: str = ""
) -> str:
    """The widget key of an address parameter, its session value set and checked; nonsense gives the default
    and a notice.
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
        else:
            wanted = expected or {float: "a number in its range", int: "a whole number in its range"}.get(
                type(default), "one of the names listed here"
            )
            notice(
                f"The link says {name}={str(text)[:40]}, but {name} must be {wanted}; {default} is used"
                " instead."
            )
    st.session_state[widget] = value
    return widget


def value(name: str, default: Value, valid: Callable[[Value], bool] = lambda value: True) -> Value:
    """The checked value of an address parameter that no widget shows."""
    return st.session_state[key(name, default, valid)]  # type: ignore[no-any-return]


def put(name: str, new: str | int | float | bool) -> None:
    """Set an address parameter; call it before its widget is drawn, or from a callback."""
    st.session_state["address"][name] = new
    st.session_state[f"p_{name}"] = new


def forget(*names: str) -> None:
    """Drop address parameters that no longer mean anything."""
    for name in names:
        st.session_state["address"].pop(name, None)
        st.session_state.pop(f"p_{name}", None)


def remember() -> None:
    """At a page's end: write every known parameter, defaults too, into the URL."""
    address = st.session_state["address"]
    for name in PARAMETERS:
        if f"p_{name}" in st.session_state:
            address[name] = st.session_state[f"p_{name}"]
    wanted = {"v": ADDRESS_VERSION} | {
        name: _text(address[name]) for name in PARAMETERS if address.get(name) not in (None, "")
    }
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state["address_seen"] = {name: text for name, text in wanted.items() if name != "v"}


def go(page: str, parameters: Mapping[str, str | int | float]) -> None:
    """Open a page with these parameters set, as a link to it would: so widgets that are drawn already do not
    matter.
    """
    link = {"v": ADDRESS_VERSION} | {name: _text(new) for name, new in parameters.items()}
    st.switch_page(ROOT / "pages" / f"{page}.py", query_params=link)


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


def notice(sentence: str) -> None:
    """Keep a sentence to be shown under the page's title."""
    kept = st.session_state.setdefault("notices", [])
    if sentence not in kept:
        kept.append(sentence)


def show_notices() -> None:
    """Show what was kept, once, under the page's title."""
    for sentence in st.session_state.pop("notices", []):
        st.session_state["notice_slot"].warning(sentence)
        st.session_state.setdefault("notices_told", []).append(sentence)


def draw_again() -> None:
    """Run the page once more, with the sentences that it has just told."""
    st.session_state["notices"] = st.session_state.get("notices_told", [])
    st.rerun()


def refused(error: FeintError) -> None:
    """An engine's sentence on the page, instead of a traceback."""
    st.error(str(error))


@st.cache_resource(show_spinner="Asking the engine what it can do…")
def catalogue() -> dict[str, Any]:
    """kind -> name -> entry: models, attacks, objectives, data, metrics, zoo. Made by the engine, read
    without torch.
    """
    return engine_catalogue.read()


def store() -> Store:
    """The runs on this machine and the zoo."""
    return Store(home())


@st.cache_resource(show_spinner=False)
def _connecting() -> Future[Engine]:
    """The one connection of this page server, made in the background so that the first page need not wait for
    it.
    """
    return ThreadPoolExecutor(1, "engine").submit(_connect)


def _connect() -> Engine:
    """Reach the workers, and hand them the runs that were still waiting when the last ones ended."""
    reached = Engine.connect(os.environ.get("FEINT_ENGINE"))
    held = {item["key"] for item in reached.queue()}
    for run in store().all():
        if run.status() == "queued" and run.key not in held:
            reached.submit(run)
    return reached


def engine() -> Engine:
    """The worker processes: those of FEINT_ENGINE, or our own, which stop with the page server."""
    return _connecting().result()


def warm_up() -> None:
    """Start the worker processes without waiting for them."""
    _connecting()


def ask(question: Mapping[str, Any], waiting: str = "Asking the engine…", timeout: float = 120.0) -> Answer:
    """The answer to a question: kept, shipped, or computed by a warm worker while `waiting` is shown."""
    found = answers.kept(question)
    if found is not None:
        return found
    with st.spinner(waiting):
        return engine().ask(dict(question), timeout=timeout)


def models(data: str | None = None, ability: str | None = None) -> dict[str, Run]:
    """Name -> run of every trained model: zoo first, then own finished runs; of one data set, or with one
    ability, if asked.
    """
    catalogued = catalogue()["model"]
    shelf = store()
    own = {run.key: run for run in shelf.all() if run.status() == "finished" and run.spec.action == "train"}
    zoo = {name: run for name, run in shelf.zoo().items() if run.spec.action == "train"}
    every = zoo | {
        name: run for name, run in own.items() if name not in {shipped.key for shipped in zoo.values()}
    }
    return {
        name: run
        for name, run in every.items()
        if (data is None or run.spec.data == data)
        and (ability is None or ability in catalogued.get(run.spec.name, {}).get("abilities", ()))
    }


def method_title(spec: Spec) -> str:
    """What a person calls the method of a training with its settings."""
    entry = catalogue()["model"].get(spec.name)
    return spec.name if entry is None else title_of(entry, spec.settings.get("model_settings", {}))


def model_title(name: str, run: Run) -> str:
    """What a list calls a model."""
    title = method_title(run.spec)
    return (
        f"{title} · {run.spec.data}"
        if "/" in name
        else f"{title} · {run.spec.data} · seed {run.spec.seed} · {name[:6]}"
    )


def page_head(question: str, lead: str = "") -> None:
    """A page's title is its question, beside it the link and the keys; below it one line, and what has to be
    said first.
    """
    st.session_state["notices_told"] = []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(question, anchor=False, width="stretch")
        copy_link()
        with st.popover("Keys", icon=":material/keyboard:"):
            st.markdown(KEYS)
    if lead:
        st.markdown(lead)
    st.session_state["notice_slot"] = st.container()
    for sentence in catalogue()["problems"]:
        st.session_state["notice_slot"].warning(sentence)


def choose_and_look() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The two columns of a page: choices at the left, evidence at the right; on a phone the evidence comes
    first.
    """
    choose, look = st.container(key="choose_look").columns([3, 9], gap="medium")
    return choose, look


def page_foot(reproduce: Mapping[str, str] | None = None) -> None:
    """The Reproduce expander and the link; writes the address and shows what the old one said wrongly."""
    remember()
    show_notices()
    query = "&".join(f"{name}={text}" for name, text in st.query_params.to_dict().items())
    with st.expander("Reproduce and share", icon=":material/link:"):
        st.caption(
            "This page's address holds every choice, defaults too. Whoever opens it sees the same picture."
        )
        st.code(f"?{query}", language=None, wrap_lines=True)
        for language, text in (reproduce or {}).items():
            st.caption(language)
            st.code(text, language="python" if language == "Python" else "bash", wrap_lines=True)
        st.caption(f"Python {sys.version.split()[0]} · runs in `{home()}`")
