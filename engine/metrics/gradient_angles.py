"""Feature Randomness and Feature Drift as angles between gradients of the whole encoder.

    Δ_FR = cos(∇_φ L_true, ∇_φ L_total),    Δ_FD = cos(∇_φ L_pseudo, ∇_φ L_self)

L_true is the cross-entropy of the soft assignment q with the Hungarian-matched true cluster, L_total what the
encoder descends (weights as trained), L_pseudo the clustering loss and L_self the regulariser. Only their
directions enter. Source: Mrabah, Bouguessa, Ksantini, "Adversarial Deep Embedded Clustering", 2019 (arXiv
1909.11832).

A stationary point of L_pseudo + L_self has Δ_FD = −1 whatever the data, so ‖∇L_total‖ stands beside it.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.metrics.clustering import matching
from engine.metrics.protocols import measure
from engine.registry import Metric, register_metric

CHUNK = 2048
ZERO = 1e-30
"""Norms below this have no direction. No larger: a saturated adversary's gradient is tiny, but its direction
counts.
"""
STATIONARY = 0.05
"""Below this share of the summed norms of its parts, the total gradient is what is left of their cancelling.
"""
_PAPER = "Mrabah, Bouguessa, Ksantini, 2019 (ADEC)"


class Probed(Protocol):
    """What is probed: a training state, or anything with an encoder and its losses."""

    @property
    def encoder(self) -> nn.Module: ...

    def losses(self, x: Views, index: Tensor) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Gradients:
    """Gradients of the whole encoder over n probed samples, a float64 vector for each loss, by its name;
    "weighted:NAME" is one as it is trained.
    """

    vectors: dict[str, Tensor]
    n: int

    @property
    def present(self) -> frozenset[str]:
        """The names of the losses, and "labels" where the supervised one is known."""
        return frozenset(self.vectors) | ({"labels"} if "true" in self.vectors else frozenset())

    def angle(self, first: str, second: str) -> float | None:
        """The cosine between two of them; None where there is no such loss or no direction."""
        if first not in self.vectors or second not in self.vectors:
            return None
        return cosine(self.vectors[first], self.vectors[second])

    def norm(self, name: str) -> float | None:
        """The length of one; None where there is no such loss."""
        return float(self.vectors[name].norm()) if name in self.vectors else None

    def norm_ratio(self) -> float | None:
        """Regulariser over clustering loss, both as trained; None where the latter has no gradient."""
        own, pseudo = self.norm("weighted:self"), self.norm("weighted:pseudo")
        return None if own is None or pseudo is None or pseudo <= ZERO else own / pseudo

    def near_stationary(self) -> float:
        """1 where the total is what is left of its parts' cancelling."""
        parts = [name for name in self.vectors if name.startswith("weighted:")]
        summed = sum(float(self.vectors[name].norm()) for name in parts)
        return float(float(self.vectors["total"].norm()) < STATIONARY * summed)

    def hypothetical(self) -> float:
        """1 where the regulariser is not part of what is trained."""
        return float("self" in self.vectors and "weighted:self" not in self.vectors)


def cosine(a: Tensor, b: Tensor) -> float | None:
    """⟨a, b⟩ / (‖a‖ ‖b‖) in float64, in [−1, 1]; None where a norm is below 1e-30."""
    norms = float(a.norm()), float(b.norm())
    if min(norms) < ZERO:
        return None
    return max(-1.0, min(1.0, float(torch.dot(a / norms[0], b / norms[1]))))


def supervised_targets(labels: np.ndarray, clusters: np.ndarray, k: int) -> np.ndarray:
    """π(y_i): the cluster that each sample's class is matched to on the whole set, (n,); -1 where its class
    has none.
    """
    mapping = matching(labels, clusters, k)
    of_class = np.full(int(labels.max()) + 1, -1, dtype=np.int64)
    of_class[mapping[mapping >= 0]] = np.flatnonzero(mapping >= 0)
    return of_class[labels]


def supervised_loss(q: Tensor, target: Tensor) -> Tensor:
    """−log q_{i, π(y_i)} as a sum over the samples that have a target: (). Equals KL(onehot ‖ q)."""
    known = target >= 0
    return -q[known].gather(1, target[known].unsqueeze(1)).log().sum()


