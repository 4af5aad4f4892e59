"""`State`: all that training needs to go on, as named tensors and plain JSON. Never pickled."""

from typing import Any

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.device import How
from engine.errors import RunBroken


class State:
    """Networks, optimisers, generator, counters and targets of one training.

    `model` is what inference needs (the only part a zoo entry keeps), `extra` the networks only training
    needs, `tensors` targets and the like, `counters` plain JSON values.
    """

    def __init__(
        self, model: nn.Module, rng: torch.Generator, how: How, extra: dict[str, nn.Module] | None = None
    ) -> None:
        self.model, self.rng, self.how = model, rng, how
        self.extra = nn.ModuleDict(extra or {})
        self.optimisers: dict[str, torch.optim.Optimizer] = {}
        self.tensors: dict[str, Tensor] = {}
        self.rows: Tensor | None = None
        """Row numbers of the data that training may use, set by its caller; None: the method's own choice."""
        self.made_of: Tensor | None = None
        """(n,) the row of the data that each sample was made of, itself where it is the data's own; set by
        its caller. None: all are their own.
        """
        self.counters: dict[str, Any] = {"step": 0}

    @property
    def step(self) -> int:
        """Optimiser steps or iterations done, as the method counts them."""
        return int(self.counters["step"])

    @property
    def encoder(self) -> nn.Module:
        """The network whose parameters gradient probes differentiate by."""
        return self.model.get_submodule("encoder")

    def losses(self, x: Views, index: Tensor) -> dict[str, Tensor]:
        """For probes: mean losses over the samples `x` at rows `index` of the data, float32, with a graph to
        the encoder.

        "pseudo" (the clustering loss), "self" (the regulariser, unweighted), "total" (as trained), "q" (n,
        k), and optionally "weighted:NAME" for each weighted part of the total. Methods that have none return
        {}.
        """
        return {}

    def probe_rows(self, n: int) -> Tensor | None:
        """Rows of the n samples to probe gradient angles on at this evaluation; None where no probe is due
        now.
        """
        return None

    def training_tensors(self) -> dict[str, Tensor]:
        """Everything but the model's own weights, under flat names."""
        flat = {f"extra.{name}": value for name, value in self.extra.state_dict().items()}
        flat |= {f"tensor.{name}": value for name, value in self.tensors.items()}
        flat["rng"] = self.rng.get_state()
        for owner, optimiser in self.optimisers.items():
            for number, values in optimiser.state_dict()["state"].items():
                flat |= {
                    f"optimiser.{owner}.{number}.{key}": torch.as_tensor(value)
                    for key, value in values.items()
                    if value is not None
                }
        return flat

    def restore(self, training: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """The inverse of `training_tensors` on a fresh skeleton. Raises RunBroken where names or shapes
        differ.
        """
        try:
            self.extra.load_state_dict(_below("extra.", training))
            self.tensors = {
                name: value.to(self.how.device) for name, value in _below("tensor.", training).items()
            }
            self.rng.set_state(training["rng"].cpu())
            for owner, optimiser in self.optimisers.items():
                whole = optimiser.state_dict()
                state: dict[int, dict[str, Tensor]] = {}
                for name, value in _below(f"optimiser.{owner}.", training).items():
                    number, key = name.split(".", 1)
                    state.setdefault(int(number), {})[key] = value
                optimiser.load_state_dict(whole | {"state": state})
        except (KeyError, ValueError, RuntimeError) as error:
            problem = str(error).splitlines()[0]
            raise RunBroken(
                f"The checkpoint does not fit this version of the method ({problem}); train the run anew."
            ) from None
        self.counters = dict(counters)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
