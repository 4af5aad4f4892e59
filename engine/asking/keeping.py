"""Answers that are kept: one `.npz` each, without objects, named by the question's key. Torch-free.

They lie under `FEINT_HOME/answers/`, or were shipped with a zoo entry in its `answers/` folder. What is kept
is read by the page server itself; only what is not goes to a worker.
"""

import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from engine.asking.answers import Answer
from engine.asking.questions import A, Question
from engine.home import home, make_home

ZOO = Path(__file__).resolve().parents[2] / "assets" / "zoo"
How = dict[str, Any]
"""Device, precision, threads and versions with which something was computed."""
LIMIT = 1 << 30
"""Bytes that kept answers may take; beyond it those go that were not read for the longest time."""


def file_of(question: Question[A], folder: Path) -> Path:
    """Where the answer to a question is, or would be, in a folder."""
    return folder / f"{question.key()}.npz"


def kept(question: Question[A]) -> A | None:
    """The answer that was shipped or computed before; None where there is none."""
    if not question.kept:
        return None
    own = file_of(question, _folder())
    shipped = _shipped().get(own.name)
    if shipped is not None and (found := read(shipped, question)) is not None:
        return found
    found = read(own, question)
    if found is not None:
        with suppress(OSError):
            os.utime(own)  # it was of use: others are pruned first
    return found


def kept_or(question: Question[A], compute: Callable[[Any], A], how: Callable[[], How] = dict) -> A:
    """The kept answer; else the one that `compute` gives, which is kept from now on, with `how` it was
    computed.
    """
    found = kept(question)
    if found is None:
        found = compute(question)
        if question.kept:
            with suppress(OSError):  # the disk is full, or read-only: then it is computed again
                make_home()
                write(file_of(question, _folder()), found, how())
                prune(_folder())
    return found


def how_of(question: Question[A]) -> How:
    """How the kept answer was computed: device, precision, threads, versions; {} where it was not said."""
    shipped, own = _shipped().get(f"{question.key()}.npz"), file_of(question, _folder())
    for file in (shipped, own):
        with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            if file is not None:
                with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
                    return dict(json.loads(stored["_how"].tobytes()))
    return {}


def write(file: Path, found: Answer, how: How | None = None) -> None:
    """Save under a temporary name, then rename. Raises OSError where the disk refuses it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    plain, arrays = found.split()
    texts = {
        name: np.frombuffer(json.dumps(values, allow_nan=False).encode(), dtype=np.uint8)
        for name, values in (("_json", plain), ("_how", how or {}))
    }
    partial = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    try:
        with partial.open("wb") as opened:
            np.savez_compressed(opened, **texts, **arrays)  # type: ignore[arg-type]
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def read(file: Path, question: Question[A]) -> A | None:
    """The answer in `file`; None where there is none, or it is damaged (it is computed again)."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        plain, _ = json.loads(arrays.pop("_json").tobytes()), arrays.pop("_how", None)
        return question.answer_class()(**plain, **arrays)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        RecursionError,
        zipfile.BadZipFile,
        ValidationError,
    ):
        return None


def prune(folder: Path, limit: int = LIMIT) -> None:
    """Delete the answers that were not read for the longest time until the rest fit into `limit` bytes."""
    every = [(file.stat(), file) for file in folder.glob("[!.]*.npz")]
    total = sum(stat.st_size for stat, _ in every)
    for stat, file in sorted(every, key=lambda pair: pair[0].st_mtime):
        if total <= limit:
            return
        file.unlink(missing_ok=True)
        total -= stat.st_size


def _folder() -> Path:
    return home() / "answers"


@cache
def _shipped() -> dict[str, Path]:
    return {file.name: file for file in ZOO.glob("*/*/answers/*.npz")}
