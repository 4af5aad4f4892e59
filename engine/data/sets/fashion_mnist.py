"""Fashion-MNIST: 70,000 pictures of clothes in MNIST's form, and 3,000 of its test images.

Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms, arXiv:1708.07747, 2017.
"""

from typing import ClassVar

from engine.data.dataset import Dataset
from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import idx_release
from engine.data.published import OpenML, Published, Release
from engine.data.sets.mnist import first, split_70000
from engine.registry import register

TRAIN = Part("train", (28, 28), (6000,) * 10, 72.940352)
TEST = Part("test", (28, 28), (1000,) * 10, 73.146567)

RELEASE = Release(
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files=(
        Remote("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Remote("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        Remote("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        Remote("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
    convert=idx_release,
)


@register
class FashionMNIST(Published):
    """Both parts joined, the training images first."""

    name = "fashion_mnist"
    title = "Fashion-MNIST"
    summary = "70,000 pictures of clothes, 28x28: both parts of the release joined."
    source = "Xiao, Rasul, Vollgraf, arXiv:1708.07747, 2017"
    licence = "MIT, copyright 2017 Zalando SE"
    shape = (1, 28, 28)
    framing = "box"
    class_names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    counts = (7000,) * 10
    note = "The pixels and the order of the release: 60,000 training images, then 10,000 test images."
    fingerprint = "5ee6e1b8ebf9416a"
    download = RELEASE.size
    file = "fashion_mnist.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    openml = OpenML(40996, split_70000)
    split = "train + test"


@register
class FashionMNISTMini(FashionMNIST):
    """So few of them that a study of many trainings takes minutes."""

    name = "fashion_mnist_mini"
    title = "Fashion-MNIST, 3,000 test images"
    summary = "The first 3,000 test images of Fashion-MNIST, 28x28: 1,000 to train on, 2,000 to test on."
    counts = (302, 308, 310, 298, 324, 285, 298, 293, 297, 285)
    note = (
        "The first 3,000 images of the release's test part, in its order; the first 1,000 are for training."
    )
    fingerprint = "aa7658b7c08a2c9e"
    parts = (TEST,)
    all_parts = (TRAIN, TEST)
    split = "1,000 for training, 2,000 for testing"

    def load(self) -> Dataset:
        """The data set; `engine.data.load` fetches it first. Raises DataMissing or DataError."""
        return first(super().load(), self.note, self.fingerprint)
