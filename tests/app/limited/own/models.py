"""Models of one ability each, with an objective for one of them: a folder of a person's own files, so that
pages are tried with models that do not cluster. Their weights are drawn and not learned.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.outputs import Outputs
from engine.models.protocols import Classifies, ModelSettings, require
from engine.models.state import State
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register

CLASSES, CODE = 10, 3


class Classifier(nn.Module):
    """Logits (n, 10), linear in the pixels."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CLASSES, size))

    def logits(self, x: Views) -> Tensor:
        return x.flat() @ self.weight.T


class Encoder(nn.Module):
    """An embedding (n, 3) between -1 and 1."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CODE, size))

    def encode(self, x: Views) -> Tensor:
        return torch.tanh(x.flat() @ self.weight.T)


class Autoencoder(nn.Module):
    """x̂ (n, d) in (0, 1), from three numbers that it keeps to itself."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CODE, size))

    def reconstruct(self, x: Views) -> Tensor:
        return torch.sigmoid(x.flat() @ self.weight.T @ self.weight)


class Fusion(nn.Module):
    """An embedding (n, 3) of each of two views, and their mean."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CODE, size // 2))

    def parts(self, x: Views) -> tuple[tuple[Tensor, ...], Tensor]:
        z = tuple(torch.tanh(view.flatten(1) @ self.weight.T) for view in x)
        return z, torch.stack(z).mean(0)

    def view_weights(self) -> Tensor:
        return torch.full((2,), 0.5)

    def log_assign_view(self, z: Tensor) -> None:
        return None


class SortingFusion(Fusion):
    """The same with logits (n, 10), linear in the fused embedding."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.last = nn.Parameter(torch.zeros(CODE, CLASSES))

    def logits(self, x: Views) -> Tensor:
        return self.parts(x)[1] @ self.last


class Drawn(ModelSettings):
    """A network whose weights are drawn, and a training that does nothing."""

    source: ClassVar[str] = "Feint's tests"
    equation: ClassVar[str] = "W x"
    made: ClassVar[type[nn.Module]]

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        return self.made(sum(torch.Size(shape).numel() for shape in shapes))

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        model = self.network(data.shapes, clusters)
        for weight in model.parameters():
            weight.data = torch.randn(weight.shape, generator=rng)
        return State(model.to(how.device), rng, how)

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        state.counters["step"] = 1
        yield Progress(step=1, total=1)
        yield Evaluate(step=1, total=1)


@register
class OnlyClassifies(Drawn):
    """A linear classifier."""

    name: ClassVar[str] = "only_classifies"
    title: ClassVar[str] = "Only classifies"
    summary: ClassVar[str] = "Sorts samples into classes and can do nothing else."
    abilities: ClassVar[tuple[str, ...]] = ("classifies",)
    supervised: ClassVar[bool] = True
    made: ClassVar[type[nn.Module]] = Classifier

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        yield from self.train(state, data)


@register
class OnlyEncodes(Drawn):
    """An encoder."""

    name: ClassVar[str] = "only_encodes"
    title: ClassVar[str] = "Only encodes"
    summary: ClassVar[str] = "Gives each sample an embedding and can do nothing else."
    abilities: ClassVar[tuple[str, ...]] = ("encodes",)
    made: ClassVar[type[nn.Module]] = Encoder


@register
class OnlyReconstructs(Drawn):
    """An autoencoder that shows no embedding."""

    name: ClassVar[str] = "only_reconstructs"
    title: ClassVar[str] = "Only reconstructs"
    summary: ClassVar[str] = "Copies each sample and can do nothing else."
    abilities: ClassVar[tuple[str, ...]] = ("reconstructs",)
    made: ClassVar[type[nn.Module]] = Autoencoder


@register
class OnlyFuses(Drawn):
    """A fusion of two views that sorts samples into nothing."""

    name: ClassVar[str] = "only_fuses"
    title: ClassVar[str] = "Only fuses"
    summary: ClassVar[str] = "Gives two views one embedding and can do nothing else."
    abilities: ClassVar[tuple[str, ...]] = ("fuses",)
    made: ClassVar[type[nn.Module]] = Fusion


@register
class FusesAndClassifies(OnlyClassifies):
    """A fusion of two views that sorts samples into classes, and clusters nothing."""

    name: ClassVar[str] = "fuses_and_classifies"
    title: ClassVar[str] = "Fuses and classifies"
    summary: ClassVar[str] = "Gives two views one embedding, which is sorted into classes."
    abilities: ClassVar[tuple[str, ...]] = ("fuses", "classifies")
    made: ClassVar[type[nn.Module]] = SortingFusion


@register
class BeWrong(ObjectiveSettings):
    """Make a classifier say another class than the label."""

    name: ClassVar[str] = "be_wrong"
    title: ClassVar[str] = "Be wrong"
    summary: ClassVar[str] = "The lead of the best other class over the label's."
    source: ClassVar[str] = "Feint's tests"
    equation: ClassVar[str] = r"\max_{j \neq y} f_j - f_y"
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    needs_labels: ClassVar[bool] = True
    success: ClassVar[str] = "is taken for a wrong class"

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        typed, rows = require(model, Classifies, self.name), labels[:, None]

        def lead(flat: Tensor) -> Tensor:
            logits = typed.logits(clean.like(flat)).float()
            others = logits.scatter(1, rows, -torch.inf).amax(1)
            return others - logits.gather(1, rows)[:, 0]

        return lead

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        if after.predicted is None or before.labels is None:
            return None
        return after.predicted != before.labels
