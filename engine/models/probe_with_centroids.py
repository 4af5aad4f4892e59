"""Linear probe with centroids: a probe on an encoder whose embedding is sorted among centroids, so that what
is done to the clusters can be judged by the classes.

Its base is a run that compares (`spherical_k_means`, `ncp_acl` …), whose centroids it keeps; the layer is
that of `linear_probe`. An attack that chases a neighbouring cluster knows no label; `mistaken_rate` and
`probability_lost` say what it does to a classifier on the same encoder: the proof of concept (table 1) of
"Cluster-driven adversarial perturbations for robust contrastive learning", anonymous submission. A study has
it as `Training("probe_with_centroids", data, base=Training("spherical_k_means", data, base=...))`, attacked
by `pgd` for `chase_neighbour`, and by `noise` with drawn="ball" or "rim".
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from engine.data.views import Views
from engine.models.linear_probe import LinearProbe, Probe
from engine.models.protocols import Clusters, Compares, require
from engine.models.spherical_k_means import SphericalKMeans
from engine.nets.dual_norm import reading
from engine.registry import register
from engine.settings import knob


class ProbeWithCentroids(Probe):
    """A probe that clusters and compares as its encoder does. Raises AbilityError for one that does not."""

    def __init__(self, encoder: nn.Module, *rest: Any) -> None:
        require(encoder, Compares, "probe_with_centroids")
        super().__init__(encoder, *rest)

    def log_assign(self, x: Views) -> Tensor:
        """log q of the encoder: (n, k)."""
        with reading(self.encoder, self.branch):
            return require(self.encoder, Clusters, "probe_with_centroids").log_assign(x)

    def centroids(self) -> Tensor:
        """The encoder's unit centroids: (k, m)."""
        return require(self.encoder, Compares, "probe_with_centroids").centroids()


@register
class LinearProbeWithCentroids(LinearProbe):
    """Settings of the probe, and of the encoder with centroids that it reads."""

    name: ClassVar[str] = "probe_with_centroids"
    title: ClassVar[str] = "Linear probe with centroids"
    summary: ClassVar[str] = (
        "A linear probe on an encoder that sorts by centroids: what moves a sample between clusters is judged"
        " by the classes."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "classifies", "compares")
    fits: ClassVar[Mapping[str, str]] = SphericalKMeans.fits
    presets = {
        name: {"encoder": "spherical_k_means", "encoder_settings": values}
        for name, values in SphericalKMeans.presets.items()
    }
    network_kind: ClassVar[type[Probe]] = ProbeWithCentroids

    encoder: str = knob(
        "spherical_k_means", "Encoder", "The registered name of a model that compares with centroids."
    )
