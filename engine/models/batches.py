"""Batches of a new order in every epoch, and what a training tells after a step; resumed at any of them."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from engine.events import Evaluate, Event, Progress
from engine.models.pace import Pace, numbers
from engine.models.state import State


def steps_of(steps: int | None, epochs: int, n: int, batch: int, whole: bool = False) -> int:
    """How many batches a training on n samples takes: `steps`, or as many as its epochs have."""
    return steps or epochs * _a_pass(n, batch, whole)


def batches(state: State, n: int, batch: int, total: int, whole: bool = False) -> Iterator[Tensor]:
    """The rows (m,) of every batch from where the state is to step `total`, the last of an epoch cut short,
    or, where batches must be `whole`, left out.

    The caller counts the steps; the order of the epoch is kept among the state's tensors.
    """
    epoch = _a_pass(n, batch, whole)
    while state.step < total:
        within = state.step % epoch
        if within == 0:
            state.tensors["order"] = torch.randperm(n, generator=state.rng)
        index = state.tensors["order"][within * batch : (within + 1) * batch]
        yield index.to(state.how.device)


def _a_pass(n: int, batch: int, whole: bool) -> int:
    """Batches of an epoch."""
    return max(1, n // batch) if whole else -(-n // batch)


def is_scored(state: State, total: int, evaluations: int) -> bool:
    """Whether an Evaluate is due after this step."""
    return state.step % max(1, total // evaluations) == 0 or state.step == total


def told(
    state: State, total: int, evaluations: int, phase: str, values: Mapping[str, Tensor], pace: Pace
) -> Iterator[Event]:
    """What is said after a step: Evaluate at the end and `evaluations` times, evenly; Progress where it is
    due.
    """
    if is_scored(state, total, evaluations):
        yield Evaluate(step=state.step, total=total, values=numbers(values))
    elif pace.due():
        yield Progress(step=state.step, total=total, phase=phase, values=numbers(values))
