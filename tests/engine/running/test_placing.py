"""Maps: the principal plane, the pictures of a training, and UMAP itself, which compiles for half a
minute.
"""

import numpy as np
import pytest

from engine.running import pictures, placing


def blobs(n: int = 60) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n, 5)) + 6 * (np.arange(n) % 3)[:, None]).astype(np.float32)


def test_few_points_have_a_map_too() -> None:
    z = blobs(6)
    xy = placing.fit_map(z, 0)
    placed, error = placing.place(z[2:3], z, xy)
    assert xy.shape == (6, 2) and placed == pytest.approx(xy[2:3]) and error == 0


def test_the_principal_plane_keeps_what_a_plane_can() -> None:
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 7)) + 3
    plane = pictures.principal_plane(flat)
    distances = [np.linalg.norm(points[:, None] - points[None], axis=2) for points in (flat, plane)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-9)
    assert pictures.principal_plane(flat[:, :1])[:, 1].any() == np.False_


def test_a_turned_map_resembles_the_one_before() -> None:
    xy, angle = blobs()[:, :2], 2.1
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    assert pictures.turned(xy @ rotation, xy) == pytest.approx(xy, abs=1e-4)


def test_a_grid_of_pictures_has_a_gap_and_is_enlarged() -> None:
    picture = pictures.grid(np.ones((2, 3, 1, 8, 8), np.float32))
    assert picture.size == ((3 * 9 - 1) * pictures.SCALE, (2 * 9 - 1) * pictures.SCALE)
    pixels = np.asarray(picture)
    assert pixels[0, 0] == 255 and pixels[0, 8 * pictures.SCALE] == 128
    assert pictures.grid(np.zeros((1, 1, 3, 4, 4), np.float32)).mode == "RGB"


@pytest.mark.filterwarnings("ignore:Tensorflow not installed", "ignore:.*n_jobs.*", "ignore:n_epochs")
@pytest.mark.slow
def test_umap_itself_puts_a_new_point_beside_its_neighbours() -> None:
    z = blobs(300)
    xy = placing.fit_map(z, 0)
    new = z[:20] + np.float32(1e-4)
    placed, error = placing.place(new, z, xy)
    assert 0 < error < 0.1 * np.ptp(xy, axis=0).max(), "mapped points land near themselves, not on themselves"
    assert np.median(np.linalg.norm(placed - xy[:20], axis=1)) < 2 * error
    first = placing._umap(n_neighbors=15, random_state=0, n_jobs=1).fit(z)
    assert (first.embedding_ == xy).all(), "the same seed makes the same map"
    assert placed == pytest.approx(first.transform(new), abs=1e-5), (
        "the rebuilt map places as the first one does"
    )
    alone, _ = placing.place(new[:1], z, xy)
    assert alone.shape == (1, 2) and np.linalg.norm(alone - placed[:1]) < 5 * error
    assert placing._mapped.cache_info().misses == 1, "the rebuilt map is kept for the next sample"
