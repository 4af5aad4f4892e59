"""Views made of images: what is paired with what, their range, tiles, halves."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import data as engine_data
from engine.data import multiview
from engine.data.sets import regdb
from engine.data.sets.regdb import RegDB
from engine.data.splits import halves
from engine.data.views import AtRest, Views, beside, picture
from engine.errors import DataError, DataMissing


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    found = engine_data.load("digits")
    assert found.labels is not None
    return found.views.all()[0].numpy(), found.labels


def exact(views: list[np.ndarray]) -> bool:
    return all(view.dtype == np.float32 and view.min() == 0 and view.max() == 1 for view in views)


def test_a_noisy_pair_is_a_bijection_within_classes_and_has_half_the_contrast(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    first, second = multiview.noisy_pair(x, y)
    assert exact([first, second]) and (first == x).all()
    clean = multiview.noisy_pair(x, y, sd=1e-9)[1]
    for label in range(10):
        there, came = (np.sort(part[y == label].reshape(-1, 64), axis=0) for part in (x, clean))
        assert np.abs(there - came).max() < 1e-6, "each image of a class stands once in the second view"
    ground, ink = (float(np.median(second[np.abs(clean - level) < 1e-4])) for level in (0, 1))
    assert (ground, ink) == pytest.approx((0.224, 0.792), abs=0.01)
    again = multiview.noisy_pair(x, y)
    assert (again[1] == second).all() and not (multiview.noisy_pair(x, y, seed=8)[1] == second).all()


def test_the_other_constructions(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    assert (
        exact(multiview.label_free_pair(x))
        and exact(multiview.edge_pair(x))
        and exact(multiview.cross_spectrum_pair(x, y))
    )
    assert multiview.edge_pair(x)[1][:, 0, 0, 0].max() <= 1
    negative = multiview.cross_spectrum_pair(x, y)[1]
    assert np.corrcoef(x.mean(0).ravel(), negative.mean(0).ravel())[0, 1] < -0.5


def test_tiles_are_blocks_of_the_image() -> None:
    x = np.arange(2 * 64, dtype=float).reshape(2, 8, 8) / 127
    tiles = multiview.patch_views(x, 2, (0, 1, 2, 3), 1)
    whole = np.concatenate([np.concatenate(tiles[:2], 3), np.concatenate(tiles[2:], 3)], 2)[:, 0]
    assert whole[0, 0, 0] == 0 and exact(tiles)
    assert np.argsort(tiles[3][1, 0].ravel()).tolist() == np.argsort(x[1, 4:, 4:].ravel()).tolist()
    twelve = multiview.patch_views(x, 4, tuple(range(12)), 1)
    assert len(twelve) == 12 and twelve[0].shape == (2, 1, 2, 2)
    with pytest.raises(DataError, match="from 0 to 11"):
        multiview.patch_views(x, 4, (12,), 1)
    with pytest.raises(DataError, match="do not divide"):
        multiview.patch_views(x, 3, (0,), 1)


def test_a_constant_view_is_refused() -> None:
    with pytest.raises(DataError, match="must vary"):
        multiview.label_free_pair(np.zeros((4, 8, 8)))


def test_what_views_cannot_be_made_of_is_told(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    with pytest.raises(DataError, match="20 labels for 30 images"):
        multiview.noisy_pair(x[:30], y[:20])
    with pytest.raises(DataError, match="At least one tile"):
        multiview.patch_views(x[:4], 2, (), 2)
    with pytest.raises(DataError, match="at least one; got the shape"):
        multiview.edge_pair(x[:0])


def test_halves_are_disjoint_and_whole() -> None:
    first, second = halves(1797)
    assert (len(first), len(second)) == (898, 899) and sorted([*first, *second]) == list(range(1797))
    assert (halves(1797)[0] == first).all()


@pytest.mark.parametrize(
    ("name", "n", "views"),
    [
        ("noisy_digits", 1797, 2),
        ("patched_digits", 537, 3),
        ("noisy_digits_0_4", 901, 2),
        ("noisy_digits_5_9", 896, 2),
    ],
)
def test_built_in_sets(name: str, n: int, views: int) -> None:
    found = engine_data.load(name)
    assert len(found) == n and len(found.views.tensors) == views == engine_data.cards()[name]["views"]
    assert found.views.tensors[0].dtype == torch.uint8 and found.views.shapes == ((1, 8, 8),) * views
    assert np.bincount(found.labels).tolist() == engine_data.cards()[name]["counts"]
    for view in found.views.all():
        assert float(view.min()) == 0 and float(view.max()) == 1


def test_views_of_equal_height_stand_side_by_side() -> None:
    views = Views([torch.zeros(2, 1, 3, 4), torch.ones(2, 1, 3, 5)])
    assert beside(views.shapes) and picture(views.shapes) == (1, 3, 9)
    flat = views.flat()
    assert flat.shape == (2, 27) and (flat.reshape(2, 3, 9)[:, :, 4:] == 1).all()
    assert all(torch.equal(one, other) for one, other in zip(views, views.like(flat), strict=True))
    mixed = Views([torch.rand(2, 1, 3, 4), torch.rand(2, 7)])
    assert picture(mixed.shapes) == (19,) and all(
        torch.equal(one, other) for one, other in zip(mixed, mixed.like(mixed.flat()), strict=True)
    )


def brought(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "mine.npz", **arrays)  # type: ignore[arg-type]
    return str(folder / "mine.npz")


def test_a_file_of_several_views(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x1, x2, y = rng.random((30, 8, 8)), rng.integers(0, 256, (30, 12, 12)).astype(np.uint8), np.arange(30) % 3
    found = engine_data.load(brought(tmp_path, x1=x1, x2=x2, y=y))
    assert (
        found.views.shapes == ((1, 8, 8), (1, 12, 12))
        and found.views.divisors == (1.0, 255.0)
        and found.clusters == 3
    )
    assert np.allclose(found.views.all()[0][:, 0].numpy(), x1, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x2": np.random.default_rng(1).random((20, 8, 8))}, "x1 has 30, x2 has 20"),
        ({"x2": np.ones((30, 8, 8))}, "view x2: all values are 1"),
        ({"x2": np.random.default_rng(1).random((30, 64))}, "view x2: views must be images"),
        ({"x2": np.full((30, 8, 8), np.nan)}, "view x2: 1920 values are missing"),
    ],
)
def test_views_that_do_not_fit_are_told(changed: dict[str, np.ndarray], words: str, tmp_path: Path) -> None:
    good = {
        "x1": np.random.default_rng(0).random((30, 8, 8)),
        "x2": np.random.default_rng(2).random((30, 8, 8)),
        "y": np.arange(30) % 3,
    }
    with pytest.raises(DataError, match=words):
        engine_data.load(brought(tmp_path, **(good | changed)))


def test_a_gap_in_the_views_is_told(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((30, 8, 8))
    with pytest.raises(DataError, match="without a gap; it has x1, x3"):
        engine_data.load(brought(tmp_path, x1=x, x3=x))


def test_one_view_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has one view, x1"):
        engine_data.load(brought(tmp_path, x1=np.random.default_rng(0).random((30, 8, 8))))


def test_views_of_different_lengths_never_come_to_rest() -> None:
    with pytest.raises(DataError, match="these hold 3 and 4"):
        AtRest((torch.zeros(3, 1, 8, 8), torch.zeros(4, 1, 8, 8)), (1.0, 1.0))


def people(folder: Path, spectrum: str, count: int, images: int = 10) -> None:
    for person in range(1, count + 1):
        place = folder / "regdb" / spectrum / str(person)
        place.mkdir(parents=True)
        for number in range(images):
            pixels = (
                np.random.default_rng(person * 100 + number).integers(0, 256, (40, 20, 3)).astype(np.uint8)
            )
            Image.fromarray(pixels).save(place / f"{number:02d}.bmp")


def test_regdb_without_its_folder_says_where_to_get_it() -> None:
    with pytest.raises(DataMissing, match="may not be fetched.*Visible and Thermal"):
        RegDB().load()
    with pytest.raises(DataMissing, match="may not be fetched"):
        list(engine_data.fetch("regdb"))


def test_regdb_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    monkeypatch.setattr(regdb, "PEOPLE", 4)
    people(tmp_path, "Visible", 6)
    with pytest.raises(DataError, match="it has no Thermal"):
        RegDB().load()
    people(tmp_path, "Thermal", 3)
    with pytest.raises(DataError, match="at least 4 people in both Visible and Thermal; it has 3"):
        RegDB().load()
    shutil.rmtree(tmp_path / "regdb" / "Thermal")
    people(tmp_path, "Thermal", 5)
    found, again = RegDB().load(), RegDB().load()
    assert (
        len(found) == 400
        and found.views.shapes == ((3, 128, 64),) * 2
        and found.fingerprint == again.fingerprint
    )
    assert found.labels is not None and np.bincount(found.labels).tolist() == [100] * 4
    first = found.views.rows(slice(10, 100))
    grey = (first[0][:, 0] - first[0][:, 1]).abs().flatten(1).amax(1) < 0.01
    assert 10 < int(grey.sum()) < 60, "about a third of the ninety that are made are grey"
    assert torch.equal(grey, (first[1][:, 0] - first[1][:, 1]).abs().flatten(1).amax(1) < 0.01), (
        "one operation for both views"
    )
