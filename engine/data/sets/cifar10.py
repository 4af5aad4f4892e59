"""CIFAR-10: 60,000 small pictures of ten kinds of things; a copy of it that went through JPEG, and 12,000 of
that copy.

Source: A. Krizhevsky, Learning multiple layers of features from tiny images, University of Toronto, 2009.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.data.dataset import Dataset, DataSettings, fingerprint
from engine.data.download import Remote
from engine.data.finding import Part, check, find, folders, kept, read, source_parts
from engine.data.formats import cifar_release, jpeg_parts
from engine.data.published import OTHER_COPY, Published, Release
from engine.errors import DataMissing
from engine.home import make_home
from engine.registry import register

SHAPE = (32, 32, 3)
TRAIN, TEST = Part("train", SHAPE, (5000,) * 10, 120.70757), Part("test", SHAPE, (1000,) * 10, 121.52921)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LEARNED, TESTED = 10_000, 2_000
"""Images of each part among the 12,000,"""
COUNTS = (1201, 1172, 1227, 1215, 1197, 1122, 1246, 1194, 1242, 1184)
"""and how many of each class these are."""
LICENCE = "None stated; customarily used for research with the citation"

RELEASE = Release(
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    files=(Remote("cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"),),
    convert=cifar_release,
)


@register
class CIFAR10(Published):
    """Both parts joined, the training images first."""

    name = "cifar10"
    title = "CIFAR-10"
    summary = "60,000 colour pictures of ten kinds of things, 32x32."
    source = "Krizhevsky, University of Toronto, 2009"
    licence = LICENCE
    shape = (3, 32, 32)
    class_names = CLASSES
    counts = (6000,) * 10
    note = "The pixels and the order of the release: 50,000 training images, then 10,000 test images."
    download = RELEASE.size
    file = "cifar10.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    split = "train + test"


@register
class CIFAR10JPEG(DataSettings):
    """The copy in JPEG, decoded once and kept."""

    name = "cifar10_jpeg"
    title = "CIFAR-10 (JPEG)"
    summary = "A copy of CIFAR-10 whose pixels went through JPEG; not comparable to published results."
    source = "Krizhevsky, University of Toronto, 2009; recompressed by others"
    licence = LICENCE
    shape = (3, 32, 32)
    class_names = CLASSES
    counts = (6000,) * 10
    note = (
        "The images of CIFAR-10 in its order, recompressed as JPEG of quality 75: they differ from the"
        " release by about 8 of 255, so that no number can be compared with a published one. Another"
        " decoder can differ by a grey level here and there."
    )
    file: ClassVar[str] = "cifar10_jpeg.npz"
    decoded: ClassVar[str] = "cifar10_jpeg_decoded.npz"
    obtained = (
        "Put cifar10_jpeg.npz into FEINT_DATA: the JPEG files end to end in jpeg_train and jpeg_test, where"
        " each begins in offsets_train and offsets_test, and y_train and y_test. Or take cifar10."
    )
    parts: ClassVar[tuple[Part, ...]] = (
        Part("train", SHAPE, (5000,) * 10, 120.688235),
        Part("test", SHAPE, (1000,) * 10, 121.508464),
    )

    @classmethod
    def whereabouts(cls) -> str | None:
        """The path of the file on this machine, or None."""
        path = find(cls.file)
        return None if path is None else str(path)

    def load(self) -> Dataset:
        """The data set, decoded at first. Raises DataMissing without the file, DataError for another."""
        from engine.data.tensors import images  # torch, which cards do without

        path = find(self.file)
        if path is None:
            raise DataMissing(
                f"{self.title} is not on this machine and is never fetched."
                f" {self.obtained.replace('FEINT_DATA', str(folders()[0]))}"
            )
        x, y = read(self._decoded(path), self.parts)
        views, (train, test) = images(x, 255.0), source_parts(self.parts)
        return Dataset(
            name=self.name,
            views=views,
            labels=y,
            class_names=self.class_names,
            clusters=10,
            title=self.title,
            source=self.source,
            licence=self.licence,
            split="train + test",
            note=self.note,
            fingerprint=fingerprint(views),
            train=train,
            test=test,
        )

    def _decoded(self, path: Path) -> Path:
        """The file of decoded images, made where it is not there: half a minute."""
        target = kept() / self.decoded
        if target.is_file():
            return target
        found = jpeg_parts(path)
        for part in self.parts:
            check(found[part.keys[0]], found[part.keys[1]], part, path)
        make_home()
        kept().mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".part")
        with partial.open("wb") as stream:
            np.savez(stream, **found)  # type: ignore[arg-type]
        partial.replace(target)
        return target


@register
class CIFAR10JPEGMini(CIFAR10JPEG):
    """So few of them that a small residual network is trained within the hour on two cores."""

    name = "cifar10_jpeg_mini"
    title = "CIFAR-10 (JPEG), 12,000 images"
    summary = "The first 10,000 training and 2,000 test images of a copy of CIFAR-10 that went through JPEG."
    counts = COUNTS
    note = (
        "The first 10,000 training and 2,000 test images of CIFAR-10, recompressed as JPEG of quality 75: no"
        " number can be compared with a published one."
    )
    fingerprint: ClassVar[str] = "baa573c1b4efa034"

    def load(self) -> Dataset:
        """The data set. Raises DataMissing without the file, DataError for another."""
        import torch

        whole = super().load()
        assert whole.labels is not None and whole.train is not None and whole.test is not None, "both parts"
        rows = np.concatenate([whole.train[:LEARNED], whole.test[:TESTED]])
        few = replace(
            whole,
            views=whole.views.subset(torch.from_numpy(rows)),
            labels=whole.labels[rows],
            train=np.arange(LEARNED),
            test=np.arange(LEARNED, LEARNED + TESTED),
            split="10,000 for training, 2,000 for testing",
            fingerprint="",
        )
        known = few.fingerprint == self.fingerprint
        return replace(few, note=self.note if known else f"{self.note} {OTHER_COPY}")
