"""What methods share that begin from a trained encoder: the fields that say which run it is."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import model_validator
from torch import nn

from engine import registry
from engine.errors import SettingsError
from engine.models.protocols import ModelSettings
from engine.settings import knob


class OnEncoder(ModelSettings):
    """The base of methods whose base is an encoder's run. Their own number of clusters is not that of the
    encoder.
    """

    base_fields: ClassVar[Mapping[str, str]] = {
        "model": "encoder",
        "model_settings": "encoder_settings",
        "clusters": "encoder_clusters",
    }

    encoder: str = knob("simclr", "Encoder", "The registered name of the model that it begins from.")
    encoder_settings: dict[str, Any] = knob({}, "Encoder's settings", "Those that differ from its defaults.")
    encoder_clusters: int | None = knob(
        None,
        "Encoder's clusters",
        "How many the encoder looked for; as many as the data have unless set.",
        ge=2,
        advanced=True,
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """The encoder's settings with all its fields, so that one encoder has one key. Raises FeintError."""
        object.__setattr__(self, "encoder_settings", self.reads().values())
        return self

    def __hash__(self) -> int:
        return hash(json.dumps(self.values(), sort_keys=True))

    def reads(self) -> ModelSettings:
        """The settings of the encoder."""
        found: ModelSettings = registry.find("model", self.encoder)(**self.encoder_settings)
        return found

    def bases(self) -> Mapping[str, ModelSettings]:
        """The encoder's run."""
        return {"base": self.reads()}

    def clusters_of_base(self, clusters: int | None) -> int | None:
        """What the encoder was asked for."""
        return self.encoder_clusters

    def untrained(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The encoder's network without its weights, where this method has `clusters` of its own."""
        return self.reads().network(shapes, self.encoder_clusters or clusters)

    def take(self, network: nn.Module, base: nn.Module) -> None:
        """The weights of the encoder's run, `base`, into what `untrained` made. Raises SettingsError where
        that run looked for another number of clusters than this method was told.
        """
        try:
            network.load_state_dict(base.state_dict())
        except RuntimeError:
            raise SettingsError(
                f"{self.name} was told that the encoder {self.encoder} looks for as many clusters as itself,"
                " and it does not. Say its own number as encoder_clusters."
            ) from None
