"""Which rows of a data set are meant: its own parts, the fixed halves, and samples that were appended."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from engine import data as engine_data
from engine.data.appended import with_images
from engine.data.dataset import Dataset
from engine.data.finding import Part, source_parts
from engine.data.splits import PARTS, halves
from engine.errors import DataError
from tests.engine.data.test_own import png
from tests.engine.tiny import blobs

RNG = np.random.default_rng(1)


def _divided() -> Dataset:
    """Sixty samples whose source trains on every third."""
    rows = np.arange(60)
    return replace(blobs(60), train=rows[rows % 3 == 0], test=rows[rows % 3 != 0])


def _appended(data: Dataset) -> Dataset:
    origin = np.array([0, 1, 2, 3, 4, 0])
    flat = np.linspace(0, 1, 6 * data.views.size, dtype=np.float32).reshape(6, -1)
    return with_images(data, flat, origin, "With more.")


def test_halves_stand_in_where_the_source_divides_nothing() -> None:
    data, (first, second) = blobs(60), halves(60)
    assert (data.rows("train") == data.rows("first")).all() and (data.rows("first") == first).all()
    assert (data.rows("test") == data.rows("second")).all() and (data.rows("second") == second).all()
    assert data.rows_in_words("test") == "the second half, 30 of 60 samples"
    assert data.rows_in_words("all") == "all 60 samples"


def test_the_sources_own_parts_come_first() -> None:
    data = _divided()
    assert (data.rows("train") % 3 == 0).all() and (data.rows("test") % 3 > 0).all()
    assert sorted([*data.rows("train"), *data.rows("test")]) == list(range(60))
    assert set(data.rows("first")) != set(data.rows("train"))
    assert data.rows_in_words("train") == "the training rows, 20 of 60 samples"


@pytest.mark.parametrize("data", [blobs(60), _divided()])
def test_appended_samples_join_the_parts_that_are_trained_on(data: Dataset) -> None:
    more = _appended(data)
    assert more.own == 60 and len(more) == 66 and (more.origin[:60] == -1).all()
    assert (more.labels[60:] == data.labels[more.origin[60:]]).all()
    for part in PARTS:
        own, joined = set(data.rows(part)), set(more.rows(part))
        made = {60 + row for row, origin in enumerate(more.origin[60:]) if origin in own}
        assert joined == own | (made if part in ("all", "first", "train") else set())
    assert not set(more.rows("train")) & set(more.rows("test"))
    assert _appended(_divided()).rows_in_words("train").endswith(", and 3 attacked ones")


def test_copies_among_appended_samples_are_counted_apart() -> None:
    """An attack that fails answers with the sample itself, which adds nothing new."""
    data, rows = blobs(60), np.array([0, 3, 6])
    flat = data.views.all().flat().numpy()[rows]
    flat[1] = 1 - flat[1]
    told = with_images(data, flat, rows, "With more.").rows_in_words("all")
    assert told.endswith(", and 3 attacked ones, 2 of them copies of their samples, where the attack failed")


def test_appended_numbers_are_exactly_what_came() -> None:
    data = blobs(60)
    more = _appended(data)
    assert (more.views.all().flat()[:60] == data.views.all().flat()).all()
    assert more.views.all().flat()[60:].numpy().max() == 1.0
    assert more.plain.fingerprint != more.fingerprint and more.plain.origin is None
    assert len(more.plain) == 60 and (more.plain.labels == data.labels).all() and data.plain is data


def test_parts_of_a_release_are_known_rows() -> None:
    train, test = source_parts((Part("train", (2,), (3, 4), 0), Part("test", (2,), (1, 1), 0)))
    assert train.tolist() == list(range(7)) and test.tolist() == [7, 8]
    assert source_parts((Part("test", (2,), (3,), 0),)) == (None, None)


def test_multi_view_constructions_are_halved() -> None:
    data = engine_data.load("noisy_digits")
    assert (data.train == halves(1797)[0]).all() and (data.test == halves(1797)[1]).all()
    assert engine_data.load("digits").train is None


def test_an_npz_brings_its_split(tmp_path) -> None:
    x, y = RNG.normal(size=(40, 5)), np.arange(40) % 4
    np.savez(tmp_path / "own.npz", x_train=x[:30], x_test=x[30:], y_train=y[:30], y_test=y[30:])
    data = engine_data.load(str(tmp_path / "own.npz"))
    assert data.train.tolist() == list(range(30)) and data.test.tolist() == list(range(30, 40))
    np.savez(tmp_path / "whole.npz", x=x, y=y)
    assert engine_data.load(str(tmp_path / "whole.npz")).train is None


def test_a_csv_brings_its_split(tmp_path) -> None:
    lines = [f"{i},{i % 7},{'ab'[i % 2]},{'Train' if i % 5 else 'test'}" for i in range(40)]
    path = tmp_path / "own.csv"
    path.write_text("p,q,label,split\n" + "\n".join(lines))
    data = engine_data.load(str(path))
    assert data.test.tolist() == list(range(0, 40, 5)) and data.views.size == 2
    path.write_text("p,q,split\n" + "\n".join(f"{i},{i % 7},dev" for i in range(40)))
    with pytest.raises(DataError, match="column split must say train or test; got 'dev'"):
        engine_data.load(str(path))
    path.write_text("p,split\n" + "\n".join(f"{i},{i % 7}" for i in range(40)))
    assert engine_data.load(str(path)).views.size == 2  # numbers under that heading are a feature


def test_a_zip_brings_its_split(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for i in range(12):
            part = "train" if i < 8 else "test"
            picture = RNG.integers(0, 255, (6, 6), dtype=np.uint8)
            archive.writestr(f"set/{part}/{'cat' if i % 2 else 'dog'}/{i:02d}.png", png(picture))
    data = engine_data.load(str(tmp_path / "own.zip"))
    assert len(data.train) == 8 and len(data.test) == 4 and data.class_names == ("cat", "dog")
