"""Contrastive encoders: random views of pictures, the loss between them, and an encoder with its projection
head.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.nets.layers import float32


@dataclass(frozen=True)
class RandomViews:
    """Random crops, flips, colours and greys of pictures (n, C, H, W), for a whole batch on its device, by
    kornia.

    `crop` is the least share of the area that a crop keeps, `strength` that of the jitter of colours
    (brightness and contrast alone for grey pictures); `jitter`, `grey`, `flip` and `blur` say how often these
    happen.
    What is drawn can be kept and used again; a gradient flows through it. Where `shared`, all pictures of a
    batch are seen alike, however many they are.
    """

    side: tuple[int, int]
    channels: int
    crop: float = 0.08
    flip: float = 0.5
    strength: float = 0.5
    grey: float = 0.2
    shared: bool = False
    jitter: float = 0.8
    blur: float = 0.0

    @cached_property
    def _steps(self) -> Any:
        import kornia.augmentation as kornia  # more than a second that inference does without

        s, colour = 0.8 * self.strength, float(self.channels == 3)
        steps = [
            kornia.RandomResizedCrop(self.side, scale=(self.crop, 1.0), cropping_mode="resample"),
            kornia.RandomHorizontalFlip(p=self.flip),
            kornia.ColorJiggle(s, s, s * colour, s / 4 * colour, p=self.jitter),
        ]
        if self.channels == 3:
            steps.append(kornia.RandomGrayscale(p=self.grey))
        if self.blur:
            size = min(self.side) // 20 * 2 + 1  # about a tenth of the side
            steps.append(kornia.RandomGaussianBlur((size, size), (0.1, 2.0), p=self.blur))
        return kornia.AugmentationSequential(
            *steps, data_keys=["input"], same_on_batch=True if self.shared else None
        )

    def draw(self, n: int, rng: torch.Generator) -> Any:
        """The numbers of one view of each of n pictures, to be handed to `seen`."""
        seed = int(torch.randint(2**62, (), generator=rng))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # kornia draws from the global one
            return self._steps.forward_parameters(torch.Size((n, self.channels, *self.side)))

    def seen(self, images: Float[Tensor, "n c h w"], drawn: Any) -> Float[Tensor, "n c h w"]:
        """The views with these numbers: (n, C, H, W), in [0, 1]."""
        views: Tensor = self._steps(images, params=drawn)
        return views.clamp(0, 1)


class Normalise(nn.Module):
    """Pictures less the mean of each channel, by its deviation, as the first layer of an encoder: so an
    attack's ε stays in pixels. (n, C, H, W) or flat (n, C · H · W) -> the same; as it is, until `like`.
    """

    mean: Tensor  # (C,)
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def like(self, data: AtRest) -> None:
        """Take both from pictures; a channel that is the same everywhere is not scaled."""
        sums, count = torch.zeros(2, len(self.mean), dtype=torch.float64), 0
        for views in data.chunks():
            pixels = views[0].double()
            sums += torch.stack([power.sum((0, 2, 3)) for power in (pixels, pixels.square())]).cpu()
            count += pixels[:, 0].numel()
        mean, square = sums / count
        deviation = (square - mean.square()).clamp_min(0).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            return self(x.unflatten(1, (len(self.mean), -1, 1))).flatten(1)  # type: ignore[no-any-return]
        return (x - self.mean[:, None, None]) / self.deviation[:, None, None]


class ContrastiveNetwork(nn.Module):
    """An encoder h = E(x) and a projection head g(h) (n, p), in which views are compared. Encodes.

    `views` makes the random views of its pictures, `temperature` is that of its loss.
    """

    def __init__(
        self,
        encoder: nn.Sequential,
        projection: nn.Sequential,
        views: RandomViews,
        temperature: float,
        flat: bool = False,
    ) -> None:
        super().__init__()
        self.encoder, self.projection = encoder, projection
        self.views, self.temperature, self.flat = views, temperature, flat
        self.others: Tensor | None = None

    def remember(self, x: Views) -> None:
        """Other pictures, that a sample's views can be told from; they are no part of what was trained."""
        self.others = x[0]

    def encode(self, x: Views) -> Tensor:
        """The embedding h: (n, m)."""
        return float32(self.encoder(x.flat() if self.flat else x[0]))

    def project(self, x: Views) -> Tensor:
        """The projections g(h) that the loss compares: (n, p)."""
        return float32(self.projection(self.encoder(x.flat() if self.flat else x[0])))


class ConvolvingContrastiveNetwork(ContrastiveNetwork):
    """The same with maps of the first convolution."""

    def maps(self, x: Views) -> Tensor:
        """The first convolution's maps, before normalisation and ReLU as published: (n, K, h, w)."""
        first = next(place for place, layer in enumerate(self.encoder) if isinstance(layer, nn.Conv2d))
        return float32(self.encoder[: first + 1](x[0]))


def nt_xent(one: Float[Tensor, "n p"], two: Float[Tensor, "n p"], temperature: float) -> Float[Tensor, " n"]:
    """The contrastive loss of every pair of views, both directions added as in the published code: (n,) nats.

    Each view is to be told from all 2n − 2 views of other samples. Source: Chen, Kornblith, Norouzi and
    Hinton, "A simple framework for contrastive learning", ICML 2020, arXiv:2002.05709.
    """
    z = nn.functional.normalize(torch.cat([one, two]).float(), dim=1)
    logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    n = len(one)
    partner = torch.arange(2 * n, device=z.device).roll(n)
    loss = nn.functional.cross_entropy(logits, partner, reduction="none")
    return loss[:n] + loss[n:]
