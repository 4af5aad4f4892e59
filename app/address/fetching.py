"""The data with which pages begin are fetched in the background where they are not on this machine. Nothing
waits for them; what needs them says so.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st

from app.address.links import ROOT
from engine.data.listing import owners
from engine.errors import FeintError
from engine.home import scratch

FETCHED = "mnist"
"""What is fetched. Other data are parts of it, or made from it."""


class DataAway(FeintError):
    """Something needs data that are still `coming`, or that could not be had."""

    def __init__(self, sentence: str, coming: bool) -> None:
        super().__init__(sentence)
        self.coming = coming

    def __reduce__(self) -> tuple[type["DataAway"], tuple[str, bool]]:
        return type(self), (str(self), self.coming)


@st.cache_resource(show_spinner=False)
def begin() -> "subprocess.Popen[bytes] | None":
    """Fetch them in the background, once a server; None where they are on this machine, or nothing can be
    kept here.
    """
    if owners()[FETCHED].whereabouts() is not None:
        return None
    try:
        out = log().open("wb")
    except OSError:
        return None  # nothing can be kept here: who needs the data is told so by the engine
    with out:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", "fetch", FETCHED, "--json"],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )


def require(data: str) -> None:
    """Raises DataAway where a data set is one of those that are fetched in the background and not here."""
    away = about(data)
    if away is not None:
        raise away


def about(data: str) -> DataAway | None:
    """What is to be said of a data set that is not here; None where it is, or where nobody fetches it in the
    background.
    """
    known = owners().get(data)
    if known is None or _file(known) != _file(owners()[FETCHED]) or known.whereabouts() is not None:
        return None
    process = begin()
    if process is None:
        return None
    if process.poll() is None:
        return DataAway(f"This needs MNIST, which is being fetched{_share()}.", coming=True)
    if process.returncode == 0:
        return None
    return DataAway("This needs MNIST, which could not be fetched.", coming=False)


def why() -> str:
    """What the fetch said last."""
    return next(iter(reversed(_lines())), "")[:300]


def again() -> None:
    """Try once more."""
    begin.clear()
    begin()


@contextmanager
def aside() -> Iterator[None]:
    """Around a part of a page that may be missing: where its data are not here, one sentence stands there."""
    try:
        yield
    except DataAway as away:
        st.caption(str(away))


def log() -> Path:
    """What the fetch says."""
    return scratch() / "fetch.log"


def _share() -> str:
    """How much of it is here, in words; "" before that is known."""
    for line in reversed(_lines()):
        with suppress(ValueError, KeyError, TypeError, ZeroDivisionError):
            said = json.loads(line)
            return f": {said['step'] / 1e6:.0f} of {said['total'] / 1e6:.0f} MB are here"
    return ""


def _lines() -> list[str]:
    try:
        return log().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return []


def _file(known: Any) -> str | None:
    """The file that a data set is read from, or made from."""
    return getattr(getattr(known, "of", known), "file", None)
