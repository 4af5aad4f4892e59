"""Unsupervised adversarial examples, table 5: how far attacked samples are from the training samples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from engine import registry
from engine.registry import register
from engine.settings import knob
from engine.studies.protocols import Attacking, Case
from engine.studies.uae_figure1 import MINMAX, REDUCED, Figure1


def distances(features: str, which: str) -> dict[str, str]:
    """The names of FID and KID in these features, of samples that are "attacked" or "clean"."""
    within = "" if features == "classifier" else f"{features}_"
    return {name: name for name in (f"fid_{within}{which}", f"kid_{within}{which}")}


@register
class Table5(Figure1):
    """FID and KID of what MinMax answers on a classifier."""

    version: ClassVar[int] = 2

    name = "uae.table5"
    title = "UAE, table 5: FID and KID"
    summary = (
        "Fréchet and kernel distance of what MinMax answers from a classifier's training samples, by each way"
        " to tell how alike answers are to their originals, beside those of the same samples clean. Of all"
        " answers: where the attack fails, that is the original itself."
    )
    protocol = MINMAX + (
        " Every seed counts. Distances are in the features that the attacked classifier's head reads, and so"
        " cannot be held beside published ones, which name no features."
    )
    reduced: ClassVar[Mapping[str, str]] = {size: words.format("") for size, words in REDUCED.items()}
    about_published: ClassVar[str] = (
        "Published: means of ten runs for random sampling, a single run for convolution, both on 1,000 test"
        " images of CIFAR-10 with K = 96. No run stands beside them. (?): a published value that cannot be"
        " taken as it stands."
    )
    axes: ClassVar[Mapping[str, str]] = dict(Figure1.axes) | {
        "compress_by": "compressed by",
        "compressed": "K",
    }
    place = 2
    features: Literal["classifier", "inception"] = knob(
        "classifier",
        "Features",
        "classifier: what its head reads; inception: those of Inception v3, whose weights must be here.",
        added_later=True,
    )
    mine: ClassVar[Mapping[str, Any]] = {"compressed": 96}

    @property
    def protocol_in_full(self) -> str:
        """As every study's; it names the features."""
        told = super().protocol_in_full
        if self.features == "inception":
            told = told.replace(
                "that the attacked classifier's head reads", "of Inception v3, its weights given"
            )
        return told

    def cases(self) -> list[Case]:
        """The attacks of figure 1 by their distances; then what was published."""
        beside = ("success_rate", "noise_success_rate", "l2_mean", "n")
        rows = [
            replace(
                case,
                about={**case.about, **self._compression(case)},
                attacking=self._attacking(case),
                measured=distances(self.features, "attacked"),
                controls=distances(self.features, "clean") | {name: name for name in beside},
            )
            for case in super().cases()
            if case.treatment not in ("pgd", "any_sign", "penalty")  # the first is measured in no features
        ]
        return rows + self.alone("table5", [], "fid", "kid", treatment="published")

    def _attacking(self, case: Case) -> Attacking:
        """The row's attack, which measures in these features."""
        assert case.attacking is not None
        if self.features == "classifier":
            return case.attacking
        return replace(case.attacking, changes={**case.attacking.changes, "features": self.features})

    def _compression(self, case: Case) -> dict[str, Any]:
        """How the pairs of a row are made, and how many they are; nothing where there are none."""
        assert case.attacking is not None and case.training is not None
        changes = case.attacking.changes
        if "similarity" in changes:
            return {}
        if changes.get("compress_by") != "convolution":
            return {"compress_by": changes.get("compress_by", "pairs"), "compressed": self.mine["compressed"]}
        settings = registry.find("model", case.model).preset(case.training.preset, **case.training.changes)
        return {"compress_by": "convolution", "compressed": settings.filters[0]}
