"""In which arithmetic an attack takes its gradients: bf16 where that pays, else float32. Answers are always
judged in float32.

Measured on two cores with AMX, PGD-20 on 512 samples, against float32: networks of 50,000 multiplications
a sample lose a quarter of their speed, of 400,000 gain half, convolutions of 1,800,000 gain two and a half
times; flip rates differ by less than 0.002. So small networks stay in float32.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.device import How
from engine.objectives.protocols import Objective

PAYS = 200_000
"""Multiplications a sample from which bf16 gradients are the faster ones."""
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def in_arithmetic(objective: Objective, model: nn.Module, clean: Tensor, how: How | None) -> Objective:
    """The objective with gradients in the run's arithmetic, where its networks are large enough for that to
    pay on rows such as `clean` (n, d).
    """
    if how is None or how.precision == "float32" or multiplications(objective, model, clean) < PAYS:
        return objective
    return replace(objective, how=how)


@torch.no_grad()
def multiplications(objective: Objective, model: nn.Module, clean: Tensor) -> float:
    """Multiplications in the affine layers of `model` for one sample, counted in one forward pass."""
    counts: list[int] = []

    def count(layer: nn.Module, _: object, out: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        counts.append(layer.weight[0].numel() * out.numel())

    watched = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, LAYERS)]
    objective(clean)
    for watch in watched:
        watch.remove()
    return sum(counts) / len(clean)
