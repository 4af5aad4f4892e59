"""Which rows of a data set are meant: all, those it is trained or tested on, or one of two fixed halves."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Part = Literal["all", "first", "second", "train", "test"]
"""`first` and `second` are the fixed halves of any data; `train` and `test` are the parts of the source, and
the halves where it defines none.
"""
PARTS: tuple[str, ...] = get_args(Part)
Rows = NDArray[np.int64]


def halves(n: int, seed: int = 7) -> tuple[Rows, Rows]:
    """Two disjoint halves of n samples: models are trained on one, attacks fitted and scored on the other."""
    order = np.random.RandomState(seed).choice(n, n, replace=False).astype(np.int64)
    return order[: n // 2], order[n // 2 :]
