"""A trained model as a folder, or a .zip, that another Feint takes in. Torch-free; nothing is ever pickled.

| file | what it holds |
|---|---|
| feint.json | the key, the bytes and SHA-256 of the other files, and the SHA-256 of all that |
| spec.json, card.json, result.json | what the model is, how it was made, what it came to |
| model.safetensors | its weights |
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from engine.errors import RunBroken, RunError
from engine.home import writing
from engine.store import snapshot
from engine.store.run import Run
from engine.store.store import DONE

FORMAT = 1
MANIFEST = "feint.json"
WEIGHTS = "model.safetensors"
LARGEST = {"spec.json": 1 << 20, "card.json": 4 << 20, "result.json": 4 << 20, WEIGHTS: 512 << 20}
"""Bytes that each file may have; there are no others."""
CARD = ("how", "created", "finished", "metrics", "attacked")
"""What of a card goes along."""


def whole(run: Run) -> bool:
    """Whether a run is a finished training with its weights, which can leave."""
    return (
        run.spec.action == "train"
        and snapshot.step_of(run.key) is None
        and run.status() in DONE
        and (run.folder / "state" / WEIGHTS).is_file()
    )


def files(run: Run) -> dict[str, bytes]:
    """Name -> content of the files of a model. Raises RunError where the run holds none."""
    if not whole(run):
        raise RunError(
            f"Only a finished training can leave; {run.name} is a {run.status()} {run.spec.action}. Give the"
            " key of a trained model, or a zoo name."
        )
    spec = run.spec.model_dump(mode="json")
    card = run.card()
    values: dict[str, Mapping[str, Any]] = {
        "spec.json": spec | {"data": Path(spec["data"]).name},  # no path of this machine goes along
        "card.json": {name: card[name] for name in CARD if name in card},
        "result.json": run.result(),
    }
    found = {name: _json(value) for name, value in values.items()}
    found[WEIGHTS] = (run.folder / "state" / WEIGHTS).read_bytes()
    said = {
        "feint": FORMAT,
        "key": run.key,
        "files": {name: _seal(content) for name, content in found.items()},
    }
    return {MANIFEST: _json(said | {"sha256": _hash(_json(said))})} | found


def packed(run: Run) -> bytes:
    """The files of a model as a .zip. Raises RunError."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(run).items():
            archive.writestr(name, content)
    return out.getvalue()


def export(run: Run, out: Path) -> Path:
    """Write a model to a new folder, or to a file where `out` ends in .zip. Raises RunError, DiskError."""
    if out.exists():
        raise RunError(f"{out} is there already; give another name, or move it away.")
    with writing(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix.lower() == ".zip":
            out.write_bytes(packed(run))
            return out
        found = files(run)
        out.mkdir()
        for name, content in found.items():
            (out / name).write_bytes(content)
    return out


def opened(path: Path) -> tuple[str, dict[str, bytes]]:
    """The key and the files of a model that left a Feint, every hash checked. Raises RunBroken."""
    try:
        if path.is_dir():
            return _checked(path.name, _of_folder(path))
        with zipfile.ZipFile(path) as archive:
            return _checked(path.name, _of_zip(archive))
    except (
        OSError,
        ValueError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise RunBroken(
            f"{path.name} is no model that left Feint, or it is damaged ({why}); export it again."
        ) from None


def _of_folder(path: Path) -> dict[str, bytes]:
    held = {name: path / name for name in (MANIFEST, *LARGEST)}
    _refuse_large(path.name, {name: file.stat().st_size for name, file in held.items()})
    return {name: file.read_bytes() for name, file in held.items()}


def _of_zip(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """By name, whatever folder they lie in together: nothing is unpacked."""
    [place] = [PurePosixPath(name).parent for name in archive.namelist() if _named(name)]
    held = {name: (place / name).as_posix() for name in (MANIFEST, *LARGEST)}
    _refuse_large(
        str(archive.filename), {name: archive.getinfo(full).file_size for name, full in held.items()}
    )
    return {name: archive.read(full) for name, full in held.items()}


def _named(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name == MANIFEST and "__MACOSX" not in path.parts


def _refuse_large(where: str, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        most = LARGEST.get(name, 1 << 20)
        if size > most:
            raise RunBroken(
                f"{Path(where).name}: {name} has {size / 1e6:,.0f} MB, and at most {most / 1e6:,.0f} MB are"
                " taken in."
            )


def _checked(where: str, found: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Raises RunBroken at the first byte that was changed."""
    said = json.loads(found.pop(MANIFEST))
    seal = said.pop("sha256")
    if said["feint"] != FORMAT:
        raise RunBroken(f"{where} was made by another version of Feint; this one reads format {FORMAT}.")
    if _hash(_json(said)) != seal:
        raise RunBroken(f"{where}: {MANIFEST} was changed after it left Feint. Export the model again.")
    for name, content in found.items():
        if said["files"].get(name) != _seal(content):
            raise RunBroken(f"{where}: {name} was changed after it left Feint. Export the model again.")
    return str(said["key"]), found


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _seal(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": _hash(content)}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
