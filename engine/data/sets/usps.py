"""USPS: 9,298 handwritten digits from envelopes.

Source: J. J. Hull, A database for handwritten text recognition research, IEEE TPAMI 16(5), 1994; in the form
of LeCun et al. 1990, distributed with "The Elements of Statistical Learning".
"""

import numpy as np

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import usps_release
from engine.data.published import Arrays, OpenML, Published, Release
from engine.registry import register

TRAIN = Part("train", (16, 16), (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644), 0.254481)
TEST = Part("test", (16, 16), (359, 264, 198, 166, 200, 160, 170, 147, 166, 177), 0.267609)
STEPS = 2000

RELEASE = Release(
    mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
    files=(
        Remote("usps.bz2", md5="ec16c51db3855ca6c91edd34d0e9b197"),
        Remote("usps.t.bz2", md5="8ea070ee2aca1ac39742fdd1ef5ed118"),
    ),
    convert=usps_release,
)


def split_9298(x: np.ndarray, y: np.ndarray) -> Arrays:
    """OpenML's 9,298 rows of 256 in [-1, 1] with classes from 1, training images first: four arrays."""
    x, y = ((x + 1) / 2).astype(np.float32).reshape(-1, 16, 16), y.astype(np.int64) - 1
    return {"x_train": x[:7291], "y_train": y[:7291], "x_test": x[7291:], "y_test": y[7291:]}


@register
class USPS(Published):
    """Both parts joined, the training images first."""

    name = "usps"
    title = "USPS"
    summary = "9,298 handwritten digits from envelopes, 16x16: both parts of the release joined."
    source = "Hull, IEEE TPAMI 1994; LeCun et al., NIPS 1990"
    licence = "None stated; distributed for research and teaching"
    shape = (1, 16, 16)
    framing = "box"
    class_names = tuple("0123456789")
    counts = tuple(a + b for a, b in zip(TRAIN.counts, TEST.counts, strict=True))
    note = (
        "Values are (v + 1) / 2 of the release's v in [-1, 1]: 0 to 1 in steps of 0.0005. 7,291 training"
        " images, then 2,007 test images."
    )
    fingerprint = "b9879de4f005ba25"
    download = 8_000_000
    file = "usps.npz"
    parts = (TRAIN, TEST)
    release = RELEASE
    openml = OpenML(41082, split_9298)
    split = "train + test"

    @classmethod
    def rest(cls, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Float32 on the exact steps of 0.0005, so that every copy has the same fingerprint."""
        return (np.round(x.astype(np.float64) * STEPS) / STEPS).astype(np.float32), 1.0
