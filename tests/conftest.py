"""Fixtures for the whole suite. No test touches the user's data or the network, and all share one browser and
one server.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests import chromium, shapes

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "artefacts"
PATIENCE = 240_000
"""Milliseconds that a test waits for a state: a machine that does much else is slow, and not broken."""
CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"  # two processes share the cores
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = (
    THREADS  # before anything imports torch, and for the children too
)

from jaxtyping import install_import_hook  # noqa: E402

install_import_hook("engine.nets", f"{shapes.__name__}.checked")  # shapes are checked in tests alone

import engine  # noqa: E402, F401  how threads wait is settled there, before torch is loaded

hypothesis.settings.register_profile("feint", deadline=None)  # no test fails on a time
hypothesis.settings.load_profile("feint")


@pytest.fixture(scope="session", autouse=True)
def _away_from_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures that outlive a test write here, never into the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(tmp_path_factory.mktemp("shared_home")))
        asked = os.environ.get("FEINT_TEST_DATA")  # of tests by hand that look at MNIST's models
        patch.setenv("FEINT_DATA", asked or str(tmp_path_factory.mktemp("no_data")))
        patch.delenv("FEINT_ENGINE", raising=False)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty FEINT_HOME of the test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("FEINT_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """As many threads of torch after a test as before it: numbers differ with them in their last digit."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else int(THREADS)
    yield
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A test that reaches for the internet fails, unless it is marked `network`."""
    if request.node.get_closest_marker("network"):
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        far = self.family in (socket.AF_INET, socket.AF_INET6) and self.type == socket.SOCK_STREAM
        if far and address[0] not in ("localhost", "::1") and not str(address[0]).startswith("127."):
            raise OSError(f"tests use no network, and this one reached for {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's synchronous interface leaves an event loop running in this thread. One
    that failed is tried once more: a pointer or a key may come between two drawings of a page. So is one that
    kills processes: what the system does meanwhile is not ours.
    """

    def lies_in(item: pytest.Item, folder: str) -> bool:
        return folder in Path(item.fspath).relative_to(ROOT).parts

    items.sort(key=lambda item: lies_in(item, "browser"))
    for item in items:
        if lies_in(item, "browser") or lies_in(item, "pool"):
            item.add_marker(pytest.mark.flaky(reruns=1))


Made = Generator[None, pytest.TestReport, pytest.TestReport]
OPENED = pytest.StashKey[list[Page]]()
"""The pages that a test opened."""
LONGEST = 6000
"""Characters of a page that a report quotes."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Made:
    """What stood on the pages of a browser test that failed: in its report, and as files beside, which are
    there also where a second try passed.
    """
    report = yield
    if report.when == "call" and report.failed:
        for page in item.stash.get(OPENED, []):
            with suppress(Error):
                stood = f"{page.url}\n{page.locator('body').inner_text(timeout=10_000)[:LONGEST]}"
                report.sections.append(("page", stood))
                name = re.sub(r"\W+", "-", item.name)
                shot = SHOTS / f"failed-{name}-{time.time():.0f}.png"
                page.screenshot(path=shot)
                shot.with_suffix(".txt").write_text(f"{report.longreprtext}\n{stood}")
    return report


@dataclass(frozen=True)
class Server:
    """The real page server: where it answers, where its runs live, what it said."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether an address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(true: Callable[[], bool], seconds: float, what: str, pause: float = 0.1) -> None:
    """Return as soon as `true()`; fail with `what` was waited for if it stays false."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:g} s in vain for {what}")
        time.sleep(pause)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as a person gets it, started once for the whole suite with a FEINT_HOME of its own."""
    home, port = tmp_path_factory.mktemp("server_home"), free_port()
    log = home / "server.log"
    command = [
        sys.executable,
        "-m",
        "app.serving",
        "app/main.py",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"FEINT_HOME": str(home), "FEINT_MIRROR": "http://127.0.0.1:9"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(
            lambda: answers(f"{url}/_stcore/health") or process.poll() is not None,
            PATIENCE / 1000,
            "the page server",
        )
        assert process.poll() is None, log.read_text()
        yield Server(url, home, process, log)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience: float = 15) -> None:
    """Stop a server that leads its own session, and all that is left in it."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole suite; where there is none the test fails, it does not skip."""
    path = chromium.found()
    if path is None:
        pytest.fail(chromium.MISSING)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`visit("/attack?eps=0.1", width=390, dark=True)` -> a Page in a session of its own; a script error in
    it fails the test.
    """
    contexts, errors = [], []
    pages = request.node.stash.setdefault(OPENED, [])

    def opened(path: str = "/", width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + path if path.startswith("/") else path)
        return page

    yield opened
    pages.clear()
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def shots() -> Path:
    """The folder where screenshots are kept."""
    SHOTS.mkdir(exist_ok=True)
    return SHOTS
