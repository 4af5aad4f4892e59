"""The smallest victims: a model with three abilities, three blobs of data, and the work a run hands to an
action.
"""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.data.dataset import Dataset
from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Event

SHAPE = (1, 3, 4)
SIZE = 12


class Tiny(nn.Module):
    """An encoder 12-16-4 with ReLU, k centres and a linear decoder, float32, frozen."""

    def __init__(self, seed: int = 0, clusters: int = 3) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)

        def layer(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, columns, generator=rng) / rows**0.5, requires_grad=False)

        self.first, self.second, self.back = layer(SIZE, 16), layer(16, 4), layer(4, SIZE)
        self.centres = nn.Parameter(torch.randn(clusters, 4, generator=rng) * 0.5, requires_grad=False)

    def encode(self, x: Views) -> Tensor:
        return (x.flat() @ self.first).relu() @ self.second

    def log_assign(self, x: Views) -> Tensor:
        distance = (self.encode(x)[:, None] - self.centres).square().sum(2)
        return (-torch.log1p(distance)).log_softmax(1)

    def reconstruct(self, x: Views) -> Tensor:
        return self.encode(x) @ self.back + 0.5


class TinyFusing(Tiny):
    """The same, which also takes the halves of its embedding for those of two views."""

    def views(self, x: Views) -> tuple[Tensor, ...]:
        return tuple(self.encode(x).split(2, dim=1))

    def fusion(self, z: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(z), dim=1)

    def parts(self, x: Views) -> tuple[tuple[Tensor, ...], Tensor]:
        z = self.views(x)
        return z, self.fusion(z) @ self.back

    def view_weights(self) -> Tensor:
        return torch.full((2,), 0.5)

    def log_assign_view(self, z: Tensor) -> Tensor | None:
        return None


class TinyDecoding(TinyFusing):
    """The same, whose heads can be asked about any embedding; nothing is drawn."""

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.back + 0.5

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        return (-torch.log1p((z[:, None] - self.centres).square().sum(2))).log_softmax(1)

    def spread(self, x: Views) -> Tensor:
        return torch.zeros(x.n, 4)


class TinyEncoder(nn.Module):
    """Only encodes: an encoder 12-16-4 with ReLU, float32, frozen."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.net = Tiny(seed)

    def encode(self, x: Views) -> Tensor:
        return self.net.encode(x)


class TinyAutoencoder(nn.Module):
    """Only reconstructs."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.net = Tiny(seed)

    def reconstruct(self, x: Views) -> Tensor:
        return self.net.reconstruct(x)


class TinySorter(nn.Module):
    """Only clusters."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.net = Tiny(seed)

    def log_assign(self, x: Views) -> Tensor:
        return self.net.log_assign(x)


class TinyClassifier(nn.Module):
    """Only classifies, into three classes."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.net = Tiny(seed)

    def logits(self, x: Views) -> Tensor:
        return 4 * self.net.log_assign(x)


def images(n: int, seed: int = 0) -> Views:
    """Random images of the tiny shape."""
    return Views([torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))])


def blobs(n: int = 60, labelled: bool = True, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Dataset:
    """Three noisy patterns as bytes, one class each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    patterns = rng.uniform(40, 215, size=(3, *shape))
    pixels = np.clip(patterns[labels] + rng.normal(0, 12, size=(n, *shape)), 0, 255).astype(np.uint8)
    at_rest = AtRest((torch.from_numpy(pixels),), (255.0,))
    return Dataset(
        "blobs", at_rest, labels if labelled else None, ("a", "b", "c"), 3, "Blobs", "made up", "none"
    )


def centred(data: Dataset, seed: int = 0) -> Tiny:
    """A tiny model whose centres are the class means of its own embedding, so that its clusters mean
    something.
    """
    model, labels = Tiny(seed), torch.arange(len(data)) % 3
    z = model.encode(data.views.all())
    model.centres.copy_(torch.stack([z[labels == label].mean(0) for label in range(3)]))
    return model


class Desk:
    """What the runner hands to an action, with its tables and arrays kept in memory."""

    def __init__(self, folder: Path, model: nn.Module, data: Dataset, seed: int = 0) -> None:
        self.folder, self.data, self._model = folder, data, model
        self.how = How("cpu", "float32", 2, torch.__version__, "")
        self.spec = SimpleNamespace(seed=seed, builds_on={})
        self.rng = torch.Generator().manual_seed(seed)
        self.tables: dict[str, dict[str, Any]] = {}
        self.arrays: dict[str, dict[str, np.ndarray]] = {}

    def model(self, role: str = "model") -> nn.Module:
        return self._model

    def write_table(self, name: str, columns: Mapping[str, Any]) -> None:
        assert len({len(column) for column in columns.values()}) == 1
        self.tables[name] = dict(columns)

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays[name] = dict(arrays)


def done(steps: Generator[Event, None, dict[str, Any]]) -> tuple[dict[str, Any], list[Event]]:
    """What an action returned, and the events it yielded."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events
