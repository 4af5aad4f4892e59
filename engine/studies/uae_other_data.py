"""Unsupervised adversarial examples on other data: pictures of objects and of clothes, and tables whose
features are chosen.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Appended, Case, Training
from engine.studies.uae import LONGER, TRAINED, UAEStudy
from engine.studies.uae_table7 import FEWER, Table7

ON: Mapping[str, Mapping[str, tuple[str, str | None, int]]] = {
    "quick": {"digits": ("concrete_ae", "quick", 2320)},
    "mini": {
        "coil20": ("dense_ae", None, 600),
        "mice_protein": ("concrete_ae", "mice_protein", 2400),
        "fashion_mnist_mini": ("dense_ae", None, 600),
        "isolet": ("concrete_ae", "isolet", 2400),
    },
    "paper": {"fashion_mnist": ("dense_ae", None, 12_000), "isolet": ("concrete_ae", "isolet", 9_600)},
}
"""Size -> data -> autoencoder, preset, and steps of the original."""
FEATURES = {"accuracy_features": "accuracy_features", "features_unique": "features_unique"}


def better_features(says: str, control: str) -> Claim:
    """That the features chosen with UAE tell more than those of another arm."""
    return Claim(says, "accuracy_features", {"arm": "uae"}, [{"arm": control}])


@register
class OtherData(UAEStudy):
    """Table 7 on data that it does not have."""

    name = "uae.other_data"
    title = "UAE on other data"
    summary = (
        "A dense autoencoder on pictures of objects and of clothes, and a concrete one, which chooses"
        " features, on tables of proteins and of spoken letters: trained on the originals, for equal steps,"
        " and with noise, L2-UAE and UAE."
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
            "720 training and 720 test views of COIL-20, 32x32; 1,000 and 2,000 test images of Fashion-MNIST;"
            " 870 and 210 rows of Mice Protein, of which 10 of 77 features are chosen, and 6,238 and 1,559 of"
            " ISOLET, of which 50 of 617 are. K = 64 pairs of 32 numbers, the collapsed network of MINE by"
            " Adam 0.001 in 5 steps."
        ),
        "paper": "Fashion-MNIST and ISOLET; MINE as in the code: K = 500 projections, the wide network.",
    }
    about_published = "The tables of the paper's main part are not here: nothing published stands beside."
    measured_on = {
        "quick": "digits, 8x8",
        "mini": "COIL-20, Fashion-MNIST, Mice Protein, ISOLET",
        "paper": "Fashion-MNIST and ISOLET",
    }
    figure = "test_errors"
    version: ClassVar[int] = 2  # Fashion-MNIST and ISOLET, too
    baseline = "equal_steps"
    defences: ClassVar[tuple[str, ...]] = ("uae",)
    place = 9
    claims: ClassVar[tuple[Claim, ...]] = (
        *Table7.claims,
        better_features("Augmentation with UAE leads to better selected features", "original"),
        better_features(
            "Control: to better ones than training on the originals for as many steps", "equal_steps"
        ),
    )

    def cases(self) -> list[Case]:
        """Data by data, arm by arm."""
        return [self._case(data, arm) for data, arm in product(ON[self.size], FEWER)]

    def _case(self, data: str, arm: str) -> Case:
        model = ON[self.size][data][0]
        row = self.row(model, arm, self.of_arm(arm, data), data=data)
        return replace(row, controls=FEATURES) if model == "concrete_ae" else row

    def original(self, which: str, **changes: Any) -> Training:
        """The model of these data, trained on the originals."""
        return self.training(which, ON[self.size][which][2], **changes)

    def longer(self, which: str, *appended: Appended, **changes: Any) -> Training:
        """The same for the steps of the augmented trainings, with what is appended."""
        model, _, steps = ON[self.size][which]
        return self.training(which, round(steps * LONGER[model]), *appended, **changes)

    def training(self, which: str, steps: int, *appended: Appended, **changes: Any) -> Training:
        """The model of these data, trained for so many steps."""
        model, preset, _ = ON[self.size][which]
        return Training(model, which, preset, {"steps": steps} | changes, appended)
