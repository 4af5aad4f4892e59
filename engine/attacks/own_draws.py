"""Random numbers that belong to a sample, and not to its place in a batch; and how wide they begin.

Two samples draw independently; the same sample draws the same in every batch, in every chunk of a launch, and
at every level of a ladder.
"""

import hashlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.data.views import Shapes


def forked(rng: torch.Generator) -> torch.Generator:
    """A generator that goes on as `rng` would, which stays where it is: so every chunk draws the same."""
    return torch.Generator(rng.device).set_state(rng.get_state())


def own_draws(law: Callable[..., Tensor], x: Tensor, rng: torch.Generator) -> Tensor:
    """Draws of `law` (torch.rand, torch.randn) like x (n, d), each row's by `rng` and what the row holds."""
    base = rng.get_state().numpy().tobytes()
    drawn = [law(x.shape[1], generator=_seeded(base, row), dtype=x.dtype) for row in x.detach().cpu().numpy()]
    return torch.stack(drawn).to(x.device)


def glorot_width(shapes: Shapes) -> Tensor:
    """The half-width with which TensorFlow draws a variable of a sample's shape, number by number: (d,).

    √(6 / (in + out)): height · width in and height · channels out for a picture, d both for a row of d.
    """
    widths = []
    for shape in shapes:
        channels, height, width = shape if len(shape) == 3 else (math.prod(shape), 1, math.prod(shape))
        half = math.sqrt(6 / (height * (width + channels)))
        widths.append(torch.full((math.prod(shape),), half))
    return torch.cat(widths)


def _seeded(base: bytes, row: object) -> torch.Generator:
    digest = hashlib.blake2b(base, digest_size=32)
    digest.update(memoryview(row).cast("B"))  # type: ignore[arg-type]
    return torch.Generator().manual_seed(int.from_bytes(digest.digest()[:7], "big"))
