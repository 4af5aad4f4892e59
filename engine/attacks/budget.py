"""`Budget`: how far an attack may go, and the four things it asks: project, random_point, steepest, size.

    L∞:  |x'_i − x_i| ≤ ε for every number i,  low ≤ x' ≤ high
    L2:  ‖x' − x‖₂ ≤ ε for every sample: δ is scaled by min(1, ε/‖δ‖), then x' is clipped to the box

ε is in the unit of the data (images in [0, 1]: write 8/255, not 8). Everything works on flat rows (n, d).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from engine.errors import BudgetError

NORMS = ("linf", "l2")
BISECTIONS = 40


@dataclass(frozen=True, eq=False)
class Budget:
    """A norm ball of radius ε around each clean row, cut by the box [low, high].

    `epsilon` is one number, or a tensor (n,) with one for each row; `mask` a boolean tensor (d,), True where
    the attack may change a number (the others stay, as in a locked view or at a fixed place). `shared`
    neighbouring rows at a time use the same random draw, scaled by each row's ε: a ladder's levels of one
    sample. Raises BudgetError for a norm, an ε or a mask that no perturbation can satisfy.
    """

    norm: str
    epsilon: float | Tensor
    low: float = 0.0
    high: float = 1.0
    mask: Tensor | None = None
    shared: int = 1
    _largest: float = field(init=False, repr=False, default=0.0)

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise BudgetError(f"Budget.norm must be {' or '.join(NORMS)}; got {self.norm!r}.")
        smallest, largest = _range(self.epsilon)
        object.__setattr__(self, "_largest", largest)
        if not (math.isfinite(smallest) and math.isfinite(largest)) or smallest < 0:
            raise BudgetError(
                f"Budget.epsilon must be a number of at least 0; got {min(smallest, largest):g}."
            )
        if self.norm == "linf" and largest > self.high - self.low:
            raise BudgetError(self._too_large(self.high - self.low))
        if self.mask is not None and not bool(self.mask.any()):
            raise BudgetError("Budget.mask leaves nothing to change: every view is locked. Unlock one.")

    def of(self, epsilon: float | Tensor, shared: int = 1) -> Self:
        """The same budget with another ε."""
        return replace(self, epsilon=epsilon, shared=shared)

    def rows(self, index: Tensor) -> Self:
        """The same budget for the rows at `index` (m,) alone."""
        if not isinstance(self.epsilon, Tensor) or self.epsilon.numel() == 1:
            return (
                self if self.shared == 1 else self.of(self.epsilon)
            )  # which rows share is not known of some
        return self.of(self.epsilon[index])

    def check_size(self, d: int) -> None:
        """Raises BudgetError where ε reaches beyond the box of rows of d numbers."""
        if self.norm == "l2" and self._largest > self.limit(d) * (1 + 1e-6):
            raise BudgetError(self._too_large(self.limit(d)))

    def limit(self, d: int) -> float:
        """The largest ε that means anything for rows of d numbers: the box's side (L∞) or its
        diagonal (L2).
        """
        return (self.high - self.low) * (1.0 if self.norm == "linf" else math.sqrt(self._free(d)))

    def radius(self, x: Tensor) -> Tensor:
        """ε as a column that broadcasts over the rows of x: (n, 1) or (1, 1)."""
        self.check_size(x.shape[1])
        epsilon = torch.as_tensor(self.epsilon, dtype=x.dtype, device=x.device).reshape(-1, 1)
        if epsilon.shape[0] not in (1, x.shape[0]):
            raise BudgetError(
                f"Budget.epsilon must be one number or one a row; got {epsilon.shape[0]} for {x.shape[0]}"
                " rows."
            )
        return epsilon

    def project(self, moved: Tensor, x: Tensor) -> Tensor:
        """The point of the ball around x nearest to `moved` (L2: along the ray to x), then of the box: (n,
        d).

        Rows already inside come back bit-identical, rows with ε = 0 as x itself.
        """
        return moved.clamp(*self._corners(x)) if self.norm == "linf" else self._scaled(moved, x)

    def around(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """`project` for many points around the same rows x, which may overwrite the point it is given.

        What does not depend on the point is computed once.
        """
        if self.norm == "linf":
            low, high = self._corners(x)
            return lambda moved: moved.clamp_(low, high)
        return lambda moved: self._scaled(moved, x)

    def _corners(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The least and the greatest value that each number may take: (n, d) both; equal where it may not
        change.
        """
        radius = self.radius(x)
        low, high = ((x + side).clamp(self.low, self.high) for side in (-radius, radius))
        if self.mask is None:
            return low, high
        free = self.mask.to(x.device)
        return torch.where(free, low, x), torch.where(free, high, x)

    def _scaled(self, moved: Tensor, x: Tensor) -> Tensor:
        if self.mask is not None:  # what may not change takes nothing of the ball
            moved = torch.where(self.mask.to(x.device), moved, x)
        radius, delta = self.radius(x), moved - x
        length = delta.norm(dim=1, keepdim=True)
        scale = radius / length.clamp_min(torch.finfo(x.dtype).tiny)
        return torch.where(length > radius, x + delta * scale, moved).clamp(self.low, self.high)

    def random_point(self, x: Tensor, rng: torch.Generator, share: float = 1.0) -> Tensor:
        """A point drawn uniformly from the ball of radius share · ε around each row of x, then put into the
        box.
        """
        if self.norm == "linf":
            direction = 2 * self._draw(torch.rand, x, rng) - 1
        else:
            inward = self._draw(torch.rand, x[:, :1], rng) ** (1 / self._free(x.shape[1]))
            direction = self._unit(self._draw(torch.randn, x, rng)) * inward
        return self.project(x + share * self.radius(x) * direction, x)

    def random_rim(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """A random point of size ε: random signs times ε (L∞), a random direction at radius ε (L2), inside
        the box.

        The box cuts an L2 step short, so it is lengthened until what is left of it measures ε, where the box
        has room.
        """
        radius = self.radius(x)
        if self.norm == "linf":
            return self.project(x + radius * (2 * (self._draw(torch.rand, x, rng) < 0.5).to(x.dtype) - 1), x)
        direction = self._unit(self._draw(torch.randn, x, rng))
        low, high = radius.expand(len(x), 1), radius.expand(len(x), 1) * 2.0**12
        for _ in range(BISECTIONS):
            middle = (low * high).sqrt()
            short = ((x + middle * direction).clamp(self.low, self.high) - x).norm(
                dim=1, keepdim=True
            ) < radius
            low, high = torch.where(short, middle, low), torch.where(short, high, middle)
        return self.project((x + high * direction).clamp(self.low, self.high), x)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of unit size in which the objective rises fastest; a row whose gradient is zero
        stays: zero.
        """
        if self.mask is not None:
            gradient = gradient * self.mask.to(gradient)
        return gradient.sign() if self.norm == "linf" else self._unit(gradient)

    def size(self, moved: Tensor, x: Tensor) -> Tensor:
        """The size of each row's perturbation in this norm: (n,)."""
        delta = moved - x
        return delta.abs().amax(dim=1) if self.norm == "linf" else delta.norm(dim=1)

    def holds(self, moved: Tensor, x: Tensor, tolerance: float = 1e-6) -> Tensor:
        """Whether each row lies in ball, box and mask, up to the rounding of float32: (n,) bool. NaN does
        not.
        """
        inside = self.size(moved, x) <= self.radius(x)[:, 0] * (1 + tolerance) + tolerance * 0.1
        inside &= ((moved >= self.low) & (moved <= self.high)).all(dim=1)
        return (
            inside
            if self.mask is None
            else inside & (torch.where(self.mask.to(x.device), x, moved) == x).all(dim=1)
        )

    def _free(self, d: int) -> int:
        return d if self.mask is None else int(self.mask.sum())

    def _unit(self, rows: Tensor) -> Tensor:
        if self.mask is not None:
            rows = rows * self.mask.to(rows)
        tiny = torch.finfo(rows.dtype).tiny
        scaled = rows / rows.abs().amax(dim=1, keepdim=True).clamp_min(
            tiny
        )  # squares of small gradients underflow
        return scaled / scaled.norm(dim=1, keepdim=True).clamp_min(tiny)

    def _draw(self, law: Callable[..., Tensor], x: Tensor, rng: torch.Generator) -> Tensor:
        rows = law(len(x) // self.shared, x.shape[1], generator=rng, device=rng.device, dtype=x.dtype)
        return (
            rows.to(x.device).repeat_interleave(self.shared, dim=0) if self.shared > 1 else rows.to(x.device)
        )

    def _too_large(self, limit: float) -> str:
        got, hint = self._largest, ""
        if (self.low, self.high) == (0.0, 1.0) and self.norm == "linf":
            hint = (
                f" Samples are in [0, 1]: did you mean {got:g}/255?"
                if got <= 255
                else " Samples are in [0, 1]."
            )
        elif self.norm == "l2":
            hint = " This is the diagonal of the box; nothing lies further away."
        return f"Budget.epsilon must be in [0, {limit:.4g}]; got {got:g}.{hint}"


def _range(epsilon: float | Tensor) -> tuple[float, float]:
    if not isinstance(epsilon, Tensor):
        return float(epsilon), float(epsilon)
    if epsilon.ndim > 1 or epsilon.numel() == 0:
        raise BudgetError(
            "Budget.epsilon must be one number or a row of numbers; got a tensor of shape"
            f" {tuple(epsilon.shape)}."
        )
    return float(epsilon.min()), float(epsilon.max())
