"""Which samples of a finished attack a page shows first. Torch-free."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10


def striking(table: "pd.DataFrame", farthest: bool) -> np.ndarray:
    """Places in an attack's table of the ten samples that moved most (least, unless `farthest`) in L2, among
    those that are where the objective wants them and were not before: (m,), empty where none is.
    """
    there = np.flatnonzero((table["reached"].to_numpy() == 1) & (table["counted"].to_numpy() == 1))
    length = table["l2"].to_numpy()[there]
    order = np.argsort(-length if farthest else length, kind="stable")
    return there[order][:SHOWN]
