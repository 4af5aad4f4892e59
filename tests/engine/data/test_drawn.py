"""A person's own picture as a model sees it."""

import io

import numpy as np
import pytest
from PIL import Image

from engine.data import drawn
from engine.errors import DataError


def bar(height: int = 200, width: int = 100, side: int = 280, at: tuple[int, int] = (10, 20)) -> np.ndarray:
    """One bright bar on black."""
    paper = np.zeros((side, side), dtype=np.uint8)
    paper[at[0] : at[0] + height, at[1] : at[1] + width] = 255
    return paper


def test_ink_is_brought_to_the_form_in_which_mnist_was_made() -> None:
    seen = drawn.as_seen(bar(), (1, 28, 28), "mass").image
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    assert seen.shape == (28, 28) and (len(rows), len(columns)) == (20, 10), "the longer side fills 20 of 28"
    centre = [seen.sum(axis=1 - axis) @ (np.arange(28) + 0.5) / seen.sum() for axis in (0, 1)]
    assert np.allclose(centre, 14, atol=0.5), "the centre of mass lies in the middle"
    elsewhere = drawn.as_seen(bar(at=(60, 150)), (1, 28, 28), "mass").image
    assert np.array_equal(seen, elsewhere), "where it was drawn makes no difference"


def test_an_image_that_has_that_form_already_stays_as_it_is() -> None:
    ink = np.random.default_rng(0).integers(1, 256, (20, 16))
    ink[3, 3] = 255
    given = np.zeros((28, 28), dtype=np.uint8)
    given[4:24, 6:22] = ink
    seen = drawn.as_seen(given, (1, 28, 28), "mass").image
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert np.array_equal(seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], ink)


def test_small_images_are_averages_over_areas() -> None:
    given = np.kron(np.eye(8, dtype=np.uint8) * 120 + 100, np.ones((4, 4), dtype=np.uint8))
    framed = np.pad(given, 10)
    seen = drawn.as_seen(framed, (1, 8, 8), "box").image
    assert np.array_equal(seen, np.rint((np.eye(8) * 120 + 100) / 220 * 255)), (
        "4x4 blocks, the brightest full"
    )


def test_bright_paper_is_inverted_and_that_is_said() -> None:
    dark = drawn.as_seen(bar(), (1, 28, 28), "mass")
    bright = drawn.as_seen(255 - bar(), (1, 28, 28), "mass")
    assert np.array_equal(dark.image, bright.image)
    assert "Inverted" in bright.steps[0] and not any("Inverted" in step for step in dark.steps)
    noisy = np.clip(220.0 - 180 * (bar() / 255) + np.random.default_rng(0).normal(0, 3, (280, 280)), 0, 255)
    uneven = noisy * np.linspace(0.75, 1.0, 280)[None, :]
    for photo in (noisy, uneven):
        seen = drawn.as_seen(photo.astype(np.uint8), (1, 28, 28), "mass")
        assert np.abs(seen.image.astype(int) - dark.image).mean() < 8 and "uneven" in seen.steps[1]
    with pytest.raises(DataError, match="Nothing is drawn"):
        drawn.as_seen((uneven + 180 * (bar() / 255)).clip(0, 255).astype(np.uint8), (1, 28, 28), "mass")


def test_photographs_are_cut_to_their_middle_in_the_colours_of_the_model() -> None:
    photo = np.zeros((40, 80, 3), dtype=np.uint8)
    photo[:, 20:60] = (200, 100, 0)
    seen = drawn.as_seen(photo, (3, 10, 10))
    assert seen.image.shape == (10, 10, 3) and (seen.image == (200, 100, 0)).all()
    assert "middle" in seen.steps[0]
    grey = drawn.as_seen(photo, (1, 10, 10))
    assert grey.image.shape == (10, 10) and "grey" in grey.steps[0]


def test_what_is_no_picture_or_empty_is_a_sentence() -> None:
    with pytest.raises(DataError, match="Nothing is drawn"):
        drawn.as_seen(np.zeros((9, 9), dtype=np.uint8), (1, 28, 28), "mass")
    with pytest.raises(DataError, match="no picture that can be read"):
        drawn.opened(b"GIF89a but not really")
    huge = io.BytesIO()
    Image.new("1", (8000, 6000)).save(huge, "PNG")
    with pytest.raises(DataError, match="48,000,000|8,000 x 6,000"):
        drawn.opened(huge.getvalue())


def test_a_file_leaves_its_pixels_alone() -> None:
    given = io.BytesIO()
    image = Image.new("RGBA", (1000, 500), (0, 0, 0, 0))
    image.save(given, "PNG")
    pixels = drawn.opened(given.getvalue())
    assert pixels.shape == (256, 512) and (pixels == 255).all(), "transparent is white, and 512 the longest"
