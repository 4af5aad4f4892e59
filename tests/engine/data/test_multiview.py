"""Views made of images: what is paired with what, their range, tiles, halves."""

import numpy as np
import pytest
import torch

from engine import data as engine_data
from engine.data import multiview
from engine.data.views import Views, beside, picture
from engine.errors import DataError


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    found = engine_data.load("digits")
    assert found.labels is not None
    return found.views.all()[0].numpy(), found.labels


def exact(views: list[np.ndarray]) -> bool:
    return all(view.dtype == np.float32 and view.min() == 0 and view.max() == 1 for view in views)


def test_a_noisy_pair_is_a_bijection_within_classes_and_has_half_the_contrast(digits: tuple[np.ndarray, np.ndarray]) -> None:
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
    assert exact(multiview.label_free_pair(x)) and exact(multiview.edge_pair(x)) and exact(multiview.cross_spectrum_pair(x, y))
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


def test_halves_are_disjoint_and_whole() -> None:
    first, second = multiview.halves(1797)
    assert (len(first), len(second)) == (898, 899) and sorted([*first, *second]) == list(range(1797))
    assert (multiview.halves(1797)[0] == first).all()


@pytest.mark.parametrize(("name", "n", "views"), [("noisy_digits", 1797, 2), ("patched_digits", 537, 3)])
def test_built_in_sets(name: str, n: int, views: int) -> None:
    found = engine_data.load(name)
    assert len(found) == n and len(found.views.tensors) == views == engine_data.cards()[name]["views"]
    assert found.views.tensors[0].dtype == torch.uint8 and found.views.shapes == ((1, 8, 8),) * views


def test_views_of_equal_height_stand_side_by_side() -> None:
    views = Views([torch.zeros(2, 1, 3, 4), torch.ones(2, 1, 3, 5)])
    assert beside(views.shapes) and picture(views.shapes) == (1, 3, 9)
    flat = views.flat()
    assert flat.shape == (2, 27) and (flat.reshape(2, 3, 9)[:, :, 4:] == 1).all()
    assert all(torch.equal(one, other) for one, other in zip(views, views.like(flat), strict=True))
    mixed = Views([torch.rand(2, 1, 3, 4), torch.rand(2, 7)])
    assert picture(mixed.shapes) == (19,) and all(torch.equal(one, other) for one, other in zip(mixed, mixed.like(mixed.flat()), strict=True))
