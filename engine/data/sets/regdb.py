"""RegDB: people seen in visible and in thermal light, as two views. Its owners give it to those who register;
it is never fetched.

Source: Nguyen, Hong, Kim and Park, "Person recognition system based on a combination of body images from
visible light and thermal cameras", Sensors 2017. How 50 people with 10 + 10 images became 5,000 pairs for
AR-DMVC was not released; what is done here is a reading of its text, whose published
numbers cannot be reproduced.
"""

import re
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from engine.data.dataset import Dataset, DataSettings
from engine.data.finding import folders
from engine.data.splits import halves
from engine.errors import DataError, DataMissing
from engine.registry import register

PEOPLE, EACH, PAIRS = 50, 10, 100
"""People taken, images of each and spectrum, and pairs made of them."""
SIZE = (128, 64)
SD = 0.1
SEED = 7
ENDINGS = (".bmp", ".png", ".jpg", ".jpeg")
HOW = (
    "Ask its owners for RegDB (http://dm.dongguk.edu/link.html), then put its folders Visible and Thermal,"
    " with one folder a person, into {place}, and start again."
)


@register
class RegDB(DataSettings):
    """Fifty people, a hundred pairs of each."""

    name = "regdb"
    title = "RegDB"
    summary = "People in visible and in thermal light as two views, 3x128x64; from a folder of your own."
    source = "Nguyen, Hong, Kim and Park, Sensors 2017"
    licence = "Given by its owners to those who register"
    views: ClassVar[int] = 2
    shape = (3, *SIZE)
    class_names = tuple(f"person {number}" for number in range(1, PEOPLE + 1))
    counts = (PAIRS,) * PEOPLE
    note = (
        "Pairs: visible image i with thermal image i of the same person; then 90 pairs of each person by one"
        " of three operations, drawn at random, on an original pair: grey, noise of standard deviation 0.1,"
        " negative. A reading: the release of AR-DMVC lacks this data."
    )

    obtained = HOW.format(place="the folder regdb in FEINT_DATA")

    def load(self) -> Dataset:
        """The pairs. Raises DataMissing without the folder, DataError where it is not RegDB's."""
        from engine.data.tensors import several

        place = _folder()
        if place is None:
            raise DataMissing(
                "RegDB is not on this machine and may not be fetched. "
                + HOW.format(place=folders()[0] / "regdb")
            )
        visible, thermal = (_people(place, spectrum) for spectrum in ("Visible", "Thermal"))
        known = sorted(set(visible) & set(thermal), key=int)
        if len(known) < PEOPLE:
            raise DataError(
                f"{place} must hold at least {PEOPLE} people in both Visible and Thermal; it has"
                f" {len(known)}. Copy all of RegDB there."
            )
        rng = np.random.default_rng(SEED)
        chosen = rng.permutation(known)[:PEOPLE]
        pairs = [_pairs(visible[person], thermal[person], rng) for person in chosen]
        views = [np.concatenate([pair[view] for pair in pairs]) for view in (0, 1)]
        first, second = halves(PEOPLE * PAIRS)
        return Dataset(
            name=self.name,
            views=several(views),
            labels=np.repeat(np.arange(PEOPLE), PAIRS),
            class_names=self.class_names,
            clusters=PEOPLE,
            title=self.title,
            source=self.source,
            licence=self.licence,
            note=self.note,
            train=first,
            test=second,
        )

    @classmethod
    def whereabouts(cls) -> str | None:
        """The folder, where there is one."""
        place = _folder()
        return None if place is None else str(place)


def _folder() -> Path | None:
    return next((folder / "regdb" for folder in folders() if (folder / "regdb").is_dir()), None)


def _people(place: Path, spectrum: str) -> dict[str, list[Path]]:
    """Person's number -> the images of that person in one spectrum."""
    root = next(
        (folder for folder in place.iterdir() if folder.is_dir() and folder.name.lower() == spectrum.lower()),
        None,
    )
    if root is None:
        raise DataError(
            f"{place} must hold the folders Visible and Thermal; it has no {spectrum}. Copy RegDB's own"
            " folders there."
        )
    found = {
        folder.name: sorted(
            (file for file in folder.iterdir() if file.suffix.lower() in ENDINGS), key=lambda file: file.name
        )
        for folder in root.iterdir()
        if folder.is_dir() and re.fullmatch(r"\d+", folder.name)
    }
    return {person: files for person, files in found.items() if len(files) >= EACH}


def _pairs(
    visible: list[Path], thermal: list[Path], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A hundred pairs of one person: each (100, 3, H, W) in [0, 1]."""
    originals = [np.stack([_image(file) for file in files[:EACH]]) for files in (visible, thermal)]
    drawn = rng.integers(EACH, size=PAIRS - EACH)
    kinds = rng.integers(3, size=PAIRS - EACH)
    made = [
        np.concatenate(
            [
                view,
                np.stack(
                    [_changed(view[which], kind, rng) for which, kind in zip(drawn, kinds, strict=True)]
                ),
            ]
        )
        for view in originals
    ]
    return made[0], made[1]


def _image(file: Path) -> np.ndarray:
    try:
        with Image.open(file) as opened:
            resized = opened.convert("RGB").resize((SIZE[1], SIZE[0]), Image.Resampling.BILINEAR)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as an image ({error}); replace it.") from None
    return np.asarray(resized, dtype=np.float32).transpose(2, 0, 1) / 255


def _changed(image: np.ndarray, kind: int, rng: np.random.Generator) -> np.ndarray:
    if kind == 0:
        return np.broadcast_to(image.mean(0, keepdims=True), image.shape)
    return (
        np.clip(image + rng.normal(0, SD, image.shape), 0, 1).astype(np.float32) if kind == 1 else 1 - image
    )
