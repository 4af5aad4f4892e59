"""The catalogue: everything that can be chosen, as plain JSON, so that pages and `list` need no torch.

`FEINT_HOME/catalogue/<hash of the engine's sources>.json` is written once by `python -m engine catalogue`;
zoo and data cards are read live, since they change without the sources.
"""

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from engine import data
from engine.errors import EngineUnavailable
from engine.home import home
from engine.store.files import write_json
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[2]


def read() -> dict[str, Any]:
    """kind -> name -> entry: model, attack, objective, data, metric, study, action, zoo. Written first where
    it is missing.

    A zoo entry holds key, data, model, seed and its card; a data entry its data card. Raises
    EngineUnavailable where the engine cannot be imported.
    """
    return _described(_place()) | {"data": _data(), "zoo": zoo()}


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
    """Keep the described entries for these sources; older catalogues go."""
    place = file()
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in place.parent.glob("[!.]*.json"):
        old.unlink(missing_ok=True)
    write_json(place, entries)
    return place


@cache
def _place() -> str:
    """Sixteen digits of the SHA-256 of all of the engine's sources."""
    digest = hashlib.sha256()
    for source in sorted((ROOT / "engine").rglob("*.py")):
        digest.update(str(source.relative_to(ROOT)).encode() + source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _described(place: str) -> dict[str, Any]:
    kept = home() / "catalogue" / f"{place}.json"
    if not kept.exists():
        made = subprocess.run(
            [sys.executable, "-m", "engine", "catalogue"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        kept = Path(
            made.stdout.strip()
        )  # under another name where the sources have changed since this process began
        if made.returncode or not kept.is_file():
            said = made.stderr.strip().splitlines()
            raise EngineUnavailable(
                f"The engine could not describe itself: {said[-1] if said else 'it said nothing'}"
            )
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def _data() -> dict[str, dict[str, Any]]:
    return {name: {"kind": "data"} | card for name, card in data.cards().items()}
