"""MNIST: 70,000 handwritten digits, its 10,000 test images alone, and 3,000 of those.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
Proc. IEEE 86(11), 1998.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engine.data.dataset import Dataset
from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import idx_release
from engine.data.published import OTHER_COPY, Arrays, OpenML, Published, Release
from engine.registry import register

TRAIN = Part("train", (28, 28), (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949), 33.318421)
TEST = Part("test", (28, 28), (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009), 33.791225)
SMALL, LEARNED = 3000, 1000
"""Of the small set: all images, and those that are trained on."""

RELEASE = Release(
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files=(
        Remote("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        Remote("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        Remote("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        Remote("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    convert=idx_release,
)


def split_70000(x: np.ndarray, y: np.ndarray) -> Arrays:
    """OpenML's 70,000 rows of 784, the training images first, as the four arrays."""
    x, y = x.astype(np.uint8).reshape(-1, 28, 28), y.astype(np.int64)
    return {"x_train": x[:60_000], "y_train": y[:60_000], "x_test": x[60_000:], "y_test": y[60_000:]}


def first(whole: Dataset, note: str, expected: str) -> Dataset:
    """The first images of a data set, some of them to train on; the note says where they are not those of
    the `expected` fingerprint.
    """
    assert whole.labels is not None, "the release has labels"
    few = replace(
        whole,
        views=whole.views.subset(slice(SMALL)),
        labels=whole.labels[:SMALL],
        train=np.arange(LEARNED),
        test=np.arange(LEARNED, SMALL),
        fingerprint="",
    )
    return replace(few, note=note if few.fingerprint == expected else f"{note} {OTHER_COPY}")


@register
class MNIST(Published):
    """Both parts joined, the training images first, as the clustering papers use it."""

    name = "mnist"
    title = "MNIST"
    summary = "70,000 handwritten digits, 28x28: both parts of the release joined."
    source = "LeCun, Bottou, Bengio, Haffner, Proc. IEEE 1998"
    licence = (
        "CC BY-SA 3.0, as commonly given; copyright Y. LeCun and C. Cortes, from NIST Special Databases 1"
        " and 3"
    )
    shape = (1, 28, 28)
    framing = "mass"
    class_names = tuple("0123456789")
    counts = tuple(a + b for a, b in zip(TRAIN.counts, TEST.counts, strict=True))
    note = "The pixels and the order of the release: 60,000 training images, then 10,000 test images."
    fingerprint = "d528bc002ee2036f"
    download = RELEASE.size
    file = "mnist.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    openml = OpenML(554, split_70000)
    split = "train + test"


@register
class MNISTTest(MNIST):
    """The test part alone."""

    name = "mnist_test"
    title = "MNIST test"
    summary = "The 10,000 test images of MNIST alone, 28x28."
    counts = TEST.counts
    note = "The pixels and the order of the release's test part."
    fingerprint = "b5174e9ec668fde6"
    parts = (TEST,)
    all_parts = (TRAIN, TEST)
    split = "test"


@register
class MNISTMini(MNISTTest):
    """So few of them that a study of many trainings takes minutes."""

    name = "mnist_mini"
    title = "MNIST, 3,000 test images"
    summary = "The first 3,000 test images of MNIST, 28x28: 1,000 to train on, 2,000 to test on."
    counts = (271, 340, 313, 316, 318, 283, 272, 306, 286, 295)
    note = (
        "The first 3,000 images of the release's test part, in its order; the first 1,000 are for training."
    )
    fingerprint = "3518b81d7686333a"
    split = "1,000 for training, 2,000 for testing"

    def load(self) -> Dataset:
        """The data set; `engine.data.load` fetches it first. Raises DataMissing or DataError."""
        return first(super().load(), self.note, self.fingerprint)
