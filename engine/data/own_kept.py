"""Data of a person's own that are kept under `FEINT_HOME/own`, a folder by fingerprint, with a name that the
person chose: they are in every list of data. Torch-free but for keeping them.

| file | what it holds |
|---|---|
| data.npz | the arrays as they were read: `x`, or `x1`, `x2` …, with labels and names |
| card.json | what is known about them |
"""

import json
import re
import shutil
import unicodedata
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data import own_files
from engine.data.listing import brought_along, owners
from engine.data.own_files import Raw
from engine.errors import DataError, UnknownName
from engine.home import home, make_home, writing

if TYPE_CHECKING:
    from engine.data.dataset import Dataset

LONGEST = 60
"""Letters of a name."""
ALLOWED = re.compile(r"[\w .,()'-]+")
FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def folder() -> Path:
    """Where they lie."""
    return home() / "own"


def stamp() -> int:
    """A number that changes with what is kept."""
    try:
        return folder().stat().st_mtime_ns
    except OSError:
        return 0


def cards() -> dict[str, dict[str, Any]]:
    """Name -> card of all that is kept, by name; what cannot be read is left out."""
    found = {}
    for file in sorted(folder().glob("*/card.json")):
        if FINGERPRINT.fullmatch(file.parent.name) and (card := _card(file)):
            found[card["name"]] = card
    return dict(sorted(found.items()))


def _card(file: Path) -> dict[str, Any]:
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
        return card | {"name": str(card["name"]), "here": True, "where": str(file.parent), "own": True}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def with_fingerprint(fingerprint: str) -> str | None:
    """The name of what is kept under a fingerprint."""
    card = _card(folder() / fingerprint / "card.json") if FINGERPRINT.fullmatch(fingerprint) else {}
    return card.get("name")


def views(name: str) -> list[tuple[str, Raw]]:
    """The arrays that are kept under a name, as they were read."""
    place = Path(cards()[name]["where"]) / "data.npz"
    return own_files.views(place) or [("", own_files.npz(place))]


def named(title: str) -> tuple[str, str]:
    """The name for commands and links ("my-leaves") of what a person called "My leaves", and that title.

    Raises DataError where it cannot be one.
    """
    title = " ".join(title.replace("_", " ").split())
    if not title or len(title) > LONGEST or not ALLOWED.fullmatch(title):
        raise DataError(
            f"A name has 1 to {LONGEST} letters, digits, spaces and . , ( ) ' -; got {title[:80]!r}. Choose"
            " another."
        )
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-"), title


def keep(data: "Dataset", read: list[tuple[str, Raw]], title: str, about: dict[str, Any]) -> dict[str, Any]:
    """The card of data that are now kept under a name: `read` as it came, `about` what is added to the card.

    What is kept already stays under the name it has. Raises DataError where the name is taken, DiskError
    where the disk refuses it.
    """
    there = with_fingerprint(data.fingerprint)
    if there is not None:
        return cards()[there]
    name, title = named(title)
    name = name or f"own-{data.fingerprint[:6]}"
    if name in owners() or name in brought_along() or name in cards():
        raise DataError(f"There are data called {name!r} already. Choose another name.")
    counts = [] if data.labels is None else np.bincount(data.labels, minlength=len(data.class_names)).tolist()
    card = {
        "kind": "data",
        "name": name,
        "title": title,
        "summary": f"{len(data):,} samples of your own.",
        "source": data.source,
        "licence": data.licence,
        "samples": len(data),
        "shape": list(data.views.shapes[0]),
        "views": len(data.views.shapes),
        "clusters": data.clusters,
        "classes": list(data.class_names),
        "counts": counts,
        "download": 0,
        "fingerprint": data.fingerprint,
        "obtained": "",
    }
    _write(data.fingerprint, read, card | about)
    return cards()[name]


def _write(fingerprint: str, read: list[tuple[str, Raw]], card: dict[str, Any]) -> None:
    """The folder, whole or not at all."""
    with writing(folder()):
        make_home()
        folder().mkdir(exist_ok=True)
        partial = folder() / f".new-{uuid.uuid4().hex[:8]}"
        try:
            partial.mkdir()
            with (partial / "data.npz").open("wb") as stream:
                np.savez_compressed(stream, **_arrays(read, card["clusters"]))  # type: ignore[arg-type]
            size = (partial / "data.npz").stat().st_size
            text = json.dumps(card | {"bytes": size}, indent=1, ensure_ascii=False, allow_nan=False)
            (partial / "card.json").write_text(text, encoding="utf-8")
            partial.rename(folder() / fingerprint)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _arrays(read: list[tuple[str, Raw]], clusters: int) -> dict[str, np.ndarray]:
    """The arrays by which `own_files` reads the same again."""
    raw = read[0][1]
    found = {key or "x": one.x for key, one in read} | {"clusters": np.array(clusters)}
    held = {
        "y": raw.y,
        "class_names": np.array(raw.class_names) if raw.class_names else None,
        "feature_names": np.array(raw.features) if raw.features else None,
        "training": raw.training,
    }
    return found | {key: array for key, array in held.items() if array is not None}


def remove(name: str) -> dict[str, Any]:
    """Give back the room of what is kept under a name; runs on it stay. Its card. Raises UnknownName."""
    known = cards()
    if name not in known:
        raise UnknownName("data set of your own", name, list(known))
    place = Path(known[name]["where"])
    gone = place.with_name(f".gone-{uuid.uuid4().hex[:8]}")
    with writing(folder()):
        place.rename(gone)
        shutil.rmtree(gone)
    return known[name]
