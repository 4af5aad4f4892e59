"""UMAP coordinates of an embedding, and where new points land in them. umap-learn compiles for half a minute
at its first fit and at its first transform in a process, so this runs in a lane of its own.

No UMAP is ever stored: z and xy are, and the map is rebuilt from them; it places points where the first one
would. Source: McInnes, Healy, Melville, "UMAP", 2018 (arXiv 1802.03426).
"""

from collections.abc import Generator
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch

from engine.events import Event, Progress
from engine.models.protocols import Encodes, require
from engine.registry import register
from engine.running.action import Action, Work
from engine.running.pictures import principal_plane
from engine.settings import knob

COMPANY = 8
"""Points placed together in the second trial, at least: where one lands depends on who is placed with it."""
FEW = 16
"""Fewer points than this have no neighbourhoods worth a map: they are placed by their principal plane."""


def fit_map(z: np.ndarray, seed: int) -> np.ndarray:
    """UMAP coordinates (n, 2) of z (n, m), float32; the principal plane of z where there are fewer than 16
    points.
    """
    if len(z) < FEW:
        return principal_plane(z).astype(np.float32)
    return np.asarray(
        _umap(n_neighbors=15, random_state=seed, n_jobs=1).fit_transform(z.astype(np.float32)), np.float32
    )


def place(z_new: np.ndarray, z: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, float]:
    """Where points z_new (p, m) land on the map xy (n, 2) of z (n, m), and the error of these places.

    The error is the larger of two: how far a mapped point lands from itself when it is placed as if it were
    new (median), and how far apart a new point lands when it is placed with all others and with a few
    (median). An arrow shorter than that says nothing.
    """
    if len(z) < FEW:
        nearest = np.linalg.norm(z_new[:, None] - z[None], axis=2).argmin(1)
        return xy[nearest].astype(np.float32), 0.0
    fitted, error = _mapped(z.astype(np.float32).tobytes(), xy.astype(np.float32).tobytes(), len(z))
    z_new = z_new.astype(np.float32)
    together = np.asarray(fitted.transform(z_new), np.float32)
    few = max(COMPANY, len(z_new) // 100)
    apart = np.concatenate(
        [
            np.asarray(fitted.transform(z_new[start : start + few]), np.float32)
            for start in range(0, len(z_new), few)
        ]
    )
    return together, max(error, float(np.median(np.linalg.norm(together - apart, axis=1))))


@lru_cache(maxsize=3)
def _mapped(z_bytes: bytes, xy_bytes: bytes, n: int) -> tuple[Any, float]:
    """A UMAP that holds the map as it is, and the median of its points' own error; kept, for it takes seconds
    and samples come one by one.
    """
    z, xy = (np.frombuffer(packed, np.float32).reshape(n, -1) for packed in (z_bytes, xy_bytes))
    fitted = _umap(n_neighbors=15, init="random", n_epochs=0, random_state=0, n_jobs=1).fit(z)
    fitted.n_epochs, fitted.embedding_ = (
        None,
        xy.copy(),
    )  # as an `init`, UMAP would stretch the map to [0, 10]
    again = np.asarray(fitted.transform(np.concatenate([z, z[:1]])), np.float64)[
        :n
    ]  # of z alone it would only repeat its map
    return fitted, float(np.median(np.linalg.norm(again - xy, axis=1)))


def warm_up() -> None:
    """Compile what `fit_map` and `place` need, on a small set."""
    z = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    place(z[:2], z, fit_map(z, 0))


def _umap(**settings: Any) -> Any:
    import umap  # 2 s, and numba with it: only where a map is made

    return umap.UMAP(**settings)


@register
class Place(Action):
    """The map of a trained model's embedding: principal plane and UMAP coordinates of every clean sample."""

    name: ClassVar[str] = "place"
    title: ClassVar[str] = "Map"
    source: ClassVar[str] = "McInnes, Healy, Melville, 2018 (arXiv 1802.03426)"
    lane: ClassVar[str] = "attack"

    umap: bool = knob(True, "UMAP", "Fit UMAP too; the principal plane is always there.")

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Writes arrays "map": z (n, m), pca (n, 2) and xy (n, 2); returns n and m."""
        model = require(work.model(), Encodes, "A map")
        with torch.no_grad():
            z = (
                torch.cat([model.encode(x) for x in work.data.views.to(work.how.device).chunks()])
                .float()
                .cpu()
                .numpy()
            )
        arrays = {"z": z, "pca": principal_plane(z).astype(np.float32)}
        yield Progress(step=1, total=2, phase="principal plane")
        if self.umap:
            arrays["xy"] = fit_map(z, work.spec.seed)
        work.write_arrays("map", arrays)
        yield Progress(step=2, total=2, phase="UMAP" if self.umap else "principal plane")
        return {"n": len(z), "m": z.shape[1]}
