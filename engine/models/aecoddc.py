"""AECoDDC: CoMVC with a decoder for each view.

    L = L1 + L2 + L3 + 0.1 · L_CL + 1 · Σ_v mean (x^v − x̂^v)²        (first without L1, L2, L3)

Source: Trosten et al., "On the effects of self-supervision and contrastive alignment in deep multi-view
clustering", CVPR 2023.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.declared import Curve
from engine.models.multiview import SMALL, MultiView, clustering, seen
from engine.models.state import State
from engine.nets.ddc import contrast
from engine.nets.layers import float32
from engine.nets.views import MultiViewNet, decoder
from engine.registry import register
from engine.settings import knob


class ReconstructingNet(MultiViewNet):
    """A multi-view network with a decoder for each view, which also reconstructs."""

    def __init__(
        self, shapes: tuple[tuple[int, ...], ...], clusters: int, width: int, rng: torch.Generator
    ) -> None:
        super().__init__(shapes, clusters, width, rng)
        self.decoders = nn.ModuleList(decoder(shape, width, rng) for shape in shapes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def decoded(self, z: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """x̂ of each view from its own embedding, float32."""
        return tuple(float32(decode(part)) for decode, part in zip(self.decoders, z, strict=True))

    def reconstruct(self, x: Views) -> Tensor:
        """x̂ of all views, flat: (n, d)."""
        return Views(self.decoded(self.views(x))).flat()


@register
class AECoDDC(MultiView):
    """Settings of AECoDDC."""

    name: ClassVar[str] = "aecoddc"
    title: ClassVar[str] = "AECoDDC"
    source: ClassVar[str] = "Trosten, Løkse, Jenssen and Kampffmeyer, CVPR 2023 (arXiv 2303.09877)"
    equation: ClassVar[str] = r"L = L_1 + L_2 + L_3 + 0.1\, L_{CL} + \sum_v \mathrm{mean}\,(x^v - \hat x^v)^2"
    summary: ClassVar[str] = (
        "As CoMVC, and each view's embedding must also hold what its picture needs to be drawn again."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "fuses", "reconstructs")
    curves: ClassVar[tuple[Curve, ...]] = (*MultiView.curves, Curve("reconstruction", "reconstruction"))
    presets = {name: values | {"pretraining": values["epochs"] // 3} for name, values in SMALL.items()}

    contrast: float = knob(
        0.1, "Weight of the contrast", "How much the views are aligned.", source="DeepMVC", ge=0, le=100
    )
    reconstruction: float = knob(
        1.0,
        "Weight of the reconstruction",
        "How much each view must be drawn again.",
        source="DeepMVC",
        ge=0,
        le=100,
    )
    pretraining: int = knob(
        20,
        "Epochs before clustering",
        "Alignment and reconstruction alone; then Adam begins anew.",
        source="AR-DMVC's code",
        ge=0,
        le=1000,
    )

    def drawn(self, shapes: tuple[tuple[int, ...], ...], clusters: int, rng: torch.Generator) -> MultiViewNet:
        """The network with its decoders."""
        return ReconstructingNet(shapes, clusters, self.width, rng)

    @property
    def passes(self) -> int:
        """Epochs of both phases."""
        return self.epochs + self.pretraining

    def losses(self, state: State, x: Views) -> Mapping[str, Tensor]:
        """Contrast and reconstruction; after the pretraining L1, L2 and L3 too."""
        z, h, assignment = seen(state, x)
        assert isinstance(state.model, ReconstructingNet)
        with state.how.autocast():
            drawn = state.model.decoded(z)
        errors = [F.mse_loss(one, other) for one, other in zip(drawn, x, strict=True)]
        parts = {
            "contrast": self.contrast * contrast(z),
            "reconstruction": self.reconstruction * torch.stack(errors).sum(),
        }
        return parts if state.counters["epoch"] < self.pretraining else clustering(h, assignment) | parts

    def begin(self, state: State) -> None:
        """Adam begins anew with the clustering."""
        if state.counters["epoch"] == self.pretraining:
            state.optimisers["network"] = torch.optim.Adam(state.model.parameters(), lr=self.rate, fused=True)
