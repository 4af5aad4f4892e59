"""Images that were made of a data set's own samples, appended to it."""

from dataclasses import replace

import numpy as np
import torch

from engine.data.dataset import Dataset
from engine.data.views import AtRest


def with_images(data: Dataset, flat: np.ndarray, origin: np.ndarray, note: str) -> Dataset:
    """`data` with the flat rows (m, d) after its own, in [0, 1] as floats; row i was made of sample origin[i]
    and bears its label.

    The samples keep their numbers, so every part of the data has the rows it had; those made of a part's rows
    come to it where it is trained on.
    """
    added = data.views.rows(torch.zeros(1, dtype=torch.long)).like(torch.from_numpy(flat).float())
    views = tuple(torch.cat([own, more]) for own, more in zip(data.views.all(), added, strict=True))
    before = np.full(len(data), -1) if data.origin is None else data.origin
    labels = None if data.labels is None else np.concatenate([data.labels, data.labels[origin]])
    return replace(
        data,
        views=AtRest(views, (1.0,) * len(views)),
        labels=labels,
        origin=np.concatenate([before, origin]).astype(np.int64),
        note=f"{data.note} {note}".strip(),
        fingerprint="",
    )
