"""Questions a person waits for, and their answers: a ladder, a map, a sample. Torch-free on this side.

A question is plain JSON, `{"ask": name, ...}`; models in it are run keys. Its answer is JSON plus arrays,
kept as one `.npz` (no objects) under `FEINT_HOME/answers/`, or shipped with a zoo entry in its `answers/`
folder. What is kept is read by the page server itself; only what is not goes to a worker.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.home import home

VERSION = 5
"""Raised by hand when the meaning of an answer changes; part of every key."""

ZOO = Path(__file__).resolve().parents[2] / "assets" / "zoo"
UNKEPT = ("prepare", "describe")
"""Questions whose answers depend on more than the question (the store), and so are never kept."""

MAP_LANE = ("umap", "place", "moved_umap")
"""Questions that need UMAP, whose first use compiles for half a minute; they have a lane of their own."""


TOP = {"linf": 0.3, "l2": 3.0}
"""The largest ε of a ladder unless a person asks for another."""

SHOWN = {"digits": 3, "mnist_test": 3, "noisy_digits": 3, "noisy_mnist": 3}
"""The sample a page shows first."""


@dataclass(frozen=True)
class Answer:
    """What came back: plain JSON values and numpy arrays without objects."""

    json: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def key(question: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that stand for the question."""
    text = json.dumps([VERSION, question], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def lane(question: Mapping[str, Any]) -> str:
    """The lane of workers that answers it: "play" or "map"."""
    return "map" if question["ask"] in MAP_LANE else "play"


def ladder_question(
    model: str,
    sample: int,
    *,
    attack: str = "pgd",
    settings: Mapping[str, Any] | None = None,
    objective: str = "leave_cluster",
    objective_settings: Mapping[str, Any] | None = None,
    lam: float = 0.0,
    norm: str = "linf",
    axis: str = "epsilon",
    top: float | None = None,
    count: int = 65,
    seed: int = 0,
    epsilon: float | None = None,
    locked: Sequence[int] = (),
    fitted: str = "",
) -> dict[str, Any]:
    """The question of one ladder, every default written out, so that pages and the zoo mean the same key."""
    only_there = {name: value for name, value in (("locked", sorted(locked)), ("fitted", fitted)) if value}
    return only_there | {
        "ask": "ladder",
        "model": model,
        "sample": int(sample),
        "attack": attack,
        "settings": dict(settings or {}),
        "objective": objective,
        "objective_settings": dict(objective_settings or {}),
        "lam": float(lam),
        "norm": norm,
        "axis": axis,
        "top": float(TOP[norm] if top is None else top),
        "count": int(count),
        "seed": int(seed),
        "epsilon": None if epsilon is None else float(epsilon),
    }


NU_TOP, SMALL_NU_TOP, SMALL_SIZE = 0.12, 0.04, 200
"""The largest ν of a ladder; for samples of fewer than so many numbers."""


def nu_question(model: str, sample: int, size: int, fitted: Sequence[str] = ()) -> dict[str, Any]:
    """The question of a ladder over ν, for samples of `size` numbers: δ for each sample alone, or that of
    fitted runs.
    """
    return ladder_question(
        model,
        sample,
        attack="latent_attack",
        objective="flip_and_keep",
        norm="embedding",
        axis="nu",
        top=SMALL_NU_TOP if size < SMALL_SIZE else NU_TOP,
        count=41,
        fitted=",".join(fitted),
    )


def kept(question: Mapping[str, Any]) -> Answer | None:
    """The answer that was shipped or computed before; None where there is none."""
    if question["ask"] in UNKEPT:
        return None
    name = f"{key(question)}.npz"
    for file in (_shipped().get(name), home() / "answers" / name):
        if file is not None and file.exists():
            return read(file)
    return None


def answer(question: Mapping[str, Any]) -> Answer:
    """The kept answer, or a computed one, which is kept from now on. Needs torch unless it is kept."""
    found = kept(question)
    if found is None:
        from engine.asking import questions  # the page server never gets here, and must not import torch

        found = questions.compute(dict(question))
        if question["ask"] not in UNKEPT:
            write(home() / "answers" / f"{key(question)}.npz", found)
    return found


def write(file: Path, found: Answer) -> None:
    """Save under a temporary name, then rename."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(found.json, allow_nan=False).encode(), dtype=np.uint8)
    partial = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    np.savez_compressed(partial, _json=text, **found.arrays)  # type: ignore[arg-type]
    partial.replace(file)


def read(file: Path) -> Answer | None:
    """The answer in `file`; None where the file is damaged (it is computed again)."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return Answer(json.loads(arrays.pop("_json").tobytes()), arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


@cache
def _shipped() -> dict[str, Path]:
    return {file.name: file for file in ZOO.glob("*/*/answers/*.npz")}
