"""ISOLET: the names of the 26 letters, spoken twice by each of 150 people.

Source: M. Fanty, R. Cole, Spoken letter recognition, NIPS 3, 1990.
"""

from typing import ClassVar

from engine.data.finding import Part
from engine.data.formats import isolet_openml
from engine.data.published import OpenML, Release, closed
from engine.data.tabular import Tabular
from engine.registry import register

TRAIN = Part("train", (617,), (240,) * 5 + (238,) + (240,) * 20, 0.06580619)
TEST = Part("test", (617,), (60,) * 12 + (59,) + (60,) * 13, 0.06075413)


@register
class ISOLET(Tabular):
    """Both parts joined, the training speakers first."""

    name = "isolet"
    title = "ISOLET"
    summary = "7,797 spoken letters as 617 numbers of their sound; 26 classes."
    source = "Fanty, Cole, NIPS 1990"
    licence = "CC BY 4.0"
    shape = (617,)
    class_names = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    counts = tuple(a + b for a, b in zip(TRAIN.counts, TEST.counts, strict=True))
    note = (
        "120 speakers for training, then 30 others for testing. Each feature goes from 0 to 1 over the"
        " training rows; the release names none of them."
    )
    fingerprint = "7be9da461767f5ab"
    download = 20_000_000
    file = "isolet.npz"
    parts: ClassVar[tuple[Part, ...]] = (TRAIN, TEST)
    release = Release((), (), closed)
    openml = OpenML(300, isolet_openml)
