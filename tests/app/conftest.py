"""Pages under AppTest: an engine in this process, and a home that holds small real runs. Torch is used here,
never by a page.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.address import connection, fetching
from engine import registry
from engine.asking import computing
from engine.asking.questions import A, Question
from engine.running.runner import prepare, run
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store

TINY = {
    "base.hidden": [8],
    "base.iterations": 20,
    "base.evaluate_every": 10,
    "base.batch": 32,
    "base.starts": 1,
    "iterations": 40,
    "interval": 10,
    "delta_every": 10,
    "batch": 32,
    "probe": 64,
}
"""Settings that train in a second; far too few for good clusters."""
ALONE = """
import streamlit as st
from app.address import links
files = {{name: script.file for name, script in links.pages().items()}}
page = st.navigation([st.Page(file, default=name == "{page}") for name, file in files.items()])
links.open_address()
page.run()
"""


@pytest.fixture(scope="session", autouse=True)
def _quick_opening() -> Iterator[None]:
    """No search for components of other packages at each opening of a page: it takes longer than the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "streamlit.components.v2.manifest_scanner.scan_component_manifests", lambda *_, **__: []
        )
        yield


class Desk:
    """The engine in the test's own process: it answers at once, and only notes what is submitted."""

    def __init__(self) -> None:
        self.submitted: list[str] = []

    def submit(self, run: Run) -> None:
        """Note a run, as the pool queues it."""
        if run.status() not in ("finished", "zoo", "running"):
            run.want("run")
            self.submitted.append(run.key)

    def queue(self) -> list[dict[str, Any]]:
        """What was submitted, in order."""
        return [
            {"key": key, "lane": "train", "state": "queued", "position": place + 1}
            for place, key in enumerate(self.submitted)
        ]

    def ask(self, question: Question[A]) -> A:
        """The answer, computed here. No page says how long it waits: that is one number, the client's."""
        return computing.answer(question)

    def warm(self, lane: str) -> None:
        """Nothing to warm."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the catalogue and finished runs of ADEC and DEC* on one base, on digits. Do not change it:
    `trained_home` is a copy.
    """
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        catalogue.write(registry.catalogue())
        for name, more in (
            ("adec", {"discriminator": [8], "discriminator_steps": 2, "block": 10}),
            ("dec_star", {}),
        ):
            events = list(run(prepare("train", name, "digits", preset="quick", changes=TINY | more)))
            assert events[-1].event == "finished", events[-1]
    return home


@pytest.fixture
def trained_home(trained: Path, home: Path) -> Store:
    """The test's own copy of `trained`, as FEINT_HOME."""
    shutil.copytree(trained, home, dirs_exist_ok=True)
    return Store(home)


class Worker(Desk):
    """An engine that does what is submitted, at once."""

    def submit(self, run_: Run) -> None:
        """Run it to its end."""
        self.submitted.append(run_.key)
        list(run(run_))


def employ(monkeypatch: pytest.MonkeyPatch, engine: Desk) -> None:
    """Make it the engine of every page."""
    monkeypatch.setattr(connection, "engine", lambda: engine)
    monkeypatch.setattr(connection, "warm_up", lambda: None)


@pytest.fixture
def worker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """An engine that does what pages of this test submit."""
    found = Worker()
    employ(monkeypatch, found)
    return found


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The engine of every page in this test."""
    found = Desk()
    employ(monkeypatch, found)
    monkeypatch.setattr(fetching, "begin", lambda: None)
    st.session_state.clear()
    st.session_state["address"] = {}  # as `open_address` makes it
    st.cache_data.clear()
    st.cache_resource.clear()
    return found


@pytest.fixture
def opened(desk: Desk) -> Callable[..., AppTest]:
    """`opened("train", run=key)`: that page, with this address, drawn once; an exception in it fails the
    test. It begins with digits, which need no download.
    """

    def page(name: str, **address: str) -> AppTest:
        at = AppTest.from_string(ALONE.format(page=name), default_timeout=240)
        usual = {"umap": "0", "data": "digits"}  # a first UMAP compiles for half a minute
        for parameter, value in (usual | address).items():
            at.query_params[parameter] = value
        at.run()
        assert not at.exception, at.exception
        return at

    return page


def said(at: AppTest) -> str:
    """Everything that a page says in words."""
    kinds = ("title", "markdown", "caption", "error", "warning", "info", "success", "code")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(at, kind))


def method(store: Store, name: str) -> Run:
    """The run of a method in a store."""
    return next(found for found in store.all() if found.status() != "broken" and found.spec.name == name)
