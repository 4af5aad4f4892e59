"""What the studies of AR-DMVC share: its models, measured with a weak and a strong generator and with PGD
beside them.

Source: Huang, Zhou, Zheng, Qiu, Wang and Zhao, "Adversarially Robust Deep Multi-View Clustering", ICML 2024.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine import registry
from engine.studies.protocols import (
    CLEAN,
    Attacking,
    Case,
    StudySettings,
    Training,
    Treatment,
    cell,
)

PAPER = "ar_dmvc"
HERE = ("simvc", "comvc", "aecoddc", "ar_dmvc", "ar_dmvc_am")
"""Models measured here, as table 1 orders them; the others have published values alone."""
LATER = ("eamc", "mvae", "infoddc", "sem")
BASE = "comvc"
DEFENCES = ("ar_dmvc", "ar_dmvc_am")
JUDGED = (BASE, *DEFENCES)
"""What the strongest attack is spent on."""
DATA = {"quick": "noisy_digits", "mini": "noisy_mnist_mini", "paper": "noisy_mnist"}
PUBLISHED_ON = "noisy_mnist"
"""Whose published values stand beside the rows: digits and the mini size are stand-ins for it, which the page
says.
"""
PUBLISHED_WITH = "generator_released"
"""The treatment of the published values."""
STRONGEST = {"objective": "leave_cluster", "half": "second", "starts": 1, "steps": 50, "targets": 3}
"""The strongest attack as these studies use it: for every sample that stands it takes 250 steps. By itself it
takes 3 starts and 4 targets; on the first 100 samples the study says what these still reach.
"""
JUDGED_ON = {"quick": None, "mini": 300, "paper": 300}
"""Size -> on how many samples; None: all that PGD attacks."""
STRENGTH = {"generator_strong": None, "generator_released": "as_released"}
"""Treatment -> preset of `mv_gan`: kernels begin at N(0, 0.02²), or at N(0, 1)."""
OF_ITS_OWN = "Every ε has a generator of its own."
UNPUBLISHED: tuple[dict[str, float] | None, tuple[str, ...]] = (None, ())
ATTACKED_SCORES = {"acc": "acc_attacked", "nmi": "nmi_attacked", "ari": "ari_attacked"}
CLEAN_SCORES = {"acc": "acc_clean", "nmi": "nmi_clean", "ari": "ari_clean"}
CONTROLS = {
    name: name
    for name in (
        "acc_clean",
        "acc_attacked_fixed_match",
        "flip_rate",
        "noise_flip_rate",
        "other_delta_flip_rate",
        "assignment_kl_mean",
        "knn_acc_attacked",
        "linf_max",
        "l2_mean",
        "n",
    )
}
STILL = {name: name for name in ("strongest_missed", "strongest_n")}
"""Of the strongest attack as these studies use it: what more starts and targets still reach."""
SAMPLES = {"objective": "mv_disrupt", "half": "second", "n": None}


class MultiViewStudy(StudySettings):
    """What the studies of this paper have in common."""

    version: ClassVar[int] = 4

    paper = PAPER
    source: ClassVar[str] = "Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024"
    protocol = (
        "Models are trained on the first half of the samples; generators are fitted on the second half and"
        " scored on that same half, as released (transductive). PGD-20 attacks every sample of it for the"
        " paper's objective; where a row says so, the strongest attack wants n of those samples to leave"
        " their clusters: what PGD-20 leaves standing is tried anew from one random start of 50 steps each,"
        " out of its cluster, towards the 3 nearest others, and for the paper's objective. Every score is"
        " taken in eval mode, and the model's statistics are never touched; the"
        " released generator is fitted against batch statistics, as it was published. Scores beside"
        " published ones match clusters to classes anew after the attack, as those do; figures and"
        " verdicts keep the clean matching. No model is selected: every seed counts."
    )
    reduced: ClassVar[dict[str, str]] = {
        "quick": (
            "Against the published settings: digits of 8x8, width 32 (64); defences train 30 epochs as"
            " published, with 5 steps of 0.04 inside (10 of 0.02), λ = 1, γ = 0.1 (100 and 1); CoMVC 30 too,"
            " and 60 where it has its own length (20), as SiMVC and AECoDDC (20)."
        ),
        "mini": (
            "Against the published settings: 4,000 images, width 16 (64); defences train 10 epochs (30), with"
            " 5 steps of 0.04 inside (10 of 0.02), λ = 1, γ = 0.1 (100 and 1); CoMVC 10 too, and 20 at its"
            " own length; generators are fitted for 20 epochs (30), so that their rate never drops (there it"
            " does after 20). The strongest attack attacks 300 samples a seed."
        ),
        "paper": "CoMVC trains 30 epochs, as the defences do, and 20 at its own length, as published.",
    }
    about_published = (
        "Published: single runs on NoisyMNIST at full size, so that these rows are stand-ins and not a"
        " reproduction. (?): a published value that cannot be taken as it stands."
    )
    page = "defend"
    measured_on = {"quick": "digits, 8x8", "mini": "4,000 of MNIST", "paper": "published settings"}
    arms = {"": "", "own_epochs": "for its own number of epochs"}
    treatments = {
        CLEAN: Treatment("clean"),
        "strongest": Treatment(
            "strongest attack",
            "the strongest attack",
            "PGD-20 first; what stands is tried anew, from one random start of 50 steps each: out of its"
            " cluster, towards the 3 nearest others, and for the paper's objective.",
        ),
        "pgd": Treatment("PGD-20", "PGD-20", "Each sample by itself, for the paper's objective."),
        "generator_strong": Treatment("generator, strong", "the strong generator", OF_ITS_OWN),
        PUBLISHED_WITH: Treatment(
            "generator, as released", "the weak generator (as released)", OF_ITS_OWN, weak=True
        ),
    }
    baseline = BASE
    defences = DEFENCES

    @property
    def on(self) -> str:
        """The data of this size."""
        return DATA[self.size]

    def trained(self, model: str, data: str | None = None, **changes: Any) -> Training:
        """A model with the preset of this size."""
        return Training(model, data or self.on, None if self.size == "paper" else self.size, changes)

    def generator(self, strength: str, epsilon: float, data: str | None = None) -> Attacking:
        """The GAN attack of a STRENGTH, fitted at this ε."""
        epochs = {"epochs": 20} if self.size == "mini" else {}
        return Attacking("mv_gan", STRENGTH[strength], SAMPLES | {"epsilon": epsilon} | epochs, data)

    def pgd(self, epsilon: float, data: str | None = None) -> Attacking:
        """PGD for what the generators are trained for, each sample by itself."""
        return Attacking("pgd", None, SAMPLES | {"epsilon": epsilon}, data)

    def attacks(self, epsilon: float, data: str | None = None) -> Iterator[tuple[str, Attacking]]:
        """Treatment and attack: both generators, the weak one first, and PGD at this ε."""
        for strength in reversed(STRENGTH):
            yield strength, self.generator(strength, epsilon, data)
        yield "pgd", self.pgd(epsilon, data)

    def judging(self, epsilon: float, data: str | None = None) -> Iterator[tuple[str, Attacking]]:
        """The attack that judges a defence."""
        changes = STRONGEST | {"epsilon": epsilon, "n": JUDGED_ON[self.size]}
        yield "strongest", Attacking("strongest", None, changes, data)

    def epochs(self, training: Training) -> dict[str, int]:
        """How long a model is trained, as a row says it."""
        settings = registry.find("model", training.model).preset(training.preset, **training.changes)
        return {"epochs": settings.epochs}

    def trained_as_long(self, model: str, data: str | None = None) -> Training:
        """A model; the base for as many epochs as the defences, so that they differ in nothing but the
        defence.
        """
        epochs = {"quick": 30, "mini": 10, "paper": 30}[self.size]
        return self.trained(model, data, **({"epochs": epochs} if model == BASE else {}))


def attacked_case(
    model: str, about: dict[str, Any], training: Training, treatment: str, attacking: Attacking, **more: Any
) -> Case:
    """A row of scores under attack, with their controls."""
    return Case(
        model,
        about,
        training,
        attacking,
        treatment=treatment,
        measured=ATTACKED_SCORES,
        controls=CONTROLS | (STILL if treatment == "strongest" else {}),
        **more,
    )


def published_cell(table: str, names: tuple[str, ...], treatment: str, **where: Any) -> dict[str, Any]:
    """The published values that stand beside a row under `treatment`, as fields of its Case."""
    found = cell(PAPER, table, names, **where) if treatment in (CLEAN, PUBLISHED_WITH) else UNPUBLISHED
    return dict(zip(("published", "doubtful"), found, strict=True))


def not_built_yet(table: str, treatment: str, about: dict[str, Any], **where: Any) -> Iterator[Case]:
    """The rows of models that are not built yet: their published values alone."""
    for model in LATER:
        yield Case(
            model,
            about,
            treatment=treatment,
            note="Published values alone: this model is not built yet.",
            **published_cell(table, ("acc", "nmi", "ari"), treatment, model=model, **where),
        )


def columns_of(folder: Path, *names: str) -> list[np.ndarray]:
    """Columns of a run's table of samples, each (n,)."""
    import pandas as pd  # slow to import, and only needed at the end of a study

    table = pd.read_parquet(folder / "samples.parquet", columns=list(names))
    return [table[name].to_numpy() for name in names]