def probe_angles(
    state: Probed, data: AtRest, labels: np.ndarray | None, clusters: np.ndarray, index: Tensor
) -> dict[str, float | None]:
    """Angles and norms over the samples at `index`, from full encoder gradients; {} where the method has no
    such losses.

    `labels` and `clusters` are those of the whole set (n,); without labels, what needs them is absent.
    Gradients are summed over chunks, never their cosines; no `.grad`, generator or optimiser is touched.
    """
    gradients = _gradients(state, data, labels, clusters, index)
    return measure("training", Gradients(gradients, len(index))).values if gradients else {}


def _gradients(
    state: Probed, data: AtRest, labels: np.ndarray | None, clusters: np.ndarray, index: Tensor
) -> dict[str, Tensor]:
    """Loss name -> its encoder gradient over all of `index`, one float64 vector each; the supervised loss is
    "true".
    """
    parameters = list(state.encoder.parameters())
    device = parameters[0].device
    summed: dict[str, Any] = defaultdict(float)
    targets: Tensor | None = None
    for part in index.split(CHUNK):
        losses = {
            name: value * (len(part) / len(index)) if name != "q" else value
            for name, value in state.losses(
                data.rows(part.to(data.tensors[0].device)).to(device), part
            ).items()
        }
        if not losses:
            return {}
        q = losses.pop("q")
        if labels is not None:
            if targets is None:
                targets = torch.from_numpy(supervised_targets(labels, clusters, q.shape[1]))
            known = max(int((targets[index.cpu()] >= 0).sum()), 1)
            losses["true"] = supervised_loss(q, targets[part.cpu()].to(device)) / known
        for name, loss in losses.items():
            summed[name] = summed[name] + _flat_gradient(loss, parameters)
    return dict(summed)


def _flat_gradient(loss: Tensor, parameters: list[nn.Parameter]) -> Tensor:
    gradients = torch.autograd.grad(
        loss, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.cat([gradient.flatten().double() for gradient in gradients])


register_metric(
    Metric(
        "delta_fr",
        "Δ_FR",
        "Cosine between the gradient of the true labels and what the encoder descends (Feature Randomness).",
        _PAPER,
        "cosine",
        labels=True,
        of="training",
        headline=1,
        measure=lambda seen: seen.angle("true", "total"),
    ),
    Metric(
        "delta_fd",
        "Δ_FD",
        "Cosine between the gradients of the clustering loss and the regulariser (Feature Drift).",
        _PAPER,
        "cosine",
        of="training",
        headline=2,
        measure=lambda seen: seen.angle("pseudo", "self"),
    ),
    Metric(
        "cos_sup_pseudo",
        "cos(∇true, ∇KL)",
        "Cosine between the gradients of the true labels and the pseudo-labels alone.",
        _PAPER,
        "cosine",
        labels=True,
        of="training",
        measure=lambda seen: seen.angle("true", "pseudo"),
    ),
    Metric(
        "norm_total",
        "‖∇total‖",
        "Norm of the gradient that the encoder descends.",
        _PAPER,
        "norm",
        of="training",
        measure=lambda seen: seen.norm("total"),
    ),
    Metric(
        "norm_pseudo",
        "‖∇KL‖",
        "Norm of the encoder's gradient of the clustering loss.",
        _PAPER,
        "norm",
        of="training",
        measure=lambda seen: seen.norm("pseudo"),
    ),
    Metric(
        "norm_self",
        "‖∇self‖",
        "Norm of the encoder's gradient of the regulariser, unweighted.",
        _PAPER,
        "norm",
        of="training",
        measure=lambda seen: seen.norm("self"),
    ),
    Metric(
        "norm_ratio",
        "‖∇self‖ / ‖∇KL‖",
        "Regulariser over clustering loss, norms of their gradients weighted as trained; above 2 the"
        " adversary rules.",
        _PAPER,
        "ratio",
        of="training",
        measure=Gradients.norm_ratio,
    ),
    Metric(
        "near_stationary",
        "Near-stationary",
        "1 where ‖∇total‖ is below 5 % of the summed norms of its weighted parts, so that Δ_FD tends to −1 by"
        " itself.",
        _PAPER,
        "0 or 1",
        of="training",
        measure=Gradients.near_stationary,
    ),
    Metric(
        "hypothetical",
        "Hypothetical Δ_FD",
        "1 where the regulariser that Δ_FD speaks of is not part of what is trained.",
        _PAPER,
        "0 or 1",
        of="training",
        measure=Gradients.hypothetical,
    ),
)
