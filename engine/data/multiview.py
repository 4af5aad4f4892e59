"""Several views made of one image set: the benchmark constructions of multi-view clustering.

Every construction takes images (n, H, W) or (n, C, H, W) in [0, 1] and gives one float32 array (n, C, H, W) a
view, each brought to [0, 1] by one minimum and maximum for the whole view. Source: Trosten et al., "On the
effects of self-supervision and contrastive alignment in deep multi-view clustering", CVPR 2023 (noisy and
edge pairs, patches); Huang et al., ICML 2024 (which tiles).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

Images = NDArray[np.floating]
CORNERS = 3
"""From so many tiles a side on, the four corners are left out."""


def noisy_pair(
    x: Images, y: NDArray[np.integer], sd: float = 0.2, seed: int = 7
) -> list[NDArray[np.float32]]:
    """An image, and another of the same class with Gaussian noise: sd is for pixels in [-1, 1].

    Within a class the second view is a permutation of the first: the pairing leaks the labels.
    """
    x, rng = _maps(x), np.random.default_rng(seed)
    partner = _partners(y, len(x), rng)
    return [_stretched(x), _stretched(2 * x[partner] - 1 + rng.normal(0, sd, x.shape))]


def label_free_pair(x: Images, sd: float = 0.2, seed: int = 7) -> list[NDArray[np.float32]]:
    """An image, and the same image with Gaussian noise: for data without labels."""
    x = _maps(x)
    return [_stretched(x), _stretched(2 * x - 1 + np.random.default_rng(seed).normal(0, sd, x.shape))]


def edge_pair(x: Images) -> list[NDArray[np.float32]]:
    """An image, and its edges: grey dilation by 3x3 minus the image."""
    from scipy.ndimage import grey_dilation

    x = _maps(x)
    return [_stretched(x), _stretched(grey_dilation(x, size=(1, 1, 3, 3)) - x)]


def cross_spectrum_pair(
    x: Images, y: NDArray[np.integer], sd: float = 1.0, seed: int = 7
) -> list[NDArray[np.float32]]:
    """An image with a random gain in [0.8, 1.2], and the blurred negative of another of its class: as seen by
    another sensor.
    """
    from scipy.ndimage import gaussian_filter

    x, rng = _maps(x), np.random.default_rng(seed)
    partner = _partners(y, len(x), rng)
    gain = rng.uniform(0.8, 1.2, (len(x), 1, 1, 1))
    return [_stretched(x * gain), _stretched(1 - gaussian_filter(x[partner], sigma=(0, 0, sd, sd)))]


def patch_views(x: Images, grid: int, select: Sequence[int], magnify: int) -> list[NDArray[np.float32]]:
    """Tiles of an image as views: magnified `magnify` times (bilinear), cut into grid x grid tiles, of which
    `select` are taken.

    Tiles count row by row; from a grid of 3 on the four corners are left out. Raises DataError for a tile
    there is not.
    """
    x = _maps(x)
    height, width = x.shape[2] * magnify, x.shape[3] * magnify
    if height % grid or width % grid:
        raise DataError(
            f"Tiles must fit: {height} x {width} pixels do not divide into {grid} x {grid}. Choose another"
            " grid or magnification."
        )
    corners = {0, grid - 1, grid * (grid - 1), grid * grid - 1} if grid >= CORNERS else set()
    tiles = [number for number in range(grid * grid) if number not in corners]
    if not select:
        raise DataError("At least one tile must be selected; got none.")
    wrong = [number for number in select if not 0 <= number < len(tiles)]
    if wrong:
        raise DataError(
            f"A tile must be from 0 to {len(tiles) - 1}; got {wrong[0]}. Choose tiles that are there."
        )
    large, tall, wide = _magnified(x, magnify), height // grid, width // grid
    places = [divmod(tiles[number], grid) for number in select]
    return [
        _stretched(large[:, :, row * tall : (row + 1) * tall, column * wide : (column + 1) * wide])
        for row, column in places
    ]


def _partners(y: NDArray[np.integer], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each of n samples another of its class, so that each is once a partner. Raises DataError where
    labels are missing.
    """
    if len(y) != n:
        raise DataError(
            f"Views are paired by label, and every image needs one; got {len(y)} labels for {n} images."
        )
    partner = np.empty(n, dtype=np.int64)
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        partner[members] = members[rng.permutation(len(members))]
    return partner


def _maps(x: Images) -> Images:
    """Images with a channel axis: (n, C, H, W). Raises DataError where there are none."""
    if x.ndim not in (3, 4) or len(x) == 0:
        raise DataError(
            f"Views are made of images (n, H, W) or (n, C, H, W), at least one; got the shape {x.shape}."
        )
    return x[:, None] if x.ndim == 3 else x


def _stretched(view: Images) -> NDArray[np.float32]:
    """One view brought to [0, 1] by its smallest and largest number. Raises DataError for a constant view."""
    low, high = float(view.min()), float(view.max())
    if not high > low:
        raise DataError(
            f"A view must vary; every number of this one is {low:g}. Leave it out, or choose another"
            " construction."
        )
    return ((view - low) / (high - low)).astype(np.float32)


def _magnified(x: Images, times: int) -> NDArray[np.float32]:
    """Bilinear, each pixel a square, mirrored beyond the border: (n, C, H * times, W * times)."""
    import torch
    import torch.nn.functional as F

    whole = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
    parts = (
        F.interpolate(
            F.pad(part, (1, 1, 1, 1), mode="reflect"),
            scale_factor=times,
            mode="bilinear",
            align_corners=False,
        )
        for part in whole.split(2000)
    )
    return np.concatenate([part[:, :, times:-times, times:-times].numpy() for part in parts])
