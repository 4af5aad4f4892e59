"""CIFAR-100: 60,000 small pictures of a hundred kinds of things.

Source: A. Krizhevsky, Learning multiple layers of features from tiny images, University of Toronto, 2009.
"""

from typing import ClassVar

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import cifar100_release
from engine.data.published import Published, Release
from engine.data.sets.cifar10 import LICENCE, SHAPE
from engine.registry import register

TRAIN, TEST = Part("train", SHAPE, (500,) * 100, 121.93606), Part("test", SHAPE, (100,) * 100, 122.24968)
CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
    can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
    lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
    pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
    seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
    telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman
    worm"""

RELEASE = Release(
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    files=(Remote("cifar-100-binary.tar.gz", md5="03b5dce01913d631647c71ecec9e9cb8"),),
    convert=cifar100_release,
)


@register
class CIFAR100(Published):
    """Both parts joined, the training images first; of the two labels of each the fine one."""

    name = "cifar100"
    title = "CIFAR-100"
    summary = "60,000 colour pictures of a hundred kinds of things, 32x32."
    source = "Krizhevsky, University of Toronto, 2009"
    licence = LICENCE
    shape = (3, 32, 32)
    class_names = tuple(name.replace("_", " ") for name in CLASSES.split())
    counts = (600,) * 100
    note = "The pixels and the order of the release: 50,000 training images, then 10,000 test images."
    download = 169_000_000
    file = "cifar100.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
    split = "train + test"
