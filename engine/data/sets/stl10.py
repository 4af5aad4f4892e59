"""STL-10: pictures of ten kinds of things, larger than those of CIFAR-10.

Source: A. Coates, H. Lee, A. Y. Ng, An analysis of single-layer networks in unsupervised feature learning,
AISTATS 2011.
"""

from typing import ClassVar

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import stl10_release
from engine.data.published import Published, Release
from engine.registry import register

SHAPE = (96, 96, 3)
TRAIN, TEST = Part("train", SHAPE, (500,) * 10, None), Part("test", SHAPE, (800,) * 10, None)
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")

RELEASE = Release(
    mirrors=("http://ai.stanford.edu/~acoates/stl10/",),
    files=(Remote("stl10_binary.tar.gz", md5="91f7769df0f17e558f3565bffb0c7dfb"),),
    convert=stl10_release,
)


@register
class STL10(Published):
    """The labelled images, those for training first."""

    name = "stl10"
    title = "STL-10"
    summary = "13,000 colour pictures of ten kinds of things, 96x96."
    source = "Coates, Lee and Ng, AISTATS 2011"
    licence = "Offered for research use; its images come from ImageNet"
    shape = (3, 96, 96)
    class_names = CLASSES
    counts = (1300,) * 10
    note = (
        "5,000 training images, then 8,000 test images. The 100,000 images without labels, on which published"
        " encoders were trained too, are left out: here the rows of data all have labels, or none has."
    )
    download = 2_640_000_000
    file = "stl10.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    split = "train + test"
