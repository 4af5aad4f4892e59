"""Unsupervised adversarial examples on other data: pictures of objects, and a table whose features are
chosen.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.protocols import Appended, Case, Training
from engine.studies.uae import LONGER, TRAINED, UAEStudy
from engine.studies.uae_table7 import FEWER

ON: Mapping[str, Mapping[str, tuple[str, str | None, int]]] = {
    "quick": {"concrete_ae": ("digits", "quick", 2320)},
    "mini": {"dense_ae": ("coil20", None, 600), "concrete_ae": ("mice_protein", "mice_protein", 2400)},
    "paper": {"dense_ae": ("fashion_mnist", None, 12_000), "concrete_ae": ("isolet", "isolet", 9_600)},
}
"""Size -> autoencoder -> data, preset, and steps of the original."""
FEATURES = {"accuracy_features": "accuracy_features", "features_unique": "features_unique"}


@register
class OtherData(UAEStudy):
    """Table 7 on data that it does not have."""

    name = "uae.other_data"
    title = "UAE on other data"
    summary = (
        "A dense autoencoder on pictures of objects, and a concrete one, which chooses features, on a table:"
        " trained on the originals, for equal steps, and with noise, L2-UAE and UAE."
    )
    protocol = TRAINED.format(
        "the original of the dense autoencoder for a third of them, as published of MNIST, that of the"
        " concrete one for half"
    ) + (
        " Of features that were chosen: the accuracy of extremely randomised trees, fitted to the training"
        " rows and asked on test rows."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": (
            "898 and 899 digits of 8x8, of which 10 of 64 numbers are chosen. K = 96 pairs of 16 numbers, the"
            " collapsed network of MINE by Adam 0.001 in 5 steps."
        ),
        "mini": (
            "720 training and 720 test views of COIL-20, 32x32; 870 and 210 rows of Mice Protein, of which 10"
            " of 77 features are chosen. K = 64 pairs of 32 numbers, the collapsed network of MINE by Adam"
            " 0.001 in 5 steps."
        ),
        "paper": "Fashion-MNIST and ISOLET; MINE as in the code: K = 500 projections, the wide network.",
    }
    about_published = "The tables of the paper's main part are not here: nothing published stands beside."
    measured_on = {
        "quick": "digits, 8x8",
        "mini": "COIL-20 and Mice Protein",
        "paper": "Fashion-MNIST and ISOLET",
    }
    figure = "test_errors"
    baseline = "equal_steps"
    defences: ClassVar[tuple[str, ...]] = ("uae",)
    place = 9

    def cases(self) -> list[Case]:
        """Model by model, arm by arm."""
        return [self._case(model, arm) for model, arm in product(ON[self.size], FEWER)]

    def _case(self, model: str, arm: str) -> Case:
        row = self.row(model, arm, self.of_arm(arm, model), data=ON[self.size][model][0])
        return replace(row, controls=FEATURES) if model == "concrete_ae" else row

    def original(self, model: str, **changes: Any) -> Training:
        """A model trained on the originals."""
        return self.training(model, ON[self.size][model][2], **changes)

    def longer(self, model: str, *appended: Appended, **changes: Any) -> Training:
        """The same for the steps of the augmented trainings, with what is appended."""
        return self.training(model, round(ON[self.size][model][2] * LONGER[model]), *appended, **changes)

    def training(self, model: str, steps: int, *appended: Appended, **changes: Any) -> Training:
        """A model trained for so many steps on its data."""
        data, preset, _ = ON[self.size][model]
        return Training(model, data, preset, {"steps": steps} | changes, appended)
