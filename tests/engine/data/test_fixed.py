"""Places that may not change, as a text."""

import numpy as np
import pytest

from engine.data.fixed import fixed_of, over_channels, text_of
from engine.errors import SettingsError


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (13,), (1, 8, 16)])
def test_places_go_into_a_text_and_come_back(shape: tuple[int, ...]) -> None:
    plane = shape[-2:] if len(shape) == 3 else shape
    fixed = np.random.default_rng(0).random(plane) < 0.3
    text = text_of(fixed)
    assert np.array_equal(fixed_of(text, shape), fixed.ravel())
    assert len(over_channels(fixed.ravel(), shape)) == np.prod(shape)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert text_of(np.zeros(plane, dtype=bool)) == ""


def test_a_pixel_is_fixed_in_all_its_channels() -> None:
    fixed = over_channels(np.arange(4) == 2, (3, 2, 2)).reshape(3, 2, 2)
    assert fixed[:, 1, 0].all() and fixed.sum() == 3


def test_a_text_of_another_shape_or_none_is_refused() -> None:
    of_digits = text_of(np.eye(8, dtype=bool))
    for text in (of_digits, "nonsense!", "AAAA", text_of(np.ones((100, 100), dtype=bool)), "é"):
        with pytest.raises(SettingsError, match="784 places"):
            fixed_of(text, (1, 28, 28))
