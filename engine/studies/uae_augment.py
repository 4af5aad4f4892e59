"""Unsupervised adversarial examples: one autoencoder trained anew, arm by arm, as a page begins it."""

from typing import ClassVar, Literal

from engine.registry import register
from engine.settings import knob
from engine.studies.protocols import Case
from engine.studies.uae import UAEStudy

ARMS = ("original", "equal_steps", "noise_2", "l2", "uae")


@register
class Augment(UAEStudy):
    """What augmentation is worth to one autoencoder."""

    name = "uae.augment"
    title = "UAE: one autoencoder, augmented"
    summary = (
        "One autoencoder trained on the originals, on the originals for equal steps, and with noise, L2-UAE"
        " and UAE: errors of training and test rows. Its runs are those of table 7."
    )
    about_published = "Published values stand in table 7."
    figure = "test_errors"
    tab = "augment"
    baseline = "equal_steps"
    defences: ClassVar[tuple[str, ...]] = ("uae",)
    place = 99  # after what ships

    model: Literal["sparse_ae", "dense_ae", "plain_conv_ae", "adversarial_ae"] = knob(
        "dense_ae", "Autoencoder", "Its registered name."
    )

    def cases(self) -> list[Case]:
        """Arm by arm."""
        return [self.row(self.model, arm, self.of_arm(arm, self.model)) for arm in ARMS]
