"""Unsupervised adversarial examples, figure 1: the most similar samples that a classifier mistakes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.protocols import Attacking, Case, Treatment
from engine.studies.uae import MINE, UAEStudy

SIMILARITIES: Mapping[str, Mapping[str, Any]] = {
    "pairs": {},
    "any_sign": {"positive": False},
    "convolution": {"compress_by": "convolution"},
    "closed_form": {"similarity": "closed_form"},
    "l2": {"similarity": "l2"},
    "unlike": {"direction": -1},
}
"""Treatment -> changed fields of the attack."""
STEPS = {"quick": 200, "mini": 100, "paper": 1000}
SAMPLES = {"quick": 300, "mini": 300, "paper": 1000}
MINMAX = (
    "MinMax on test rows of a classifier, ε = 1: direction +1, one step of the estimate for each step of the"
    " sample. Random sampling: pairs of the law of random projections; convolution, where the classifier"
    " begins with one: the maps of the first. Downward is the same with direction −1. The noise control of"
    " MinMax is a random direction in which each sample goes as far, in L2, as its own answer went."
)
"""The part of a protocol that is not about PGD."""
REDUCED = {
    "quick": (
        "Against the published settings: 8x8 digits, a dense classifier, 200 steps (1,000), 300 samples"
        " (1,000), {}pairs of 16 numbers (128), the collapsed network of MINE by Adam 0.001 (1.5e-5); noise"
        " of 0.086 to start from, as for 28x28."
    ),
    "mini": (
        "Against the published settings: 1,000 training images of MNIST, 100 steps (1,000), 300 samples"
        " (1,000), {}pairs of 32 numbers (128), the collapsed network of MINE by Adam 0.001 (1.5e-5)."
    ),
}
"""Size -> what it changes, but for how many pairs there are."""


@register
class Figure1(UAEStudy):
    """Supervised attacks along the likeness, by each way of measuring it."""

    version: ClassVar[int] = 3  # the penalty method, too

    name = "uae.figure1"
    title = "UAE, figure 1: alike, and mistaken"
    summary = (
        "MinMax upward: the samples most like their originals that a classifier mistakes, by each way to tell"
        " how alike they are; the penalty method, PGD, and MinMax downward, beside them."
    )
    protocol = MINMAX + (
        " The penalty method searches for its price of failing among nine, each with as many steps, and so"
        " takes nine times as long; on a part of MNIST it is left out. PGD-40 is within ε = 0.1, its noise"
        " control random signs of size ε. Every seed counts."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": REDUCED["quick"].format("K = 96 (500) "),
        "mini": REDUCED["mini"].format("K = 64 (500) "),
    }
    about_published: ClassVar[str] = "The published figure is of pictures: no published value stands beside."
    treatments = {
        "pairs": Treatment("MINE, random sampling"),
        "any_sign": Treatment("MINE, random sampling, whatever the sign of the estimate"),
        "convolution": Treatment("MINE, convolution"),
        "closed_form": Treatment("closed form"),
        "l2": Treatment("L2"),
        "unlike": Treatment("MINE, random sampling, downward"),
        "penalty": Treatment("MINE, random sampling, penalty method"),
        "pgd": Treatment("PGD-40, ε = 0.1"),
        "published": Treatment("as published"),
    }
    arms = {"": "", "original": "original"}
    place = 3
    mine: ClassVar[Mapping[str, Any]] = {}
    """What differs from MINE as the other studies of this size compute it."""

    def cases(self) -> list[Case]:
        """Likeness by likeness, then PGD; a dense classifier has no maps."""
        kinds = [kind for kind in SIMILARITIES if kind != "convolution" or self.size != "quick"]
        attacks = {kind: self._minmax(**SIMILARITIES[kind]) for kind in kinds}
        if self.size != "mini":
            attacks["penalty"] = replace(attacks["pairs"], attack="minmax_penalty")
        return [self._row(kind, attack) for kind, attack in (attacks | {"pgd": self._pgd()}).items()]

    def _minmax(self, **changes: Any) -> Attacking:
        more = {
            "epsilon": 1.0,
            "direction": 1,
            "steps": STEPS[self.size],
            **MINE[self.size],
            "inner_steps": 1,
            **self.mine,
        }
        return Attacking("minmax", None, self._samples | more | changes)

    def _pgd(self) -> Attacking:
        return Attacking("pgd", None, self._samples | {"epsilon": 0.1, "steps": 40})

    @property
    def _samples(self) -> dict[str, Any]:
        return {"objective": "misclassify", "half": "test", "n": SAMPLES[self.size]}

    def _row(self, kind: str, attack: Attacking) -> Case:
        return Case(
            "classifier",
            {"data": self.set},
            self.classifier(1),
            attack,
            "original",
            kind,
            {"success_rate": "success_rate", "l2_mean": "l2_mean"},
            {
                name: name
                for name in (
                    "noise_success_rate",
                    "mine_mean",
                    "accuracy_clean",
                    "accuracy_attacked",
                    "linf_max",
                    "n",
                )
            },
        )
