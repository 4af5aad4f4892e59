"""The fully connected autoencoder with centres that AE + k-means, ACAI, DEC*, IDEC* and ADEC share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.errors import DataError
from engine.nets.layers import float32, perceptron
from engine.nets.student_t import log_assignment


class ClusteringAutoencoder(nn.Module):
    """encoder d-hidden-m, mirrored decoder, `centres` (k, m), and `scale`, which turns [0, 1] into the
    paper's units.

    Encodes, clusters (Student-t of the centres), reconstructs; a linear end: x̂ may leave [0, 1].
    """

    def __init__(
        self, size: int, hidden: Sequence[int], embedding: int, clusters: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        widths = (size, *hidden, embedding)
        self.encoder = perceptron(widths, rng)
        self.decoder = perceptron(widths[::-1], rng)
        self.centres = nn.Parameter(torch.zeros(clusters, embedding))
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(()))

    def units(self, x: Views) -> Tensor:
        """x as the networks see it: (n, d), flat and scaled."""
        return x.flat() * self.scale

    def encode(self, x: Views) -> Tensor:
        """The embedding z: (n, m)."""
        return float32(self.encoder(self.units(x)))

    def log_assign(self, x: Views) -> Tensor:
        """log q of the centres: (n, k)."""
        return self.log_assign_embedding(self.encode(x))

    def reconstruct(self, x: Views) -> Tensor:
        """x̂ in data units, flat: (n, d)."""
        return self.decode(self.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """x̂ of embeddings z (n, m) in data units, flat: (n, d)."""
        return float32(self.decoder(z)) / self.scale

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log q of embeddings z (n, m): (n, k)."""
        return log_assignment(z, self.centres)

    def spread(self, x: Views) -> Tensor:
        """Nothing is drawn: zeros (n, m)."""
        return torch.zeros(x.n, self.centres.shape[1], device=self.centres.device)


def unit_scale(data: AtRest) -> Tensor:
    """What data must be multiplied by so that the mean of x² over samples and features is 1: ().

    Raises DataError where all numbers are zero.
    """
    squares = sum(float(chunk.flat().double().square().sum()) for chunk in data.chunks())
    if squares == 0:
        raise DataError(
            "Data must hold something other than zeros to be scaled to a mean square of 1; every number is 0."
            " Check the file."
        )
    return torch.tensor((squares / (len(data) * data.size)) ** -0.5)


@torch.no_grad()
def embed(model: ClusteringAutoencoder, data: AtRest) -> Tensor:
    """E(x) of the whole clean set in float32: (n, m)."""
    return torch.cat([model.encode(chunk) for chunk in data.chunks()])
