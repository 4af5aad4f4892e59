"""SVHN: house numbers seen from the street, cut to one digit each.

Source: Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng, Reading digits in natural images with
unsupervised feature learning, NIPS workshop, 2011.
"""

from typing import ClassVar

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import svhn_release
from engine.data.published import Published, Release
from engine.registry import register

TRAIN = Part("train", (32, 32, 3), (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659), None)
TEST = Part("test", (32, 32, 3), (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595), None)

RELEASE = Release(
    mirrors=("http://ufldl.stanford.edu/housenumbers/",),
    files=(
        Remote("train_32x32.mat", md5="e26dedcc434d2e4c54c9b2d4a06d8373"),
        Remote("test_32x32.mat", md5="eb5a983be6a315427106f1b164d9cef3"),
    ),
    convert=svhn_release,
)


@register
class SVHN(Published):
    """Training and test images joined, without the extra ones."""

    name = "svhn"
    title = "SVHN"
    summary = "99,289 digits of house numbers in colour, 32x32."
    source = "Netzer et al., NIPS workshop 2011"
    licence = "For non-commercial use only"
    shape = (3, 32, 32)
    class_names = tuple("0123456789")
    counts = tuple(a + b for a, b in zip(TRAIN.counts, TEST.counts, strict=True))
    note = "73,257 training images, then 26,032 test images; the extra images are left out."
    download = 246_000_000
    file = "svhn.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    split = "train + test"
