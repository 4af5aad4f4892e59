"""Plain autoencoders: an encoder, a decoder, and what both are drawn with."""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.nets.layers import float32, undrawn

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


class PlainAutoencoder(nn.Module):
    """An encoder and a decoder, on flat samples or, where `images`, on pictures. Encodes and reconstructs.

    `first` are the layers of the encoder up to the ReLU of its first convolution, or 0 where it has none.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential, images: bool = False) -> None:
        super().__init__()
        self.encoder, self.decoder, self.images = encoder, decoder, images

    def seen(self, x: Views) -> Tensor:
        """x as the network sees it: (n, C, H, W), or flat (n, d)."""
        return seen(x, self.images)

    def encode(self, x: Views) -> Tensor:
        """The embedding z, flat: (n, m)."""
        return float32(self.encoder(self.seen(x))).flatten(1)

    def reconstruct(self, x: Views) -> Tensor:
        """x̂ in data units, flat: (n, d)."""
        return float32(self.decoder(self.encoder(self.seen(x)))).flatten(1)


class Selector(nn.Module):
    """k of d features, of which each is a mixture in training and one of them afterwards: (n, d) -> (n, k).

    In training the weights of a mixture are softmax((A + G) / τ) with one Gumbel matrix G for all rows of a
    batch; `temperature` is τ.
    """

    def __init__(self, size: int, k: int, temperature: float, rng: torch.Generator) -> None:
        super().__init__()
        drawn = torch.empty(k, size).normal_(0, math.sqrt(2 / (size + k)), generator=rng)  # Glorot normal
        self.logits, self.rng = nn.Parameter(drawn), rng
        self.temperature: Tensor
        self.register_buffer("temperature", torch.tensor(temperature))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weights().T.to(x.dtype)

    def weights(self) -> Tensor:
        """(k, d), rows that add up to one: mixtures drawn anew in training, else exactly one feature each."""
        if not self.training:
            return nn.functional.one_hot(self.logits.argmax(dim=1), self.logits.shape[1]).float()
        uniform = torch.rand(self.logits.shape, generator=self.rng).clamp(1e-7, 1 - 1e-7)
        gumbel = -torch.log(-torch.log(uniform)).to(self.logits.device)
        return ((self.logits + gumbel) / self.temperature).softmax(dim=1)

    @torch.no_grad()
    def certainty(self) -> float:
        """How decided it is: the largest weight of softmax(A), averaged over the k."""
        return float(self.logits.softmax(dim=1).amax(dim=1).mean())


class SelectingAutoencoder(PlainAutoencoder):
    """The same for flat samples, whose encoder only picks features."""

    def __init__(self, selector: Selector, decoder: nn.Sequential) -> None:
        super().__init__(nn.Sequential(selector), decoder)

    @property
    def selector(self) -> Selector:
        """What picks them."""
        (selector,) = self.encoder
        assert isinstance(selector, Selector)
        return selector

    def features(self) -> Tensor:
        """The numbers of the features that are picked: (k,) int64, repeats included."""
        return self.selector.logits.argmax(dim=1)


class ConvolvingAutoencoder(PlainAutoencoder):
    """The same for pictures, with maps of the first convolution."""

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__(encoder, decoder, images=True)

    def maps(self, x: Views) -> Tensor:
        """The first convolution's maps after its ReLU: (n, K, h, w)."""
        return float32(self.encoder[:2](self.seen(x)))


def seen(x: Views, images: bool) -> Tensor:
    """Samples as a network sees them: pictures (n, C, H, W), or flat (n, d)."""
    return x[0] if images else x.flat()


def glorot(layer: Layer, rng: torch.Generator) -> Layer:
    """The layer with weights drawn uniformly by Glorot and Bengio (2010), biases 0."""
    field = math.prod(layer.weight.shape[2:])
    inputs, outputs = layer.weight.shape[1] * field, layer.weight.shape[0] * field
    half = math.sqrt(6 / (inputs + outputs))
    with torch.no_grad():
        layer.weight.uniform_(-half, half, generator=rng)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def dense(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """An affine layer by `glorot`."""
    return glorot(undrawn(nn.Linear, inputs, outputs), rng)


def convolution(inputs: int, outputs: int, side: int, rng: torch.Generator, pad: bool = True) -> nn.Conv2d:
    """A convolution of side x side by `glorot`; with `pad` it keeps height and width."""
    return glorot(undrawn(nn.Conv2d, inputs, outputs, side, padding=side // 2 if pad else 0), rng)
