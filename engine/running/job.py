"""What the runner hands to an action: data, models that the run builds on, and where results go."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.device import How
from engine.running.fitting import restored
from engine.running.ingredients import data_of
from engine.running.models import load_model
from engine.store.run import Run
from engine.store.store import Store


class Job:
    """What the runner hands to an action: the `Work` of `engine.running.action`."""

    def __init__(self, this: Run, how: How, store: Store) -> None:
        self.spec, self.folder, self.how, self._store = this.spec, this.folder, how, store
        self.data = data_of(self.spec, store)
        self.rng = torch.Generator().manual_seed(self.spec.seed)

    def model(self, role: str = "model") -> nn.Module:
        """The model of the run under that role: eval mode, float32, frozen, on `how.device`."""
        return load_model(self._store.find(self.spec.builds_on[role]), self.how.device)

    def fitted(self, role: str) -> nn.Module:
        """The networks of the attack that was fitted in the run under that role, on the CPU."""
        return restored(self._store.find(self.spec.builds_on[role]), self.data.views.shapes)

    def write_table(self, name: str, columns: Mapping[str, Any]) -> None:
        """`name`.parquet in the folder, one row a sample."""
        import pandas as pd  # a third of a second of import, at the end of a run

        partial = self.folder / f".{name}.parquet"
        pd.DataFrame(dict(columns)).to_parquet(partial, index=False)
        partial.replace(self.folder / f"{name}.parquet")

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """`name`.npz in the folder (compressed, no objects)."""
        partial = self.folder / f".{name}.npz"
        np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
        partial.replace(self.folder / f"{name}.npz")
