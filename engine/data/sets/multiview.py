"""Multi-view sets made of single-view ones: NoisyDigits, PatchedDigits, NoisyMNIST, NoisyFashion,
PatchedMNIST, and parts of them.

Source of the constructions: Trosten et al., CVPR 2023; Huang et al., ICML 2024. The pairing of noisy sets
uses labels.
"""

from typing import ClassVar

import numpy as np

from engine.data.dataset import Dataset, DataSettings
from engine.data.sets.digits import Digits
from engine.data.sets.fashion_mnist import FashionMNIST
from engine.data.sets.mnist import MNIST
from engine.data.splits import halves
from engine.errors import DataError
from engine.registry import register

PAIRED = (
    "The views are paired by label, as in the benchmark: the pairing tells the class, so nothing here is"
    " fully unsupervised. "
)
HALVES = "Models are trained on one half of the samples, attacks fitted on the other."


class Constructed(DataSettings):
    """Views made of another data set, which is loaded (and fetched) by its own name; at rest as uint8."""

    of: ClassVar[type[DataSettings]]
    classes: ClassVar[range] = range(10)
    """Which of its classes are kept, before views are made."""
    limit: ClassVar[int | None] = None
    """How many of their samples, from the first."""

    def load(self) -> Dataset:
        """The data set, made anew each time from the same seed."""
        from engine.data.tensors import several

        source = self.of().load()
        (view,) = source.views.all()
        if source.labels is None:
            raise DataError(f"{self.name} pairs images by label; {source.name} has none. Replace its file.")
        kept = np.flatnonzero(np.isin(source.labels, self.classes))[: self.limit]
        labels = source.labels[kept] - self.classes.start
        first, second = halves(len(kept))
        return Dataset(
            name=self.name,
            views=several(self.made_of(view.numpy()[kept], labels)),
            labels=labels,
            class_names=self.class_names,
            clusters=len(self.class_names),
            title=self.title,
            source=self.source,
            licence=self.licence,
            note=self.note,
            train=first,
            test=second,
        )

    def made_of(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """The views of images x (n, C, H, W) with labels y (n,)."""
        raise NotImplementedError

    @classmethod
    def whereabouts(cls) -> str | None:
        """Where the source would be read from."""
        return cls.of.whereabouts()


class Noisy(Constructed):
    """Image and noisy image of the same class."""

    views = 2

    def made_of(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """As `noisy_pair`."""
        from engine.data.multiview import noisy_pair

        return noisy_pair(x, y)


class Patched(Constructed):
    """Tiles of the images of classes 0, 1 and 2."""

    views = 3
    classes = range(3)

    grid: ClassVar[int]
    select: ClassVar[tuple[int, ...]]
    magnify: ClassVar[int]

    def made_of(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """As `patch_views`."""
        from engine.data.multiview import patch_views

        return patch_views(x, self.grid, self.select, self.magnify)


@register
class NoisyDigits(Noisy):
    """Two views of the digits that come with scikit-learn."""

    name = "noisy_digits"
    title = "NoisyDigits"
    summary = "Two views of a digit: one image, and another of the same class under noise. 8x8, built in."
    source = f"The construction of Trosten et al., CVPR 2023, on: {Digits.source}"
    licence = Digits.licence
    shape = Digits.shape
    class_names = Digits.class_names
    counts = Digits.counts
    note = PAIRED + HALVES
    of = Digits


@register
class PatchedDigits(Patched):
    """Three of four quadrants of digits 0, 1 and 2, magnified to 8x8."""

    name = "patched_digits"
    title = "PatchedDigits"
    summary = "Three quadrants of a digit 0, 1 or 2 as three views, each 8x8; built in."
    source = f"The construction of Huang et al., ICML 2024, on: {Digits.source}"
    licence = Digits.licence
    shape = Digits.shape
    class_names = Digits.class_names[:3]
    counts = Digits.counts[:3]
    note = HALVES
    of = Digits
    grid, select, magnify = 2, (0, 1, 2), 2


@register
class NoisyMNIST(Noisy):
    """Two views of MNIST."""

    name = "noisy_mnist"
    title = "NoisyMNIST"
    summary = (
        "Two views of a digit: one image, and another of the same class under noise. 70,000 pairs, 28x28."
    )
    source = f"Trosten et al., CVPR 2023; {MNIST.source}"
    licence = MNIST.licence
    shape = MNIST.shape
    class_names = MNIST.class_names
    counts = MNIST.counts
    note = PAIRED + HALVES
    download = MNIST.download
    of = MNIST


@register
class NoisyFashion(Noisy):
    """Two views of Fashion-MNIST."""

    name = "noisy_fashion"
    title = "NoisyFashion"
    summary = (
        "Two views of a piece of clothing: one image, and another of the same class under noise. 70,000"
        " pairs, 28x28."
    )
    source = f"Trosten et al., CVPR 2023; {FashionMNIST.source}"
    licence = FashionMNIST.licence
    shape = FashionMNIST.shape
    class_names = FashionMNIST.class_names
    counts = FashionMNIST.counts
    note = PAIRED + HALVES
    download = FashionMNIST.download
    of = FashionMNIST


@register
class PatchedMNIST(Patched):
    """Three tiles of MNIST's digits 0, 1 and 2."""

    name = "patched_mnist"
    title = "PatchedMNIST"
    summary = "Three 7x7 tiles of a digit 0, 1 or 2, each magnified to 28x28, as three views."
    source = f"Huang et al., ICML 2024; {MNIST.source}"
    licence = MNIST.licence
    shape = MNIST.shape
    class_names = MNIST.class_names[:3]
    counts = MNIST.counts[:3]
    note = HALVES
    download = MNIST.download
    of = MNIST
    grid, select, magnify = 4, (0, 1, 3), 4


@register
class NoisyMNISTMini(NoisyMNIST):
    """A small NoisyMNIST."""

    name = "noisy_mnist_mini"
    title = "NoisyMNIST, 4,000 samples"
    summary = "NoisyMNIST of the first 4,000 training images of MNIST, for an ordinary computer."
    counts = (379, 444, 397, 392, 430, 350, 405, 433, 373, 397)
    limit = 4000


def _half(whole: type[Noisy], first: int) -> type[Noisy]:
    """Five classes of a noisy set, chosen before its views are made: does robustness reach other classes?"""
    last = first + 4
    fields = {
        "__doc__": f"Classes {first} to {last} of {whole.title}.",
        "name": f"{whole.name}_{first}_{last}",
        "title": f"{whole.title}, classes {first}–{last}",
        "summary": (
            f"{whole.title} of five classes alone, {whole.class_names[first]} to {whole.class_names[last]}."
        ),
        "class_names": whole.class_names[first : last + 1],
        "counts": whole.counts[first : last + 1],
        "classes": range(first, last + 1),
    }
    return register(type(f"{whole.__name__}{first}to{last}", (whole,), {"__module__": __name__} | fields))


NoisyDigits0to4, NoisyDigits5to9 = _half(NoisyDigits, 0), _half(NoisyDigits, 5)
NoisyMNIST0to4, NoisyMNIST5to9 = _half(NoisyMNIST, 0), _half(NoisyMNIST, 5)
NoisyFashion0to4, NoisyFashion5to9 = _half(NoisyFashion, 0), _half(NoisyFashion, 5)
