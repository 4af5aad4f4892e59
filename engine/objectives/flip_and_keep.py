"""`flip_and_keep`: another assignment, the same picture. An objective on the embedding, for attacks that move
it.

    f(z') = −[ λ_r ‖G(z + η) − G(z' + η)‖² + ν̄ ⟨C(z), C(z')⟩ + ‖z' − z‖² ],    ν̄ = 1000 ν

The public code sums the agreement over a batch of 1,000 and takes means of the rest, so its ν = 0.04 weighs
40 on a mean; ν is given in its units. η is the draw of the autoencoder, the same on both sides, and zero
where the attack is judged. Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep
clustering", NeurIPS 2020 (as in its public code).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.outputs import Outputs
from engine.models.protocols import Decodes, Encodes, Scales, check_abilities, require
from engine.nets.layers import float32
from engine.objectives.protocols import LatentObjective, ObjectiveSettings, cluster_changed
from engine.registry import register
from engine.settings import knob

PUBLISHED_BATCH = 1000
"""Samples over which the public code sums the agreement."""
PUBLISHED_NU, PUBLISHED_SIZE = 0.04, 784
"""ν of the public code, for MNIST; for samples of other sizes it grows with their numbers, as the
reconstruction's term is a sum over them.
"""
SMALL_NU, SMALL_SIZE = 0.01, 200
"""Samples of fewer numbers get SMALL_NU: about half of the digits flip there; by the rule it would be 0.003,
which hardly flips any.
"""


@register
class FlipAndKeep(ObjectiveSettings):
    """Flip the assignment, keep the reconstruction."""

    name: ClassVar[str] = "flip_and_keep"
    title: ClassVar[str] = "Flip, and keep the picture"
    summary: ClassVar[str] = (
        "The assignment of the moved embedding disagrees with the clean one, while what is decoded from it"
        " stays as it was."
    )
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020 (as in its public code)"
    equation: ClassVar[str] = (
        r"-\lambda_r \lVert G(z) - G(z') \rVert^2 - \bar\nu\, \langle C(z), C(z') \rangle - \lVert z' - z"
        r" \rVert^2"
    )
    needs: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "reconstructs", "decodes")
    success: ClassVar[str] = "leaves {own}"
    space: ClassVar[str] = "embedding"

    nu: float | None = knob(
        None,
        "Weight of the disagreement",
        "In the paper's units: 1,000 times as much on the mean. None: 0.04 as published for 28x28, in "
        "proportion for larger samples; 0.01 for those of fewer than 200 numbers (8x8).",
        symbol="ν",
        source="the public code; Feint for small images",
        ge=0,
        le=100,
    )
    weight: float = knob(
        2.5,
        "Weight of the picture",
        "Of the squared change of the reconstruction, summed over the numbers of a sample.",
        symbol="λ_r",
        source="the public code",
        ge=0,
        le=1e6,
        advanced=True,
    )

    def weight_of(self, size: int) -> float:
        """ν for samples of `size` numbers."""
        return (
            self.nu
            if self.nu is not None
            else SMALL_NU
            if size < SMALL_SIZE
            else PUBLISHED_NU * size / PUBLISHED_SIZE
        )

    def bind(self, model: nn.Module, clean: Views, labels: Tensor | None = None) -> LatentObjective:
        """The objective for these clean samples. Raises AbilityError where the model cannot be asked about
        embeddings.
        """
        return self.over_weight(model, clean, self.weight_of(clean.flat().shape[1]))

    def over_weight(self, model: nn.Module, clean: Views, nu: float | Tensor) -> LatentObjective:
        """The same with this ν, or with one for each sample (n,)."""
        check_abilities(model, self.needs, self.name)
        encoder, heads = require(model, Encodes, self.name), require(model, Decodes, self.name)
        nu_bar = PUBLISHED_BATCH * nu
        scale = model.scale if isinstance(model, Scales) else 1.0
        with torch.no_grad():
            z, spread = float32(encoder.encode(clean)), float32(heads.spread(clean))
            y = heads.log_assign_embedding(z).float().exp()
            still = heads.decode(z) * scale

        def value(rows: Tensor, picture: Tensor, eta: Tensor | float) -> Tensor:
            changed = (heads.decode(rows + eta) * scale - picture).square().sum(1)
            agreed = (heads.log_assign_embedding(rows).float().exp() * y).sum(1)
            return -(self.weight * changed + nu_bar * agreed + (rows - z).square().sum(1))

        def drawn(rows: Tensor, eta: Tensor) -> Tensor:
            with torch.no_grad():
                picture = heads.decode(z + eta) * scale
            return value(rows, picture, eta)

        return LatentObjective(lambda rows: value(rows, still, 0.0), z=z, spread=spread, drawn=drawn)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the cluster is another one than before."""
        return cluster_changed(before, after)
