"""Pictures of a person's own, kept under the hash of their pixels."""

import os
from pathlib import Path

import numpy as np

from engine.store import pictures


def noise(seed: int, shape: tuple[int, ...] = (40, 30)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_a_picture_is_found_by_its_pixels(home: Path) -> None:
    for shape in ((40, 30), (40, 30, 3)):
        key = pictures.keep(noise(0, shape))
        found = pictures.find(key)
        assert found is not None and np.array_equal(found, noise(0, shape))
        assert pictures.keep(noise(0, shape)) == key != pictures.keep(noise(1, shape))
    for nobody in ("0" * 12, "../../secret", "", "zzz"):
        assert pictures.find(nobody) is None


def test_one_that_was_changed_is_none(home: Path) -> None:
    key, other = pictures.keep(noise(0)), pictures.keep(noise(1))
    pictures.file_of(key).write_bytes(pictures.file_of(other).read_bytes())
    assert pictures.find(key) is None


def test_those_that_were_not_used_go_first(home: Path) -> None:
    keys = [pictures.keep(noise(seed)) for seed in range(3)]
    for age, key in enumerate(keys):
        os.utime(pictures.file_of(key), (1000 - age, 1000 - age))
    pictures.find(keys[2])  # the oldest, which is of use now
    room = 3 * pictures.file_of(keys[0]).stat().st_size + 200
    newest = pictures.keep(noise(3), limit=room)
    assert [pictures.find(key) is not None for key in (*keys, newest)] == [True, False, True, True]
