"""`bars`: noisy pictures of one bar each, a data set in one file.

Source: after the bars of Földiák, "Forming sparse representations by local anti-Hebbian learning", Biological
Cybernetics 1990; drawn by this file.
"""

from typing import ClassVar

import numpy as np

from engine.data.dataset import Dataset, DataSettings
from engine.registry import register

SIDE, EACH = 8, 60
"""Width and height of a picture, and pictures of each class."""


@register
class Bars(DataSettings):
    """One bar across a picture of 8x8: in the upper, lower, left or right half."""

    name: ClassVar[str] = "bars"
    title: ClassVar[str] = "Bars"
    summary: ClassVar[str] = "Pictures of one noisy bar each, drawn anew every time, and always the same."
    source: ClassVar[str] = "After Földiák, Biological Cybernetics 1990"
    licence: ClassVar[str] = "CC0"
    shape: ClassVar[tuple[int, ...]] = (1, SIDE, SIDE)
    class_names: ClassVar[tuple[str, ...]] = ("upper", "lower", "left", "right")
    counts: ClassVar[tuple[int, ...]] = (EACH,) * 4

    def load(self) -> Dataset:
        """The pictures, from a generator that always begins the same."""
        from engine.data.tensors import images  # torch, which a card does without

        rng = np.random.default_rng(0)
        labels = np.repeat(np.arange(4), EACH)
        pixels = rng.uniform(0, 0.3, (len(labels), SIDE, SIDE))  # (n, H, W)
        for picture, label in zip(pixels, labels, strict=True):
            place = rng.integers(1, 3) + (label % 2) * SIDE // 2
            (picture if label < 2 else picture.T)[place] += 0.6
        return Dataset(
            name=self.name,
            views=images((255 * pixels).astype(np.uint8), 255),
            labels=labels.astype(np.int64),
            class_names=self.class_names,
            clusters=4,
            title=self.title,
            source=self.source,
            licence=self.licence,
        )
