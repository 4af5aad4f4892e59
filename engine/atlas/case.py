"""One striking attack as it is kept: a sentence, its pictures, where it is looked at. Torch-free."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from engine.errors import DataError

ATLAS = Path(__file__).resolve().parents[2] / "assets" / "atlas"
CASES, PICTURES = "cases.json", "pictures.npz"


class Shown(BaseModel):
    """What stands under a picture; `gain`: it is a difference, drawn so many times as strong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str
    gain: float | None = None


def difference(delta: np.ndarray) -> Shown:
    """That of a perturbation (d,), whose largest number is drawn half as strong as can be."""
    return Shown(says="difference", gain=float(0.5 / max(float(np.abs(delta).max()), 1e-6)))


class Sentence(BaseModel):
    """A sentence and the values that go into its fields, as they are written: so it can be translated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    values: dict[str, str] = {}

    @classmethod
    def of(cls, words: str, **values: object) -> Self:
        """The sentence with these values, written as they are."""
        return cls(words=words, values={name: str(value) for name, value in values.items()})

    def __str__(self) -> str:
        return self.words.format(**self.values)


class Case(BaseModel):
    """A sample of a model under attack, and by which rule it is striking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    family: str
    """The kind of model, as pages list it."""
    data: str
    model: str
    """Its name in the zoo."""
    attack: str
    objective: str
    run: str = ""
    """The finished attack in which it is a sample; "": a ladder."""
    sample: int
    level: float | None = None
    """ε, or ν of an attack on the embedding."""
    axis: str = "epsilon"
    sentence: Sentence
    measured: dict[str, float]
    """What the rule compared, by name."""
    considered: int
    """Among how many samples it was chosen."""
    shape: tuple[int, ...]
    shown: tuple[Shown, ...]


@dataclass(frozen=True)
class Atlas:
    """All cases, and the pictures of each: (pictures, d)."""

    rules: dict[str, dict[str, str]]
    """Name of a rule -> its title, and what it looks for."""
    cases: tuple[Case, ...]
    pictures: tuple[np.ndarray, ...]


def write(atlas: Atlas, folder: Path) -> None:
    """Two files: the cases as JSON, their pictures as float16 without objects."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"rules": atlas.rules, "cases": [case.model_dump(mode="json") for case in atlas.cases]}
    (folder / CASES).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    arrays: dict[str, Any] = {
        str(number): images.astype(np.float16) for number, images in enumerate(atlas.pictures)
    }
    np.savez_compressed(folder / PICTURES, **arrays)


def read(folder: Path = ATLAS) -> Atlas:
    """What `write` wrote. Raises DataError where there is none."""
    if not (folder / CASES).exists():
        raise DataError(f"There is no atlas in {folder}. Make it: python3 -m engine atlas.")
    said = json.loads((folder / CASES).read_text(encoding="utf-8"))
    cases = tuple(Case(**one) for one in said["cases"])
    with np.load(folder / PICTURES, allow_pickle=False) as stored:
        pictures: Sequence[np.ndarray] = [
            stored[str(number)].astype(np.float32) for number in range(len(cases))
        ]
    return Atlas(said["rules"], cases, tuple(pictures))
