"""ADEC beside what it is made of: clustering alone, with reconstruction, with an adversary, and with a
decoder that only follows; all four from one base a seed.

Source: Mrabah, Bouguessa, Ksantini, "Adversarial Deep Embedded Clustering: on a better trade-off between
Feature Randomness and Feature Drift", IEEE TKDE 2020 (arXiv 1909.11832), table 2 (single runs there).
"""

from typing import ClassVar

from engine.registry import register
from engine.settings import knob
from engine.studies.protocols import CLEAN, Case, StudySettings, Training, Treatment

DATA = {"quick": "digits", "mini": "mnist_test", "paper": "mnist"}
PRESETS = {"quick": "quick", "mini": "mnist_test", "paper": None}
ARMS = {
    ("adec", ""): {},
    ("adec", "no_adversary"): {"adv_weight": 0.0},
    ("idec_star", ""): {},
    ("dec_star", ""): {},
}
"""Model and arm -> changed fields."""


@register
class Arms(StudySettings):
    """The four arms of one base, seed by seed, so that they differ in pairs."""

    name = "adec.arms"
    title = "ADEC: what each part adds"
    summary = (
        "Clean ACC and NMI of ADEC, of ADEC without its adversary, of IDEC* and of DEC*, trained from the"
        " same base for every seed."
    )
    source: ClassVar[str] = "Mrabah, Bouguessa, Ksantini, IEEE TKDE 2020 (arXiv 1909.11832), table 2"
    protocol = (
        "For every seed one ACAI base is trained, with its k-means centres; the four arms start from it and"
        " take as many iterations, each as its preset has it. ACC and NMI of all samples, in eval mode. No"
        " model is selected: every seed counts."
    )
    reduced: ClassVar[dict[str, str]] = {
        "quick": (
            "Against the published settings: digits of 8x8, widths 128-128-256, 4,000 iterations of the base"
            " and 3,000 of each arm, γ = 0.1 of IDEC*."
        ),
        "mini": (
            "Against the published settings: the 10,000 test images of MNIST, 1,200 iterations of each arm."
        ),
    }
    page = "train"
    tab = ""
    measured_on = {"quick": "digits, 8x8", "mini": "MNIST test", "paper": "published settings"}
    arms = {"": "", "no_adversary": "without adversary"}
    treatments = {CLEAN: Treatment("clean")}

    seeds: int = knob(10, "Seeds", "Every arm is trained for seeds 0 … n − 1.", ge=1, le=100)

    def cases(self) -> list[Case]:
        """Arm by arm."""
        data, preset = DATA[self.size], PRESETS[self.size]
        scores = {"acc": "acc", "nmi": "nmi"}
        return [
            Case(model, {}, Training(model, data, preset, changes), arm=arm, treatment=CLEAN, measured=scores)
            for (model, arm), changes in ARMS.items()
        ]
