"""Unsupervised adversarial examples, section B.10: does a second round of augmentation add to the first?"""

from dataclasses import replace
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Appended, Case
from engine.studies.uae import LONGER, STEPS, TITLES, TRAINED, UAEStudy, less_error

MODEL = "sparse_ae"
AGAIN = 1.5
"""How many times as many steps a second round takes as the first: three times the samples, and not twice."""


@register
class SecondRound(UAEStudy):
    """The originals with the UAE of a model, and with those of the augmented model too."""

    name = "uae.second_round"
    title = "UAE, a second round"
    summary = (
        "A sparse autoencoder with the UAE of the original model, and with those of the augmented one too:"
        " each beside trainings of equal steps."
    )
    protocol = TRAINED.format(
        "those of the first round for 3.2 times the steps of the original, as published, those of the second"
        " for half as many again, which is Feint's choice, for three times the samples in place of twice"
    )
    figure = "test_errors"
    baseline = "equal_steps_2"
    defences = ("uae_once", "uae_2")
    arms = dict(TITLES) | {
        "uae_once": "and UAE, for the steps of the second round",
        "uae_2": "and UAE, two rounds",
        "equal_steps_2": "original, for the steps of the second round",
    }
    place = 6
    version: ClassVar[int] = 2  # beside the second round stands the second round's attack
    claims: ClassVar[tuple[Claim, ...]] = (
        less_error("A second round of UAE lowers the test error further", "uae", "uae_2"),
        less_error("Control: more than one round for as many steps", "uae_once", "uae_2"),
        less_error(
            "Control: more than training on the originals for as many steps", "equal_steps_2", "uae_2"
        ),
    )

    def cases(self) -> list[Case]:
        """The originals, the first round, the second, and their controls."""
        steps = round(STEPS[self.size][MODEL] * LONGER[MODEL] * AGAIN)
        first = Appended(self.original(MODEL), self.uae())
        once = self.longer(MODEL, first)
        second = Appended(once, self.uae())
        trained = {
            "original": self.original(MODEL),
            "equal_steps": self.longer(MODEL),
            "uae": once,
            "equal_steps_2": self.training(MODEL, steps),
            "uae_once": self.training(MODEL, steps, first),
            "uae_2": self.training(MODEL, steps, first, second),
        }
        return [
            replace(self.row(MODEL, arm, training, published_for="svhn"), **self._published(arm))
            for arm, training in trained.items()
        ]

    def _published(self, arm: str) -> dict[str, Any]:
        rounds = {"uae": 1, "uae_2": 2}
        if arm not in rounds:
            return {}
        return self.beside("second_round", "reconstruction_mse_test", round=rounds[arm])
