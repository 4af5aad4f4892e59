"""`state/` of a run folder: safetensors and JSON, written whole beside the old one and swapped.

| file | what it holds |
|---|---|
| model.safetensors | the weights inference needs; its header says format, version, shapes and clusters |
| training.safetensors | everything else: optimisers, generator, targets, networks of training only |
| state.json | counters, how, seconds, last gradient angles, and the SHA-256 of training.safetensors |

Nothing is ever pickled.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import RunBroken
from engine.home import unwritable, why_unwritable, writing
from engine.models.state import State
from engine.store.files import read_json, write_json

FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What the weights say of themselves: the method's version, a sample's shapes, how many clusters."""

    version: int
    shapes: tuple[tuple[int, ...], ...]
    clusters: int

    def words(self) -> dict[str, str]:
        """As safetensors metadata."""
        return {
            "format": str(FORMAT),
            "version": str(self.version),
            "shapes": json.dumps(self.shapes),
            "clusters": str(self.clusters),
        }


def there(folder: Path) -> bool:
    """Whether the run has a checkpoint to go on from."""
    _settle(folder)
    return (folder / "state" / "state.json").exists()


def save(
    folder: Path, state: State, header: Header, seconds: float, angles: Mapping[str, float | None]
) -> None:
    """Write the whole checkpoint beside the old one, then swap the two. Raises DiskError."""
    with _whole(folder) as new:
        _write(new, state, header, seconds, angles)


def _write(
    new: Path, state: State, header: Header, seconds: float, angles: Mapping[str, float | None]
) -> None:
    """The three files of a checkpoint."""
    save_file(_resting(state.model.state_dict()), new / "model.safetensors", header.words())
    save_file(
        _resting(state.training_tensors()),
        new / "training.safetensors",
        {"format": str(FORMAT), "version": str(header.version)},
    )
    write_json(
        new / "state.json",
        {
            "format": FORMAT,
            "version": header.version,
            "counters": state.counters,
            "how": state.how.values(),
            "seconds": round(seconds, 3),
            "angles": dict(angles),
            "sha256": _sha256(new / "training.safetensors"),
        },
    )


def save_model(folder: Path, model: nn.Module, header: Header) -> None:
    """Keep the weights alone: what a finished run needs."""
    with _whole(folder) as new:
        save_file(_resting(model.state_dict()), new / "model.safetensors", header.words())


def load(folder: Path, state: State, version: int) -> None:
    """Fill a fresh skeleton from the checkpoint. Raises RunBroken where it is damaged, truncated or of
    another version.
    """
    at = folder / "state"
    about = read_json(at / "state.json")
    _check_version(folder, about.get("format"), about.get("version"), version)
    if _sha256(at / "training.safetensors") != about["sha256"]:
        raise _damaged(folder.name, at / "training.safetensors")
    _, weights = read_model(folder, version)
    fill(state.model, weights, folder.name)
    state.restore(_tensors(at / "training.safetensors", folder.name), about["counters"])


def about(folder: Path) -> dict[str, Any]:
    """state.json: counters, how, seconds; `{}` without a checkpoint. Torch is not needed to understand it."""
    return read_json(folder / "state" / "state.json")


def read_model(folder: Path, version: int) -> tuple[Header, dict[str, Tensor]]:
    """The inference weights on the CPU, and what they say about themselves. Raises RunBroken as
    `load` does.
    """
    return read_header(folder, version), _tensors(folder / "state" / "model.safetensors", folder.name)


def read_header(folder: Path, version: int) -> Header:
    """What the inference weights say about themselves. Raises RunBroken as `load` does."""
    _settle(folder)
    file = folder / "state" / "model.safetensors"
    if not file.exists():
        raise RunBroken(
            f"The run {folder.name} has no trained weights (state/model.safetensors); let it finish, or train"
            " it anew."
        )
    try:
        with safe_open(file, "pt") as opened:
            words = opened.metadata() or {}
        header = Header(
            int(words["version"]),
            tuple(tuple(shape) for shape in json.loads(words["shapes"])),
            int(words["clusters"]),
        )
    except (SafetensorError, OSError, KeyError, ValueError):
        raise _damaged(folder.name, file) from None
    _check_version(folder, int(words.get("format", 0)), header.version, version)
    return header


def fill(model: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Load weights into a network of the same make. Raises RunBroken where names or shapes differ."""
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        first = str(error).splitlines()[1 if "\n" in str(error) else 0].strip()
        raise RunBroken(
            f"The weights of run {name} do not fit this version of the method ({first}); train it anew."
        ) from None


def _check_version(folder: Path, stored_format: Any, stored: Any, version: int) -> None:
    if stored_format != FORMAT or stored != version:
        raise RunBroken(
            f"The checkpoint of run {folder.name} is of another version (format {stored_format}, method"
            f" {stored}); this Feint reads format {FORMAT}, method {version}. Train it anew."
        )


def _tensors(file: Path, name: str) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (SafetensorError, OSError):
        raise _damaged(name, file) from None


def _damaged(name: str, file: Path) -> RunBroken:
    return RunBroken(
        f"The checkpoint of run {name} is truncated or damaged ({file.name}); delete the run and train it"
        " anew."
    )


def _resting(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Own, contiguous CPU copies: safetensors refuses shared memory."""
    return {
        name: torch.as_tensor(tensor).detach().to("cpu", copy=True).contiguous()
        for name, tensor in tensors.items()
    }


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside the old checkpoint to write a new one into, which then takes its place, or else is
    gone. Raises DiskError where the disk refuses it.
    """
    new = folder / ".state.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        with writing(folder):
            new.mkdir()
            yield new
            _swap(folder)
    except SafetensorError as error:
        raise unwritable(folder, why_unwritable(error) or str(error)) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(folder: Path) -> None:
    at, old = folder / "state", folder / ".state.old"
    shutil.rmtree(old, ignore_errors=True)
    if at.exists():
        at.rename(old)
    (folder / ".state.new").rename(at)
    shutil.rmtree(old, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Put the old checkpoint back where a crash fell between the two renames of a swap."""
    if not (folder / "state").exists() and (folder / ".state.old").exists():
        (folder / ".state.old").rename(folder / "state")
