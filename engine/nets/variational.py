"""The variational autoencoder with a clustering head of robust deep clustering, for images and for vectors.

Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep clustering", NeurIPS 2020
(networks as in its public code).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import DataError
from engine.nets.layers import float32

SLOPE = 0.2


class ClusteringVAE(nn.Module):
    """encoder -> mean m and log-variance ℓ (n, m), decoder, head C (soft assignment of m), prior means
    `centres` (k, m).

    `scale` turns [0, 1] into the network's units. Encodes (m), clusters (C(m)), reconstructs (G(m)); its
    decoder and its head can be asked about any embedding.
    """

    def __init__(
        self,
        shape: Sequence[int],
        clusters: int,
        embedding: int,
        *,
        conv: bool,
        filters: Sequence[int],
        hidden: Sequence[int],
        head: Sequence[int],
        output: str,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        if conv:
            self.encoder, size = conv_encoder(shape, filters, rng)
            self.decoder = conv_decoder(shape, embedding, filters, rng)
        else:
            numbers = torch.Size(shape).numel()
            widths, size = [numbers, *hidden], hidden[-1]
            self.encoder = nn.Sequential(nn.Flatten(), *_stack(widths, rng))
            self.decoder = nn.Sequential(
                *_stack([embedding, *hidden[::-1]], rng), glorot(nn.Linear(hidden[0], numbers), rng)
            )
        self.mean, self.log_variance = (
            glorot(nn.Linear(size, embedding), rng),
            glorot(nn.Linear(size, embedding), rng),
        )
        self.head = nn.Sequential(
            *_stack([embedding, *head], rng, slope=0.0), glorot(nn.Linear(head[-1], clusters), rng)
        )
        self.centres = nn.Parameter(torch.zeros(clusters, embedding))
        self.output = output
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(()))

    def units(self, x: Views) -> Tensor:
        """x as the network sees it: (n, *shape)."""
        return x[0] * self.scale

    def moments(self, x: Views) -> tuple[Tensor, Tensor]:
        """m and ℓ of x: (n, m), (n, m), float32."""
        hidden = self.encoder(self.units(x))
        return float32(self.mean(hidden)), float32(self.log_variance(hidden))

    def generate(self, z: Tensor) -> Tensor:
        """x̂ of embeddings z (n, m) in the network's units, flat, float32: (n, d)."""
        raw = float32(self.decoder(z)).flatten(1)
        if self.output == "linear":
            return raw
        return torch.sigmoid(raw) if self.output == "sigmoid" else F.softplus(raw)

    def decode(self, z: Tensor) -> Tensor:
        """x̂ of embeddings z (n, m) in data units, flat: (n, d)."""
        return self.generate(z) / self.scale

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log C(z): (n, k)."""
        return F.log_softmax(float32(self.head(z)), dim=1)

    def spread(self, x: Views) -> Tensor:
        """Standard deviation e^{ℓ/2} of z given x: (n, m)."""
        return (0.5 * self.moments(x)[1]).exp()

    def head_gap(self, z: Tensor) -> Tensor:
        """How far C lies from what the prior means imply, at embeddings z (n, m): (n,) nats."""
        return head_gap(z, self.log_assign_embedding(z), self.centres)

    def encode(self, x: Views) -> Tensor:
        """The embedding m: (n, m)."""
        return self.moments(x)[0]

    def log_assign(self, x: Views) -> Tensor:
        """log C(m): (n, k)."""
        return self.log_assign_embedding(self.encode(x))

    def reconstruct(self, x: Views) -> Tensor:
        """G(m) in data units, flat: (n, d)."""
        return self.decode(self.encode(x))


def head_gap(m: Tensor, log_y: Tensor, means: Tensor) -> Tensor:
    """KL of C(m) from softmax(−½‖m − μ_k‖²), which is the best assignment for these means: (n,)."""
    squared = torch.cdist(m, means, compute_mode="donot_use_mm_for_euclid_dist").square()
    return (log_y.exp() * (log_y - F.log_softmax(-0.5 * squared, dim=1))).sum(1)


def glorot(layer: nn.Module, rng: torch.Generator) -> nn.Module:
    """The layer with weights U(±√(6 / (fan_in + fan_out))) and biases 0."""
    assert isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    field = layer.weight[0, 0].numel() if layer.weight.ndim > 2 else 1
    bound = (6 / ((layer.weight.shape[0] + layer.weight.shape[1]) * field)) ** 0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=rng)
        assert layer.bias is not None
        layer.bias.zero_()
    return layer


def critic(size: int, widths: Sequence[int], rng: torch.Generator) -> nn.Sequential:
    """ReLU layers of these widths and a logit: (n, size) -> (n, 1)."""
    return nn.Sequential(*_stack([size, *widths], rng, slope=0.0), glorot(nn.Linear(widths[-1], 1), rng))


def perturber(
    size: int, widths: Sequence[int], embedding: int, relu: bool, rng: torch.Generator
) -> nn.Sequential:
    """A: a flat sample to a shift of its embedding, (n, size) -> (n, m); affine unless `relu`."""
    layers: list[nn.Module] = []
    inputs = size
    for width in widths:
        layers += [glorot(nn.Linear(inputs, width), rng), *([nn.ReLU()] if relu else [])]
        inputs = width
    return nn.Sequential(*layers, glorot(nn.Linear(inputs, embedding), rng))


def conv_encoder(
    shape: Sequence[int], filters: Sequence[int], rng: torch.Generator
) -> tuple[nn.Sequential, int]:
    """Two strided convolutions, each followed by a plain one, then flat; and its number of features."""
    (channels, height, width), (first, second) = _image(shape), filters
    layers: list[nn.Module] = []
    for inputs, outputs, stride in (
        (channels, first, 2),
        (first, first, 1),
        (first, second, 2),
        (second, second, 1),
    ):
        layers += [glorot(nn.Conv2d(inputs, outputs, 3, stride, padding=1), rng), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Flatten()), second * _half(_half(height)) * _half(_half(width))


def conv_decoder(
    shape: Sequence[int], embedding: int, filters: Sequence[int], rng: torch.Generator
) -> nn.Sequential:
    """The encoder's mirror, without a last nonlinearity."""
    (channels, height, width), (first, second) = _image(shape), filters
    small = (_half(_half(height)), _half(_half(width)))

    def up(inputs: int, outputs: int, sides: tuple[int, int] | None) -> list[nn.Module]:
        if sides is None:
            layer = nn.ConvTranspose2d(inputs, outputs, 3, 1, padding=1)
        else:
            height, width = (1 - side % 2 for side in sides)
            layer = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=(height, width))
        return [glorot(layer, rng), nn.LeakyReLU(SLOPE)]

    return nn.Sequential(
        glorot(nn.Linear(embedding, second * small[0] * small[1]), rng),
        nn.Unflatten(1, (second, *small)),
        *up(second, second, None),
        *up(second, second, (_half(height), _half(width))),
        *up(second, first, None),
        *up(first, first, (height, width)),
        glorot(nn.ConvTranspose2d(first, channels, 3, 1, padding=1), rng),
    )


def _half(side: int) -> int:
    return (side + 1) // 2


def _image(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape[1:]) < 4:
        raise DataError(
            f"Convolutions need images (C, H, W) of at least 4x4; a sample has the shape {tuple(shape)}. Use"
            " form dense."
        )
    return shape[0], shape[1], shape[2]


def _stack(widths: Sequence[int], rng: torch.Generator, slope: float = SLOPE) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
        layers += [glorot(nn.Linear(inputs, outputs), rng), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return layers
