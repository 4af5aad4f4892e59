"""What a training run draws while it goes on: a grid of reconstructions (PNG) and a small map of the
embedding (npz).
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from engine.data.views import Shapes, picture
from engine.events import Picture

GAP, SCALE = 1, 3
"""Pixels between pictures, and how much small ones are enlarged."""


class Sketch:
    """Draws into `pictures/` of a run's folder; successive maps are turned so that they resemble the one
    before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: np.ndarray | None = None

    def reconstructions(
        self, step: int, clean: np.ndarray, reconstructed: np.ndarray, shapes: tuple[tuple[int, ...], ...]
    ) -> Iterator[Picture]:
        """Samples above, reconstructions below, for flat rows (n, d) of images; nothing for what is
        no image.
        """
        shape = picture(shapes)
        if len(shape) != 3 or shape[0] not in (1, 3):
            return
        file = self._file(f"reconstructions-{step:07d}.png")
        drawn = grid(np.stack([clean, reconstructed]).reshape(2, -1, *shape))
        _replace(file, functools.partial(drawn.save, format="PNG"))
        yield Picture(
            step=step,
            picture="reconstructions",
            file=f"pictures/{file.name}",
            caption="Above: clean samples. Below: their reconstructions.",
        )

    def decoded(self, step: int, clean: np.ndarray, moved: np.ndarray, shapes: Shapes) -> Iterator[Picture]:
        """What is decoded from clean and from moved embeddings, flat rows (n, d) of images; nothing for what
        is no image.
        """
        shape = picture(shapes)
        if len(shape) != 3 or shape[0] not in (1, 3):
            return
        file = self._file(f"decoded-{step:07d}.png")
        drawn = grid(np.stack([clean, moved]).reshape(2, -1, *shape))
        _replace(file, functools.partial(drawn.save, format="PNG"))
        yield Picture(
            step=step,
            picture="decoded",
            file=f"pictures/{file.name}",
            caption="Decoded from clean embeddings; from moved ones.",
        )

    def adversarials(
        self, step: int, clean: np.ndarray, moved: np.ndarray, epsilon: float, shapes: Shapes
    ) -> Iterator[Picture]:
        """Samples, perturbations and their sum below one another, for flat rows (n, d) of images; nothing for
        what is no image.
        """
        shape = picture(shapes)
        if len(shape) != 3 or shape[0] not in (1, 3):
            return
        file = self._file(f"adversarials-{step:07d}.png")
        drawn = grid(
            np.stack([clean, 0.5 + (moved - clean) / (2 * max(epsilon, 1e-6)), moved]).reshape(3, -1, *shape)
        )
        _replace(file, functools.partial(drawn.save, format="PNG"))
        yield Picture(
            step=step,
            picture="adversarials",
            file=f"pictures/{file.name}",
            caption=(
                f"Clean samples; perturbations, where grey is no change and black and white are ±{epsilon:g};"
                " adversarial samples."
            ),
        )

    def map(self, step: int, z: np.ndarray, cluster: np.ndarray | None, most: int) -> Picture:
        """The first two principal components of z (n, m) as `xy` (p, 2), with `index` (p,) and `cluster`
        (p,).
        """
        index = np.unique(np.linspace(0, len(z) - 1, min(most, len(z))).astype(np.int32))
        xy = principal_plane(z[index])
        if self._last is not None and self._last.shape == xy.shape:
            xy = turned(xy, self._last)
        self._last = xy
        file = self._file(f"map-{step:07d}.npz")
        arrays = {"xy": xy.astype(np.float32), "index": index}
        if cluster is not None:
            arrays["cluster"] = cluster[index].astype(np.int16)
        _replace(file, lambda partial: np.savez_compressed(partial, **arrays))  # type: ignore[arg-type]
        return Picture(
            step=step,
            picture="map",
            file=f"pictures/{file.name}",
            caption="Principal plane of the embedding.",
        )

    def _file(self, name: str) -> Path:
        (self.folder / "pictures").mkdir(exist_ok=True)
        return self.folder / "pictures" / name


def one_of_each(labels: np.ndarray | None, n: int, count: int) -> np.ndarray:
    """Which of n samples are drawn, at most `count`: class by class, as many of each as there is room for; in
    equal distances where no labels (n,) are known.
    """
    if labels is None:
        return np.unique(np.linspace(0, n - 1, min(count, n)).astype(np.int64))
    classes = np.unique(labels)[:count]
    each = count // max(1, len(classes))
    return np.concatenate([np.flatnonzero(labels == one)[:each] for one in classes])


def grid(images: np.ndarray, scale: int = SCALE) -> Image.Image:
    """Rows of pictures, (rows, columns, C, H, W) in [0, 1], as one image, enlarged without smoothing."""
    rows, columns, channels, height, width = images.shape
    canvas = np.full((channels, rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), 0.5, np.float32)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + GAP), column * (width + GAP)
            canvas[:, top : top + height, left : left + width] = images[row, column]
    pixels = (canvas.clip(0, 1) * 255).round().astype(np.uint8)
    picture = Image.fromarray(pixels[0] if channels == 1 else pixels.transpose(1, 2, 0))
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def principal_plane(z: np.ndarray) -> np.ndarray:
    """(n, 2): z on its first two principal axes; a second column of zeros where z has one column."""
    centred = z.astype(np.float64) - z.mean(0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    plane = centred @ axes[:, ::-1][:, :2]
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))


def turned(xy: np.ndarray, like: np.ndarray) -> np.ndarray:
    """xy (n, 2) rotated and mirrored to lie as near to `like` (n, 2) as it can (orthogonal Procrustes)."""
    left, _, right = np.linalg.svd(xy.T @ like)
    return xy @ (left @ right)


def _replace(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    partial = file.with_name(f".{file.name}")
    with partial.open("wb") as opened:
        write(opened)
    partial.replace(file)
