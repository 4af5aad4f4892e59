"""Data: what a data set is, where it comes from, and what a person brings.

Importing this package imports no torch; only `load` does.
"""

from typing import TYPE_CHECKING

from engine.data.fetching import fetch
from engine.data.listing import cards

if TYPE_CHECKING:
    from engine.data.dataset import Dataset

__all__ = ["cards", "fetch", "load"]


def load(name_or_path: str, clusters: int | None = None, fingerprint: str = "") -> "Dataset":
    """The data set of that name, or of that file (`.npz`, `.zip`, `.csv`) or folder:
    `engine.data.loading.load`.
    """
    from engine.data import loading  # torch, which cards and downloads do without

    return loading.load(name_or_path, clusters, fingerprint)
