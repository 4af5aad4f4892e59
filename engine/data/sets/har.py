"""HAR: what thirty people did while they carried a telephone, as 561 numbers of its sensors.

Source: D. Anguita, A. Ghio, L. Oneto, X. Parra, J. L. Reyes-Ortiz, A public domain dataset for human activity
recognition using smartphones, ESANN 2013.
"""

from typing import ClassVar

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import har_release
from engine.data.published import Release
from engine.data.tabular import Tabular
from engine.registry import register

TRAIN = Part("train", (561,), (1226, 1073, 986, 1286, 1374, 1407), None)
TEST = Part("test", (561,), (496, 471, 420, 491, 532, 537), None)

RELEASE = Release(
    mirrors=("https://archive.ics.uci.edu/static/public/240/",),
    files=(Remote("human+activity+recognition+using+smartphones.zip"),),
    convert=har_release,
)


@register
class HAR(Tabular):
    """Both parts joined, the training people first."""

    name = "har"
    title = "HAR"
    summary = "10,299 stretches of movement of thirty people as 561 features; six activities."
    source = "Anguita, Ghio, Oneto, Parra, Reyes-Ortiz, ESANN 2013"
    licence = "CC BY 4.0"
    shape = (561,)
    class_names = ("walking", "walking upstairs", "walking downstairs", "sitting", "standing", "laying")
    counts = tuple(a + b for a, b in zip(TRAIN.counts, TEST.counts, strict=True))
    note = (
        "21 people for training, then nine others for testing. Each feature goes from 0 to 1 over the"
        " training rows. Names of features that the release gives twice are numbered."
    )
    download = 60_000_000
    file = "har.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = RELEASE
