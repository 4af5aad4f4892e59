"""Unsupervised adversarial examples, table 6: do UAE add to flips, rotations and noise?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Appended, Attacking, Case
from engine.studies.uae import CONVOLUTIONAL, EVERY, IN_PLACE, TITLES, TRAINED, UAEStudy, less_error

USUAL: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "flip_rotate": ("flip_rotate", {}),
    "noise": ("gaussian_noise", {"sigma": 0.01}),
    "flip_rotate_noise": ("flip_rotate", {"sigma": 0.01}),
    "noise_3": ("gaussian_noise", {"sigma": 0.001}),
}
"""Augmentation, as published -> attack that makes it, and its changed fields."""
WITH = "_uae"


@register
class Table6(UAEStudy):
    """An autoencoder with usual augmentations, alone and with UAE."""

    name = "uae.table6"
    title = "UAE, table 6: beside flips and rotations"
    summary = (
        "Test errors of one autoencoder trained with flips and rotations, with noise, or with both, each"
        " alone and with UAE, beside the originals for equal steps."
    )
    protocol = TRAINED.format("the original for a third of them, as published of MNIST") + (
        " Every training row is appended once as it was mirrored by chance, either way, and turned by at most"
        " 10 degrees, or with noise of σ = 0.01, or 0.001 where that is said; the UAE are those of the model"
        " so trained."
    )
    reduced: ClassVar[Mapping[str, str]] = dict(UAEStudy.reduced) | {
        "mini": UAEStudy.reduced["mini"] + IN_PLACE
    }
    figure = "test_errors"
    arms: ClassVar[Mapping[str, str]] = {
        "original": "original",
        "equal_steps": "original, for equal steps",
        "flip_rotate": "and flips, rotations",
        "flip_rotate_uae": "and flips, rotations, UAE",
        "noise": "and noise",
        "noise_uae": "and noise, UAE",
        "flip_rotate_noise": "and flips, rotations, noise",
        "flip_rotate_noise_uae": "and flips, rotations, noise, UAE",
        "noise_3": TITLES["noise_3"],
        "noise_3_uae": TITLES["noise_3"] + ", UAE",
    }
    axes: ClassVar[Mapping[str, str]] = dict(UAEStudy.axes) | {"augmentation": "augmentation"}
    baseline = "equal_steps"
    defences = tuple(name + WITH for name in USUAL)
    against = {name + WITH: name for name in USUAL}
    place = 4
    version: ClassVar[int] = 2  # noise of σ = 0.001, too
    claims: ClassVar[tuple[Claim, ...]] = (
        less_error(
            "With UAE the test error is below that of flips and rotations alone",
            "flip_rotate",
            "flip_rotate_uae",
        ),
        less_error("With UAE the test error is below that of noise alone", "noise", "noise_uae"),
        less_error(
            "With UAE the test error is below that of flips, rotations and noise alone",
            "flip_rotate_noise",
            "flip_rotate_noise_uae",
        ),
    )

    def cases(self) -> list[Case]:
        """The originals, then each augmentation, alone and with UAE; beside what was published of SVHN."""
        model = CONVOLUTIONAL[self.size]
        rows = [self.row(model, arm, self.of_arm(arm, model)) for arm in ("original", "equal_steps")]
        for name, (attack, changes) in USUAL.items():
            usual = Appended(self.original(model), Attacking(attack, None, {**EVERY, **changes}))
            alone = self.longer(model, usual)
            both = self.longer(model, usual, Appended(alone, self.uae()))
            for arm, published, training in (
                (name, "augmented", alone),
                (name + WITH, "augmented_uae", both),
            ):
                row = self.row(model, arm, training, published_for="svhn")
                found = self.beside("table6", "reconstruction_mse_test", augmentation=name, arm=published)
                rows.append(replace(row, **found))
        return rows
