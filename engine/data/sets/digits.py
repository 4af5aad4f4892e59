"""The 1,797 handwritten digits that come with scikit-learn: nothing to download.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Repository, 1998.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from engine.data.dataset import Dataset, DataSettings
from engine.errors import DataMissing
from engine.registry import register


@register
class Digits(DataSettings):
    """8x8 grey images of 0 to 16, at rest as uint8 with the divisor 16."""

    name = "digits"
    title = "Digits"
    summary = "Real handwritten digits, 8x8, built in."
    source = (
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning"
        " Repository, 1998"
    )
    licence = "CC BY 4.0"
    shape = (1, 8, 8)
    framing = "box"
    class_names = tuple("0123456789")
    counts = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
    note = (
        "The test part of the UCI release, as scikit-learn ships it: 32x32 bitmaps counted in 4x4 blocks, 0"
        " to 16."
    )
    fingerprint = "dd5d14bc0a5d3644"

    def load(self) -> Dataset:
        """The data set, from scikit-learn's file, without half a second of importing it."""
        from engine.data.tensors import images  # torch, which cards do without

        found = find_spec("sklearn")
        if found is None or not found.origin:
            raise DataMissing(
                "digits are a file of scikit-learn, which is not installed here; install requirements.txt."
            )
        file = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)  # (1797, 65), the label last
        return Dataset(
            name=self.name,
            views=images(table[:, :-1].reshape(-1, 8, 8), 16),
            labels=table[:, -1].astype(np.int64),
            class_names=self.class_names,
            clusters=10,
            title=self.title,
            source=self.source,
            licence=self.licence,
            note=self.note,
        )
