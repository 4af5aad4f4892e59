"""Small random rotations and shifts of images, one transform a sample."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.views import Views


def rotate_and_shift(
    images: Tensor, rng: torch.Generator, degrees: float = 10.0, shift: float = 0.1
) -> Tensor:
    """Each image (n, c, h, w) turned by U(±degrees) and moved by U(±shift) of its height and width.

    Bilinear; the border is filled with the nearest edge value. The numbers are drawn on the CPU from `rng`.
    """
    n, _, height, width = images.shape
    angle, down, right = (2 * torch.rand(3, n, generator=rng) - 1) * torch.tensor(
        [[math.radians(degrees)], [shift], [shift]]
    )
    cos, sin = angle.cos(), angle.sin()
    rows = [
        cos,
        -sin * height / width,
        2 * right,
        sin * width / height,
        cos,
        2 * down,
    ]  # in grid units the image is 2 wide
    grid = F.affine_grid(
        torch.stack(rows, 1).view(n, 2, 3).to(images), list(images.shape), align_corners=False
    )
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def shifted_and_flipped(images: Tensor, rng: torch.Generator, padding: int, flip: float) -> Tensor:
    """Each image (n, c, h, w) moved by up to `padding` whole pixels each way, black coming in, and mirrored
    with probability `flip`. The numbers are drawn on the CPU from `rng`.
    """
    n, c, height, width = images.shape
    down, right = torch.randint(2 * padding + 1, (2, n), generator=rng)
    across = torch.arange(width).expand(n, width)
    across = torch.where(torch.rand(n, 1, generator=rng) < flip, across.flip(1), across)
    rows = (torch.arange(height) + down[:, None])[:, None, :, None]
    columns = (across + right[:, None])[:, None, None, :]
    padded = F.pad(images, [padding] * 4)
    every, channel = torch.arange(n)[:, None, None, None], torch.arange(c)[None, :, None, None]
    return padded[tuple(index.to(images.device) for index in (every, channel, rows, columns))]


def augmented(x: Views, rng: torch.Generator, degrees: float = 10.0, shift: float = 0.1) -> Views:
    """`x` with every image view (n, c, h, w) rotated and shifted; other views as they are."""
    return Views(rotate_and_shift(view, rng, degrees, shift) if view.ndim == 4 else view for view in x)
