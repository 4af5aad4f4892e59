"""What a person brings is opened by a process of its own, never by the page server: a file that breaks its
reader breaks nothing else.
"""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import streamlit as st

from app.address.links import ROOT
from app.words import _
from engine.errors import DataError
from engine.home import home, make_home, writing

PATIENCE = 180.0
"""Seconds for one file."""
KEPT = 8
"""Files that were brought and not yet used; older ones go."""


def engine(*arguments: str) -> dict[str, Any]:
    """What `python3 -m engine ARGUMENTS` says as JSON. Raises DataError with its sentence."""
    try:
        said = subprocess.run(
            [sys.executable, "-m", "engine", *arguments, "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        words = _("It took longer than {seconds:.0f} seconds to read. Bring fewer or smaller samples.")
        raise DataError(words.format(seconds=PATIENCE)) from None
    if said.returncode:
        last = said.stderr.strip().splitlines()
        raise DataError(last[-1].removeprefix("feint: ") if last else _("it could not be read."))
    return dict(json.loads(said.stdout))


@st.cache_data(max_entries=16, show_spinner=False)
def checked(path: str, stamp: int) -> dict[str, Any]:
    """The report on a file or folder as it is at `stamp`. Raises DataError."""
    return dict(engine("data", "check", path)["report"])


def put_down(name: str, content: bytes) -> Path:
    """Where a file that was uploaded lies now: under its hash, with the name that it came with."""
    place = home() / "brought" / hashlib.sha256(content).hexdigest()[:16]
    file = place / (Path(name).name.lstrip(".")[-80:] or "file")
    with writing(place):
        make_home()
        place.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.stat().st_size != len(content):
            file.write_bytes(content)
        place.touch()
    _forget_old(place.parent)
    return file


def _forget_old(folder: Path) -> None:
    """Of what was brought only the newest stay; what is used was copied."""
    places = sorted(folder.iterdir(), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in places[KEPT:]:
        if time.time() - place.stat().st_mtime > PATIENCE:
            for file in place.iterdir():
                file.unlink(missing_ok=True)
            place.rmdir()
