"""When the next Progress is due, and what it carries: numbers that stay on the device until somebody
looks.
"""

import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

SECONDS = 0.3
"""Between two Progress events: at least one a second, and not so many that writing them costs time."""


class Pace:
    """A stopwatch that says when `SECONDS` have passed since it last said so."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether to yield a Progress now; true at most once every `SECONDS`."""
        if time.monotonic() - self._last < SECONDS:
            return False
        self._last = time.monotonic()
        return True


def numbers(values: Mapping[str, Tensor | float | None]) -> dict[str, float | None]:
    """Scalars as plain floats."""
    return {name: None if value is None else float(value) for name, value in values.items()}


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, retain: bool = False) -> None:
    """One step of `optimiser` down `loss`, by the parameters it owns and no others; leaves no `.grad`
    behind.
    """
    parameters: list[nn.Parameter] = [
        parameter for group in optimiser.param_groups for parameter in group["params"]
    ]
    step_along(optimiser, parameters, torch.autograd.grad(loss, parameters, retain_graph=retain))


def step_along(
    optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], gradients: tuple[Tensor, ...]
) -> None:
    """One step of `optimiser` with these gradients of its parameters."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
