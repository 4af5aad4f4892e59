"""The catalogue: everything that can be chosen, as plain JSON, so that pages and `list` need no torch.

`FEINT_HOME/catalogue/<hash of the engine's sources>.json` is written once by `python -m engine catalogue`;
zoo and data cards are read live, since they change without the sources.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from engine import data, extensions
from engine.data import own_kept
from engine.errors import EngineUnavailable
from engine.home import home, make_home
from engine.store.files import write_json
from engine.store.store import Store

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
SILENCE = 2.0
"""Seconds after which it is said what is waited for."""
WAITING = "What there is to choose is being listed, once for this version of Feint; some seconds more."
KEPT = 4
"""Catalogues that are kept: one for each set of sources."""


def read() -> dict[str, Any]:
    """kind -> name -> entry: model, attack, objective, data, metric, study, action, zoo. Written first where
    it is missing.

    A zoo entry holds key, data, model, seed and its card; a data entry its data card. "problems" has one
    sentence for each extension that did not load. Raises EngineUnavailable where the engine does not import.
    """
    described = _described(_place())
    return described | {"data": _data(described["data"]), "zoo": zoo()}


def problems() -> list[str]:
    """One sentence for each extension that could not be loaded; without extensions nothing is read."""
    return list(_described(_place())["problems"]) if extensions.folders() else []


def version(kind: str, name: str) -> int:
    """The version of a registered method, which its author raises by hand; 0 for one that nobody knows."""
    return int(_described(_place())[kind].get(name, {}).get("version", 0))


def zoo() -> dict[str, dict[str, Any]]:
    """Name "data/model" -> `name`, `key`, `data`, `model`, `seed`, `settings`, `card` of every zoo entry."""
    return {
        name: {
            "name": name,
            "key": run.key,
            "data": run.spec.data,
            "model": run.spec.name,
            "seed": run.spec.seed,
            "settings": run.spec.settings,
            "card": run.card(),
        }
        for name, run in Store().zoo().items()
    }


def file() -> Path:
    """Where the catalogue of these sources is."""
    return home() / "catalogue" / f"{_place()}.json"


def write(entries: dict[str, Any]) -> Path:
    """Keep the described entries for these sources; of older catalogues the last few stay, for those who work
    with and without extensions.
    """
    place = file()
    make_home()
    place.parent.mkdir(exist_ok=True)
    write_json(place, entries)
    kept = sorted(place.parent.glob("[!.]*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)
    return place


@cache
def _place() -> str:
    """Sixteen digits of the SHA-256 of all sources: the engine's and those of extensions."""
    digest = hashlib.sha256(repr(extensions.folders()).encode())
    for source in [*sorted((ROOT / "engine").rglob("*.py")), *extensions.sources()]:
        digest.update(os.path.relpath(source, ROOT).encode() + source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _described(place: str) -> dict[str, Any]:
    kept = home() / "catalogue" / f"{place}.json"
    if not kept.exists():
        made = _make()
        if not made.returncode and made.stdout.startswith("{"):  # it could not be kept
            return dict(json.loads(made.stdout))
        kept = Path(
            made.stdout.strip()
        )  # under another name where the sources have changed since this process began
        if made.returncode or not kept.is_file():
            said = made.stderr.strip().splitlines()
            raise EngineUnavailable(
                f"The engine could not describe itself: {said[-1] if said else 'it said nothing'}"
            )
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def _make() -> "subprocess.CompletedProcess[str]":
    """Let the engine describe itself in a process of its own, which imports torch; say so where that takes a
    while.
    """
    patience = threading.Timer(SILENCE, log.warning, [WAITING])
    patience.start()
    try:
        return subprocess.run(
            [sys.executable, "-m", "engine", "catalogue"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        patience.cancel()


def _data(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cards of the engine's own data, read live, then those of extensions as they were described, and
    what a person keeps.
    """
    own = {name: {"kind": "data"} | card for name, card in data.cards().items()}
    brought = {
        name: entry | {"here": True, "where": "an extension"}
        for name, entry in described.items()
        if name not in own
    }
    return own | brought | own_kept.cards()
