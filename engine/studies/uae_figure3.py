"""Unsupervised adversarial examples, figure 3: does augmentation add to adversarial training?"""

from collections.abc import Mapping
from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Appended, Attacking, Case, Training, Treatment
from engine.studies.uae import CONVOLUTIONAL, IN_PLACE, UAEStudy

EPSILONS = (0.05, 0.1, 0.2, 0.3, 0.4)
ARMS: Mapping[str, str] = {
    "original": "adversarial training",
    "equal_steps": "adversarial training, for equal steps",
    "noise_2": "and noise, σ = 0.01, for equal steps",
    "uae": "and UAE, for equal steps",
    "uae_far": "and UAE of larger steps, for equal steps",
}


class Robustness(UAEStudy):
    """What the figures of success against ε have in common."""

    protocol = (
        "Success of PGD within ε (L∞), from a random start in 100 steps, on test rows that are classified as"
        " labelled before: one less the accuracy that is left on them. UAE are those of a convolutional"
        " autoencoder that was trained on the same rows; each bears the label of its original. Augmented"
        " models, and the controls for equal steps, take twice the steps of the original, which is as many"
        " epochs. The noise control is random signs of size ε. Every seed counts."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": "Against the published settings: 898 training rows of 8x8 digits, a dense classifier.",
        "mini": "Against the published settings: 1,000 training images of MNIST." + IN_PLACE,
    }
    figure = "epsilon"
    treatments = {"pgd": Treatment("PGD-100")}
    baseline = "equal_steps"
    defences = ("uae",)

    def appended(self, arm: str) -> tuple[Appended, ...]:
        """The samples that an arm's classifier sees too."""
        if arm in ("original", "equal_steps"):
            return ()
        return (Appended(self.original(CONVOLUTIONAL[self.size]), self.made(arm)),)

    def at(self, model: str, arm: str, training: Training, epsilon: float, **attack: float) -> Case:
        """A classifier of an arm under PGD at ε."""
        samples = {"objective": "misclassify", "half": "test", "n": 500, "steps": 100}
        return Case(
            model,
            {"data": self.set, "epsilon": epsilon},
            training,
            Attacking("pgd", None, samples | {"epsilon": epsilon} | attack),
            arm,
            "pgd",
            {"success_rate": "success_rate"},
            {name: name for name in ("noise_success_rate", "accuracy_clean", "accuracy_attacked", "n")},
        )


@register
class Figure3(Robustness):
    """Adversarial training with and without UAE."""

    name = "uae.figure3"
    title = "UAE, figure 3: adversarial training"
    summary = (
        "Success of PGD against ε on adversarially trained classifiers: alone, for equal steps, with noise"
        " and with UAE."
    )
    arms = ARMS
    about_published: ClassVar[str] = (
        "Published, in words alone: on MNIST at ε = 0.4 the success falls from 1.0 to at most 0.4 (?) with"
        " UAE; on CIFAR-10 at ε = 0.0627 it is lower by 0.08 (?). No run stands beside them, and no control"
        " for equal steps. (?): a published value that cannot be taken as it stands."
    )
    place = 7
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "Augmentation with UAE makes adversarial training more robust",
            "success_rate",
            {"arm": "original"},
            [{"arm": "uae"}],
        ),
        Claim(
            "Control: more than training on the originals for as many steps",
            "success_rate",
            {"arm": "equal_steps"},
            [{"arm": "uae"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Arm by arm, ε by ε."""
        return [
            self.at("adversarial_classifier", arm, self._trained(arm), epsilon)
            for arm, epsilon in product(ARMS, EPSILONS)
        ]

    def _trained(self, arm: str) -> Training:
        times = 1 if arm == "original" else 2
        return self.classifier(times, *self.appended(arm), model="adversarial_classifier")
