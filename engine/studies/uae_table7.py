"""Unsupervised adversarial examples, table 7: augmentation beside training as long without it."""

from dataclasses import replace
from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Case
from engine.studies.uae import TITLES, UAEStudy, less_error

FEWER = ("original", "equal_steps", "noise_2", "l2", "uae")
"""The arms at the size mini."""


@register
class Table7(UAEStudy):
    """Errors of the autoencoders on training and test rows, arm by arm."""

    name = "uae.table7"
    title = "UAE, table 7: augmentation at equal steps"
    summary = (
        "Reconstruction errors of the autoencoders trained on the originals, on the originals for equal"
        " steps, and with noise, L2-UAE and UAE: training and test rows."
    )
    figure = "test_errors"
    baseline = "equal_steps"
    defences: ClassVar[tuple[str, ...]] = ("uae",)
    place = 1
    claims: ClassVar[tuple[Claim, ...]] = (
        less_error("Augmentation with UAE lowers the test error", "original"),
        less_error(
            "Control: it lowers it more than training on the originals for as many steps", "equal_steps"
        ),
        less_error("It lowers it more than augmentation with noise", "noise_2"),
        less_error("It lowers it more than augmentation with L2-UAE", "l2"),
    )

    def cases(self) -> list[Case]:
        """Model by model, arm by arm; then what was published about other data."""
        rows, taken = [], []
        for model, arm in product(self.models, FEWER if self.size == "mini" else TITLES):
            cell = {"model": model, "data": "mnist", "arm": arm}
            taken.append(cell)
            row = self.row(model, arm, self.of_arm(arm, model), published_for="mnist")
            rows.append(replace(row, **self.beside("table7", "reconstruction_mse_train", **cell)))
        return rows + self.alone("table7", taken, "reconstruction_mse_train")
