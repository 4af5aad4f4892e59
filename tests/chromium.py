"""Finds a Chromium for the browser tests, and gets one where there is none. The standard library alone."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = {
    "Darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "Windows": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
MISSING = (
    "The browser tests need a Chromium and none was found or could be installed: install Chromium or Chrome, "
    "or set CHROME to the program's path, and run python3 -m tests again."
)


def found() -> str | None:
    """The Chromium that CHROME names, that is on PATH, or that stands where its installer puts it."""
    named = os.environ.get("CHROME")
    if named:
        return shutil.which(named)
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or next(
        (place for place in PLACES.get(platform.system(), ()) if Path(place).exists()), None
    )


def got(python: Path, say: Callable[[str], None] = print) -> str | None:
    """A Chromium that starts: found, or else Playwright's own, or else Debian's (as root); None where all
    three fail.
    """
    if os.environ.get("CHROME"):
        return found()
    return found() or playwrights(python, say) or debians(say)


def playwrights(python: Path, say: Callable[[str], None] = print) -> str | None:
    """Playwright's own Chromium, downloaded if need be; None where it cannot be, or lacks libraries of the
    system.
    """
    say("No Chromium on PATH: asking Playwright for its own ...")
    if not succeeds([str(python), "-m", "playwright", "install", "chromium"]):
        return None
    where = (
        "from playwright.sync_api import sync_playwright as p\nwith p() as play:"
        " print(play.chromium.executable_path)"
    )
    path = subprocess.run(
        [python, "-c", where], capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout.strip()
    return path if path and succeeds([path, "--version"]) else None


def debians(say: Callable[[str], None] = print) -> str | None:
    """Debian's package chromium, installed by apt-get as root; None elsewhere."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None
    say("Installing Debian's chromium ...")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    succeeds(["apt-get", "update", "-qq"], quiet)
    succeeds(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], quiet)
    return found()


def succeeds(command: list[str], variables: dict[str, str] | None = None) -> bool:
    """Whether a command ends with 0 within ten minutes; what it says is kept to itself."""
    try:
        ended = subprocess.run(
            command,
            env=os.environ | (variables or {}),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
