"""Pictures: what their pixels say."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app import gallery
from app.charts import palette


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_a_png_has_the_pixels_of_the_image() -> None:
    image = np.linspace(0, 1, 12).reshape(1, 3, 4)
    assert opened(gallery.to_png(image)).tolist() == np.rint(image[0] * 255).tolist()
    assert opened(gallery.to_png(image, scale=5)).shape == (15, 20)
    assert opened(gallery.to_png(np.random.default_rng(0).random((3, 5, 6)))).shape == (5, 6, 3)


def test_what_lies_outside_the_box_is_clipped_and_nan_is_black() -> None:
    assert opened(gallery.to_png(np.array([[-0.5, 2.0, np.nan]]))).tolist() == [[0, 255, 0]]


def test_uint8_is_taken_as_it_is() -> None:
    assert opened(gallery.to_png(np.array([[0, 1, 255]], dtype=np.uint8))).tolist() == [[0, 1, 255]]


def test_a_perturbation_lets_the_page_through_at_zero_and_is_full_at_one_over_its_gain() -> None:
    shown = opened(gallery.signed_png(np.array([[0.0, 0.1, -0.1, 0.05, 0.5]]), gain=10))[0]
    assert shown[0, 3] == 0
    assert tuple(shown[1]) == tuple(shown[4]) == (*palette.POSITIVE, 255)
    assert tuple(shown[2]) == (*palette.NEGATIVE, 255)
    assert tuple(shown[3, :3]) == palette.POSITIVE and abs(int(shown[3, 3]) - 127.5) < 1


def test_a_perturbation_in_colour_is_grey_at_zero() -> None:
    shown = opened(gallery.signed_png(np.zeros((3, 2, 2)), gain=5))
    assert np.abs(shown.astype(int) - 127.5).max() < 1


@pytest.mark.parametrize(("gain", "text"), [(12, "×12"), (2.5, "×2.5"), (120.0, "×120")])
def test_the_gain_is_stated(gain: float, text: str) -> None:
    assert gallery.gain_text(gain) == text


def test_captions_are_text_and_there_is_one_an_image() -> None:
    page = gallery.grid_html([np.zeros((2, 2))], ['<b>"x"</b>'])
    assert "<b>" not in page and "&lt;b&gt;" in page
    with pytest.raises(ValueError, match="one caption an image; got 1 for 2"):
        gallery.grid_html([np.zeros((2, 2))] * 2, ["one"])


def test_tiles_of_a_sheet_are_in_the_order_of_their_ids() -> None:
    images = np.arange(7, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(6, 2)
    sheet = gallery.sprite_sheet(images, range(100, 107))
    assert sheet["ids"] == list(range(100, 107))
    assert (sheet["tile"], sheet["columns"], sheet["size"]) == ([6, 4], 3, [18, 12])
    pixels = opened(base64.b64decode(sheet["src"].split(",")[1]))
    for place in range(7):
        top, left = divmod(place, 3)
        assert (pixels[top * 4 : (top + 1) * 4, left * 6 : (left + 1) * 6] == place).all()


def test_a_sheet_that_phones_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="holds 1,024 images of 128 x 128; got 1,025"):
        gallery.sprite_sheet(np.zeros((1025, 128, 128), dtype=np.uint8), range(1025))
    with pytest.raises(ValueError, match="one id an image"):
        gallery.sprite_sheet(np.zeros((2, 8, 8)), [1])
