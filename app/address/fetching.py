"""Data that are not on this machine are fetched in the background, once for all who look: those with which
pages begin when the server starts, others when somebody asks for them. Nothing waits for them; what needs
them says so.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any

import streamlit as st

from app.address.links import ROOT
from app.words import _
from engine.data.listing import owners
from engine.errors import FeintError
from engine.home import scratch

FETCHED = "mnist"
"""What is fetched unasked. Other data are parts of it, or made from it."""
Process = subprocess.Popen[bytes]


class DataAway(FeintError):
    """Something needs `data` that are still `coming`, or that could not be had."""

    def __init__(self, sentence: str, coming: bool, data: str = FETCHED) -> None:
        super().__init__(sentence)
        self.coming, self.data = coming, data

    def __reduce__(self) -> tuple[type["DataAway"], tuple[str, bool, str]]:
        return type(self), (str(self), self.coming, self.data)


@st.cache_resource(show_spinner=False)
def begin() -> "Process | None":
    """Fetch them in the background, once a server; None where they are on this machine, or nothing can be
    kept here.
    """
    return _started(FETCHED)


def _started(name: str) -> "Process | None":
    if owners()[name].whereabouts() is not None:
        return None
    try:
        out = log(name).open("wb")
    except OSError:
        return None  # nothing can be kept here: who needs the data is told so by the engine
    with out:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", "fetch", name, "--json"],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )


@st.cache_resource(show_spinner=False)
def _asked_for() -> "dict[str, Process | None]":
    """File -> the fetch that somebody began, for all sessions of the server."""
    return {}


def require(data: str) -> None:
    """Raises DataAway where a data set can be fetched and is not here; who asks for one begins its fetch."""
    if fetchable(data) and not is_first(data) and _process(data) is None:
        fetch(data)
    away = about(data)
    if away is not None:
        raise away


def fetchable(data: str) -> bool:
    """Whether a data set is not here, and there is an address from which it can be had."""
    known = owners().get(data)
    return known is not None and known.whereabouts() is None and _source(data).download > 0


def here(data: str) -> bool:
    """Whether a data set is on this machine; nothing else is known of one's own."""
    known = owners().get(data)
    return known is None or known.whereabouts() is not None


def about(data: str) -> DataAway | None:
    """What is to be said of a data set that is not here; None where it is, or where nobody fetches it in the
    background.
    """
    process = _process(data) if fetchable(data) else None
    if process is None:
        return None
    title = "MNIST" if is_first(data) else _(_source(data).title)
    if process.poll() is None:
        return DataAway(_being_fetched(title, _share(data)), coming=True, data=data)
    if process.returncode == 0:
        return None
    away = _("This needs {title}, which could not be fetched.").format(title=title)
    return DataAway(away, coming=False, data=data)


def _being_fetched(title: str, share: tuple[float, float] | None) -> str:
    if share is None:
        return _("This needs {title}, which is being fetched.").format(title=title)
    return _("This needs {title}, which is being fetched: {here:.0f} of {size:.0f} MB are here.").format(
        title=title, here=share[0] / 1e6, size=share[1] / 1e6
    )


def part(data: str) -> float:
    """How much of what is being fetched is here, from 0 to 1."""
    share = _share(data)
    return 0.0 if share is None else min(1.0, share[0] / share[1])


def megabytes(data: str) -> float:
    """What is to be fetched for a data set."""
    return float(_source(data).download / 1e6)


def why(data: str = FETCHED) -> str:
    """What the fetch said last, without the name of the program."""
    return shorten(next(iter(reversed(_lines(data))), "").removeprefix("feint: "), 300, placeholder=" …")


def fetch(data: str) -> None:
    """Fetch a data set, once more where that failed; nothing where it is on its way. For callbacks too."""
    process = _process(data)
    if process is not None and process.poll() is None:
        return
    if is_first(data):
        begin.clear()
        begin()
    else:
        _asked_for()[_file(data)] = _started(_source(data).name)


@contextmanager
def aside() -> Iterator[None]:
    """Around a part of a page that may be missing: where its data are not here, one sentence stands there."""
    try:
        yield
    except DataAway as away:
        st.caption(str(away))


def log(data: str = FETCHED) -> Path:
    """What the fetch says."""
    return scratch() / ("fetch.log" if is_first(data) else f"fetch-{_source(data).name}.log")


def _process(data: str) -> "Process | None":
    return begin() if is_first(data) else _asked_for().get(_file(data))


def is_first(data: str) -> bool:
    """Whether a data set comes with what is fetched unasked."""
    return bool(_file(data) == _file(FETCHED))


def _source(data: str) -> Any:
    """The data set that is fetched for one: itself, or what it is made from."""
    known = owners()[data]
    return getattr(known, "of", known)


def _file(data: str) -> str:
    """The file that a data set is read from, or made from."""
    return str(getattr(_source(data), "file", ""))


def _share(data: str) -> tuple[float, float] | None:
    """(bytes here, bytes in all); None before that is known."""
    for line in reversed(_lines(data)):
        with suppress(ValueError, KeyError, TypeError):
            said = json.loads(line)
            if said["total"]:
                return float(said["step"]), float(said["total"])
            return None
    return None


def _lines(data: str) -> list[str]:
    try:
        return log(data).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return []
