"""`dcn`: deep clustering network, a model in one file: k-means on the embedding while the autoencoder learns.

    min  Σ_i ‖x_i − G(E(x_i))‖² + (λ/2) ‖E(x_i) − M s_i‖²,    s_i one-hot

In turns: assignments s by the nearest centre; networks by a gradient step; each centre by
μ_k ← μ_k − (1/c_k) (μ_k − z_i), with c_k the samples it has been given so far.

| symbol | name | shape |
|---|---|---|
| z = E(x) | embedding | (b, m) |
| M = (μ_1 … μ_k) | centres | (k, m) |
| c | counts | (k,) |

Source: Yang, Fu, Sidiropoulos and Hong, "Towards k-means-friendly spaces: simultaneous deep learning and
clustering", ICML 2017, arXiv:1610.04794, eqs (5)-(8).
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.ae_kmeans import AEKMeans
from engine.models.declared import Curve, Family
from engine.models.pace import Pace, descend, numbers
from engine.models.pretraining import autoencoder_of
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.autoencoder import ClusteringAutoencoder
from engine.nets.layers import float32
from engine.nets.student_t import squared_distances
from engine.registry import register
from engine.settings import knob


@register
class DCN(ModelSettings):
    """Settings of DCN."""

    name: ClassVar[str] = "dcn"
    title: ClassVar[str] = "DCN"
    source: ClassVar[str] = "Yang, Fu, Sidiropoulos and Hong, ICML 2017, arXiv:1610.04794"
    equation: ClassVar[str] = r"\sum_i \|x_i - G(E(x_i))\|^2 + \tfrac{\lambda}{2} \|E(x_i) - M s_i\|^2"
    summary: ClassVar[str] = "k-means and the autoencoder learn in turns, so that k-means fits the embedding."
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "reconstructs", "decodes")
    family: ClassVar[Family] = Family("Deep clustering", "Models that sort images without labels.")
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("copying", "copying, ‖x − G(z)‖²"),
        Curve("k_means_gap", "k-means, ‖z − M s‖²"),
    )
    presets = {"quick": {"base": AEKMeans.presets["quick"], "iterations": 1000, "evaluate_every": 100}}

    base: AEKMeans = knob(AEKMeans(), "Base", "The autoencoder whose weights and centres it starts from.")
    weight: float = knob(0.5, "λ", "Weight of the k-means term.", symbol="λ", source="DCN, table 1", gt=0)
    iterations: int = knob(10_000, "Iterations", "Batches to train on.", ge=1, le=1_000_000, log=True)
    batch: int = knob(
        128, "Batch size", "Samples an iteration.", source="DCN's code", ge=2, le=8192, log=True
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", gt=0, le=1, log=True)
    evaluate_every: int = knob(500, "Iterations between evaluations", "Scores are taken.", ge=1, log=True)

    def bases(self) -> Mapping[str, ModelSettings]:
        """A plain autoencoder on the same data and seed."""
        return {"base": self.base}

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> ClusteringAutoencoder:
        """The base's network: clustering adds nothing to it."""
        return self.base.network(shapes, clusters)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """Fresh networks, one Adam for both, and a count for each centre."""
        state = State(self.base.drawn(data.size, clusters, rng).to(how.device), rng, how)
        model = autoencoder_of(state)
        weights = [*model.encoder.parameters(), *model.decoder.parameters()]
        state.optimisers["autoencoder"] = torch.optim.Adam(weights, lr=self.rate, fused=True)
        state.tensors["counts"] = torch.full((clusters,), 100.0, device=how.device)  # as in DCN's code
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The base's weights, scale and centres."""
        state.model.load_state_dict(bases["base"].state_dict())

    def update(self, state: State, x: Tensor) -> dict[str, Tensor]:
        """One turn on the scaled batch x (b, d): assignments, networks, centres."""
        model, counts = autoencoder_of(state), state.tensors["counts"]
        with state.how.autocast():
            z = float32(model.encoder(x))
            x_hat = float32(model.decoder(z))
        nearest = squared_distances(z.detach(), model.centres.detach()).argmin(dim=1)  # (b,)
        copying = F.mse_loss(x_hat, x)
        gap = (z - model.centres.detach()[nearest]).square().sum(dim=1).mean()
        descend(state.optimisers["autoencoder"], copying + self.weight / 2 * gap)
        with torch.no_grad():
            for point, k in zip(z, nearest.tolist(), strict=True):
                counts[k] += 1
                model.centres[k] -= (model.centres[k] - point) / counts[k]
        return {"copying": copying.detach(), "k_means_gap": gap.detach()}

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Take turns to the end, from wherever `state` is."""
        data, pace, model = data.to(state.how.device), Pace(), autoencoder_of(state)
        while state.step < self.iterations:
            index = torch.randint(len(data), (self.batch,), generator=state.rng).to(state.how.device)
            values = numbers(self.update(state, model.units(data.rows(index))))
            state.counters["step"] += 1
            if state.step % self.evaluate_every == 0 or state.step == self.iterations:
                yield Evaluate(step=state.step, total=self.iterations, values=values)
            elif pace.due():
                yield Progress(step=state.step, total=self.iterations, phase="clustering", values=values)
