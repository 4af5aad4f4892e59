"""Unsupervised adversarial examples, figure 2: the farthest samples that are still decoded as well."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from engine.registry import register
from engine.studies.protocols import Attacking, Case, Treatment
from engine.studies.uae import FAR, UAEStudy

KINDS: Mapping[str, Mapping[str, Any]] = {
    "uae": {},
    "far": FAR,
    "l2_far": {"similarity": "l2", "step": "sign"},
}
"""Treatment -> changed fields of the attack."""
TEN = 10


@register
class Figure2(UAEStudy):
    """How far a sample may go and be decoded as well as its original."""

    name = "uae.figure2"
    title = "UAE, figure 2: the ten farthest"
    summary = (
        "Success of the attack, and how far its answers are from their originals: of all, and of the ten that"
        " went farthest; by steps as published and by steps that move."
    )
    protocol = (
        "MinMax within ε = 1 and the box on every training row of an autoencoder that saw no attacked sample:"
        " a success is decoded at least as close to the original as the original itself. The farthest are the"
        " ten successes of largest ‖δ‖. The noise control is a random direction in which each sample goes as"
        " far, in L2, as its own answer went. Every seed counts."
    )
    arms = {"original": "original"}
    treatments = {
        "uae": Treatment("UAE, plain steps"),
        "far": Treatment("UAE, steps by signs, the least alike taken"),
        "l2_far": Treatment("L2-UAE, steps by signs"),
    }
    columns = {"l2_ten": "L2, ten farthest"}
    about_published = "The published figure is of pictures: no published value stands beside."
    place = 4

    def cases(self) -> list[Case]:
        """Model by model, attack by attack; the figure's pictures are those of the runs behind the rows."""
        names = ("success_rate", "l2_answers_mean")
        return [
            Case(
                model,
                {"data": self.set},
                self.original(model),
                Attacking("minmax", None, self.uae(**KINDS[kind]).changes),
                "original",
                kind,
                {name: name for name in names},
                {name: name for name in ("noise_success_rate", "linf_max", "n")},
                more=farthest,
            )
            for model, kind in product(self.models, KINDS)
        ]


def farthest(folder: Path) -> dict[str, float | None]:
    """The mean ‖δ‖ of the ten successes that went farthest; None without any."""
    import pandas as pd  # a fifth of a second, for a finished run alone

    table = pd.read_parquet(folder / "samples.parquet", columns=["reached", "l2"])
    lengths = table.loc[table["reached"] & (table["l2"] > 0), "l2"].nlargest(TEN)
    return {"l2_ten": float(lengths.mean()) if len(lengths) else None}
