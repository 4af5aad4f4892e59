"""Unsupervised adversarial examples, table 8: do the attack's steps matter to augmentation?"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Appended, Case
from engine.studies.uae import TRAINED, UAEStudy

ALPHAS, BETAS = (0.01, 0.05), (0.05, 0.1, 0.5)
USUAL = {"arm": "uae", "alpha": 0.01, "beta": 0.1}
"""The steps of all other studies."""
MODELS = ("plain_conv_ae", "concrete_ae")
"""As the table orders them; at mini the second alone, so that three seeds take minutes."""


@register
class Table8(UAEStudy):
    """Test errors of models augmented by attacks of several steps."""

    name = "uae.table8"
    title = "UAE, table 8: α and β"
    summary = (
        "Test errors of autoencoders that were augmented with UAE of several steps α of the sample and β of"
        " the price, beside the originals for equal steps."
    )
    protocol = TRAINED.format(
        "the original of the convolutional autoencoder for a third of them, as published, that of the"
        " concrete one for half, which is as many epochs"
    )
    reduced: ClassVar[Mapping[str, str]] = dict(UAEStudy.reduced) | {
        "mini": UAEStudy.reduced["mini"] + " The convolutional autoencoder is left out."
    }
    place = 5
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "The attack's steps α and β hardly matter: with others the test error differs by at most 5 %",
            "reconstruction_mse_test",
            USUAL,
            [{"alpha": alpha, "beta": beta} for alpha, beta in product(ALPHAS, BETAS)],
            within=0.05,
            relative=True,
        ),
    )

    def cases(self) -> list[Case]:
        """Model by model: the control, then α by α and β by β."""
        rows = []
        for model in MODELS if self.size != "mini" else MODELS[1:]:
            rows += [self.row(model, arm, self.of_arm(arm, model)) for arm in ("original", "equal_steps")]
            for alpha, beta in product(ALPHAS, BETAS):
                made = Appended(self.original(model), self.uae(step_size=alpha, dual_step=beta))
                row = self.row(model, "uae", self.longer(model, made), alpha=alpha, beta=beta)
                where = {"model": model, "alpha": alpha, "beta": beta}
                rows.append(replace(row, **self.beside("table8", "reconstruction_mse_test", **where)))
        return rows
