"""`Views`: float tensors in [0, 1], one a view; `AtRest`: the same at rest, uint8 if they were bytes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.errors import DataError

Shapes = Sequence[Sequence[int]]


def beside(shapes: Shapes) -> bool:
    """Whether views of these shapes are several images (C, H, W) of equal C and H, to stand side by side."""
    return (
        len(shapes) > 1
        and all(len(shape) == 3 for shape in shapes)
        and len({tuple(shape[:2]) for shape in shapes}) == 1
    )


def picture(shapes: Shapes) -> tuple[int, ...]:
    """The shape of a whole sample, as a flat row of it is drawn: (C, H, ΣW) for images side by side, (d,) for
    what is no picture.
    """
    if len(shapes) == 1:
        return tuple(shapes[0])
    if beside(shapes):
        return (shapes[0][0], shapes[0][1], sum(shape[2] for shape in shapes))
    return (sum(torch.Size(shape).numel() for shape in shapes),)


class Views(tuple[Tensor, ...]):
    """A tuple of float tensors (n, *shape_v) in [0, 1]; one image set is one view.

    `flat()` gives (n, d) with d the sum over views, `like(flat)` cuts any (m, d) back, so no attack is
    written twice. A flat row of images of equal height is their picture side by side: `picture(shapes)`.
    """

    __slots__ = ()

    def __new__(cls, tensors: Iterable[Tensor]) -> Self:
        return super().__new__(cls, tensors)

    @property
    def n(self) -> int:
        """How many samples."""
        return self[0].shape[0]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of one sample, a tuple for each view."""
        return tuple(tuple(view.shape[1:]) for view in self)

    def flat(self) -> Tensor:
        """All views of a sample in one row: (n, d)."""
        if beside(self.shapes):
            return torch.cat(self, dim=3).flatten(1)
        rows = [view.flatten(1) for view in self]
        return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)

    def like(self, flat: Tensor) -> "Views":
        """Cut (m, d) into views of these shapes; the inverse of `flat`."""
        if beside(self.shapes):
            return Views(
                flat.reshape(-1, *picture(self.shapes)).split([shape[2] for shape in self.shapes], dim=3)
            )
        if len(self) == 1:
            return Views([flat.reshape(-1, *self.shapes[0])])
        sizes = [view[0].numel() for view in self]
        return Views(
            part.reshape(-1, *shape)
            for part, shape in zip(flat.split(sizes, dim=1), self.shapes, strict=True)
        )

    def rows(self, index: Tensor) -> "Views":
        """The samples at `index`, repeats allowed."""
        return Views(view[index] for view in self)

    def to(self, device: str | torch.device) -> "Views":
        """The same views on a device."""
        return Views(view.to(device) for view in self)


@dataclass(frozen=True)
class AtRest:
    """Views as they rest: one tensor (n, *shape_v) a view, and the divisor that brings it into [0, 1]."""

    tensors: tuple[Tensor, ...]
    divisors: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = [len(tensor) for tensor in self.tensors]
        if len(set(lengths)) > 1:
            raise DataError(
                "Every view must hold the same samples in the same order; these hold"
                f" {' and '.join(map(str, lengths))}. Leave out what lacks a view."
            )

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of one sample, a tuple for each view."""
        return tuple(tuple(tensor.shape[1:]) for tensor in self.tensors)

    @property
    def size(self) -> int:
        """d: numbers in one sample, all views together."""
        return sum(tensor[0].numel() for tensor in self.tensors)

    def rows(self, index: Tensor | slice) -> Views:
        """The samples at `index` as floats in [0, 1]."""
        return Views(
            tensor[index].float() / divisor if divisor != 1 else tensor[index].float()
            for tensor, divisor in zip(self.tensors, self.divisors, strict=True)
        )

    def all(self) -> Views:
        """Every sample as floats. For data that fit."""
        return self.rows(slice(None))

    def chunks(self, size: int = 4096) -> Iterator[Views]:
        """The whole set in order, `size` samples at a time."""
        for start in range(0, len(self), size):
            yield self.rows(slice(start, start + size))

    def subset(self, index: Tensor | slice) -> "AtRest":
        """The samples at `index`, still at rest."""
        return AtRest(tuple(tensor[index] for tensor in self.tensors), self.divisors)

    def to(self, device: str | torch.device) -> "AtRest":
        """The same set on a device."""
        return AtRest(tuple(tensor.to(device) for tensor in self.tensors), self.divisors)
