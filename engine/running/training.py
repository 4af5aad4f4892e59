"""The action "train": a registered model on a data set, watched while it trains."""

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import numpy as np
import psutil
import torch
from torch import nn

from engine import registry
from engine.data.dataset import Dataset
from engine.data.views import AtRest
from engine.errors import DataError, SettingsError
from engine.events import Event
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.registry import register
from engine.running.action import Action, Work
from engine.running.attacking import Attack
from engine.running.watching import Watch
from engine.settings import Settings, knob
from engine.store import checkpoint
from engine.store.wanted import BASE, WITH

BYTES_TRAINED = 16
"""Of a weight while it trains: itself, its gradient and two moments, in float32."""


@register
class Train(Action):
    """Train a registered model."""

    name: ClassVar[str] = "train"
    title: ClassVar[str] = "Train"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "train"
    about: ClassVar[str] = "model"
    roles: ClassVar[tuple[str, ...]] = (BASE, WITH)

    model: str = knob(..., "Model", "The registered name of the method.")
    model_settings: dict[str, Any] = knob(..., "Settings", "All settings of the method.")
    clusters: int | None = knob(
        None,
        "Clusters",
        "How many to look for; as many as the data have classes unless set.",
        symbol="K",
        ge=2,
    )

    def chosen(self) -> ModelSettings:
        """The method's settings."""
        return _owner(self.model)(**self.model_settings)

    @property
    def trained_on(self) -> str:
        """The part that the method asks for."""
        return self.chosen().rows

    def bases(self) -> dict[str, Action]:
        """The runs that the method begins from, with as many clusters."""
        chosen = self.chosen()
        clusters = chosen.clusters_of_base(self.clusters)
        found: dict[str, Action] = {
            role: Train(model=base.name, model_settings=base.values(), clusters=clusters)
            for role, base in chosen.bases().items()
        }
        fields = chosen.fitted_attack()
        return found | ({"attack": Attack(**fields)} if fields else {})

    def stands_on(self, role: str) -> Mapping[str, str]:
        """The attack is fitted to the base; a base sees the same data, with what is appended to them."""
        return {"model": "base"} if role == "attack" else {WITH: WITH}

    def described(self, data: Dataset) -> dict[str, str]:
        """Which samples it is trained on, and under which attack it is watched."""
        chosen = self.chosen()
        said = {"rows_used": data.used_in_words(chosen.rows), "watched": chosen.watched_in_words()}
        return {name: words for name, words in said.items() if words}

    def parts(self) -> list[type[Settings]]:
        """The method, and what is trained and fitted for it."""
        chosen = self.chosen()
        found: list[type[Settings]] = [type(chosen)]
        if fields := chosen.fitted_attack():
            found += [
                type(chosen.bases()["base"]),
                registry.find("attack", fields["attack"]),
                registry.find("objective", fields["objective"]),
            ]
        return found

    def suits(self, data: Dataset) -> None:
        """Raises DataError where labels are missing, there are fewer samples than clusters, or the network
        cannot be built for samples of their shape; SettingsError where it does not fit into the memory.
        """
        chosen, clusters = self.chosen(), self.clusters or data.clusters
        if chosen.supervised:
            self._labels(data)
        if clusters > len(data):
            raise DataError(
                f"{clusters} clusters were asked for, but {data.name} has {len(data)} samples; ask for fewer."
            )
        with torch.device("meta"):  # nothing is allocated
            network = chosen.network(data.views.shapes, clusters)
        numbers = sum(parameter.numel() for parameter in network.parameters())
        needed, there = numbers * BYTES_TRAINED, psutil.virtual_memory().total
        if needed > there:
            raise SettingsError(
                f"The network of {self.model} would have {numbers:,} weights, which take"
                f" {needed / 1e9:,.0f} GB while it trains; this machine has {there / 1e9:,.0f} GB. Choose"
                " smaller widths."
            )

    def _labels(self, data: Dataset) -> np.ndarray:
        """What a supervised method learns from. Raises DataError where there is nothing."""
        if data.labels is None:
            raise DataError(
                f"{self.model} learns from labels, and {data.name} has none. Choose data with labels, or a"
                " model that needs none."
            )
        if (asked := self.clusters or data.clusters) != len(data.class_names):
            raise DataError(
                f"{self.model} learns as many classes as the data have, {len(data.class_names)}; got"
                f" clusters = {asked}. Leave clusters out."
            )
        return data.labels

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Train from the checkpoint, or from the bases, to the end; returns the final metrics."""
        settings, data = self.chosen(), work.data
        at_rest, clusters = data.views.to(work.how.device), self.clusters or data.clusters
        state = settings.skeleton(at_rest, clusters, work.rng, work.how)
        resumed = checkpoint.there(work.folder)
        if resumed:
            checkpoint.load(work.folder, state, settings.version)
        else:
            fitted = {"attack": work.fitted("attack")} if settings.fitted_attack() else {}
            settings.adopt(state, {role: work.model(role) for role in settings.bases()} | fitted)
        watch = Watch(
            settings,
            state,
            data,
            at_rest,
            work,
            checkpoint.Header(settings.version, at_rest.shapes, clusters),
        )
        steps = self._steps(settings, state, at_rest, data)
        try:
            for event in steps:
                yield from watch.seen(event)
        except GeneratorExit:
            steps.close()
            watch.save()
            raise
        return watch.finished()

    def _steps(
        self, settings: ModelSettings, state: State, at_rest: AtRest, data: Dataset
    ) -> Generator[Event, None, None]:
        """The training itself. Labels go to supervised methods alone, those of the training rows alone."""
        rows = torch.from_numpy(data.rows(settings.rows))
        if settings.supervised:
            labels = torch.from_numpy(self._labels(data))[rows].to(state.how.device)
            yield from settings.train_on_labels(state, at_rest.subset(rows), labels)
        else:
            state.rows, state.made_of = rows, torch.from_numpy(data.made_of)
            yield from settings.train(state, at_rest)


def _owner(name: str) -> type[ModelSettings]:
    owner = registry.find("model", name)
    if not issubclass(owner, ModelSettings):
        raise SettingsError(
            f"The model {name!r} cannot be trained: {owner.__qualname__} must be a ModelSettings. Correct the"
            " extension that registers it."
        )
    return owner


def rows(name: str) -> str:
    """The part of the data that the method called `name` is trained on."""
    return _owner(name).rows


def version(name: str) -> int:
    """The version of the method called `name`."""
    return _owner(name).version


def network(model: str, settings: Mapping[str, Any], header: checkpoint.Header) -> nn.Module:
    """The untrained network that weights with this header fit into."""
    return _owner(model)(**settings).network(header.shapes, header.clusters)
