"""What a kind of run is: settings with `work`, which does it; and what the runner hands to it."""

from abc import abstractmethod
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from engine import registry
from engine.errors import SettingsError
from engine.settings import Settings

if TYPE_CHECKING:  # the page server reads specs and must not import torch
    import numpy as np
    import torch
    from torch import nn

    from engine.data.dataset import Dataset
    from engine.device import How
    from engine.events import Event

from engine.store.spec import Spec
from engine.store.wanted import EXTRACTOR


class Work(Protocol):
    """What the runner hands to an action."""

    spec: Spec
    folder: Path
    """The run's folder: files written here are part of the run. Write under a temporary name and rename."""
    data: "Dataset"
    how: "How"
    rng: "torch.Generator"
    """Seeded from the spec's seed alone, so that variants see the same draws; on the CPU."""

    @abstractmethod
    def model(self, role: str = "model") -> "nn.Module":
        """The model of the run under that role in `spec.builds_on`: eval mode, float32, frozen, on
        `how.device`.
        """

    @abstractmethod
    def fitted(self, role: str) -> "nn.Module":
        """The networks of the attack that was fitted in the run under that role, on the CPU."""

    @abstractmethod
    def write_table(self, name: str, columns: Mapping[str, "np.ndarray | list[Any]"]) -> None:
        """`name`.parquet in the folder, one row a sample."""

    @abstractmethod
    def write_arrays(self, name: str, arrays: Mapping[str, "np.ndarray"]) -> None:
        """`name`.npz in the folder (compressed, no objects)."""


class Action(Settings):
    """A kind of run. A subclass's fields are the run's settings; `work` does it and *returns* the result's
    metrics.
    """

    kind: ClassVar[str] = "action"
    lane: ClassVar[str] = "train"
    """Where such a run waits in the pool: "train", one after the other in child processes of their own, or
    "attack", in a process that is warm.
    """

    about: ClassVar[str] = ""
    """The kind of registered class that this trains or launches ("model", "attack"), or "". Where it is
    "attack", the fields `attack` and `attack_settings` hold its name and its values.
    """
    roles: ClassVar[tuple[str, ...]] = ()
    """Roles of other runs that a person may choose for it, beside the model and a fitted attack."""

    @property
    def trained_on(self) -> str:
        """Which part of the data a training learns from, by the names of `engine.data.splits`."""
        return "all"

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What an action adds to its catalogue entry."""
        return {"lane": cls.lane, "about": cls.about}

    @classmethod
    def choose(cls, name: str, preset: str | None, changes: Mapping[str, Any]) -> Self:
        """The action on the registered `name`: its preset, and dotted `changes` to the action's fields or to
        its own.
        """
        if not cls.about:
            return cls.preset(preset, **changes)
        own = {path: value for path, value in changes.items() if path.split(".")[0] in cls.model_fields}
        subject = registry.find(cls.about, name).preset(
            preset, **{path: value for path, value in changes.items() if path not in own}
        )
        return cls.preset(None, **{cls.about: name, f"{cls.about}_settings": subject.values()} | own)

    def subject(self) -> type[Settings]:
        """The registered class that this trains or launches, else the action itself; gives the spec its name
        and version.
        """
        return registry.find(self.about, getattr(self, self.about)) if self.about else type(self)

    def parts(self) -> "list[type[Settings]]":
        """The registered classes that it trains or launches: whose versions are part of its own."""
        return [self.subject()] if self.about else []

    def bases(self) -> "Mapping[str, Action]":
        """Role -> the runs this one builds on, on the same data and seed; trained or found by key first."""
        return {}

    def stands_on(self, role: str) -> Mapping[str, str]:
        """For a run among `bases` that builds on another of them: its own role for that one -> the one's role
        here.
        """
        return {}

    @classmethod
    def takes(cls, role: str) -> None:
        """Raises SettingsError where a run of this kind cannot build on another under that role."""
        if role not in cls.roles:
            kind = "attack" if role == EXTRACTOR else "train"
            raise SettingsError(f"{cls.name} takes no {role}; leave it out. It is for: {kind}.")

    def needs_of_model(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Who, in words, needs which abilities of the model in the role "model"."""
        return ()

    def like(self, spec: Spec, changes: Mapping[str, Any]) -> Self:
        """The same with the attack that was fitted in a run, `spec`. Raises SettingsError where none is
        fitted.
        """
        raise SettingsError(f"{self.name} takes no fitted; leave it out. It is for: attack.")

    def check(self, clusters: int) -> None:
        """Raises SettingsError where a model with so many clusters cannot be treated so."""

    def suits(self, data: "Dataset") -> None:
        """Raises DataError where data cannot be treated so."""

    def described(self, data: "Dataset") -> dict[str, str]:
        """What a card and a result say of it in words, by name: `rows_used`, which samples it works on."""
        return {}

    @abstractmethod
    def work(self, work: Work) -> "Generator[Event, None, dict[str, Any]]":
        """A generator of Progress, Evaluate and Picture events whose return value is the metrics (a dict)."""
