"""COIL-20: twenty objects on a turntable, 72 views each.

Source: S. A. Nene, S. K. Nayar, H. Murase, Columbia Object Image Library (COIL-20), CUCS-005-96, 1996.
"""

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import coil20_release
from engine.data.published import Published, Release
from engine.registry import register

RELEASE = Release(
    mirrors=(
        "https://www.cs.columbia.edu/CAVE/databases/SLAM_coil-20_coil-100/coil-20/",
        "https://cave.cs.columbia.edu/old/databases/SLAM_coil-20_coil-100/coil-20/",
    ),
    files=(Remote("coil-20-proc.zip"),),
    convert=coil20_release,
)


@register
class COIL20(Published):
    """All views, in object order."""

    name = "coil20"
    title = "COIL-20"
    summary = "Twenty objects on a turntable, 72 views each, 32x32."
    source = "Nene, Nayar, Murase, CUCS-005-96, 1996"
    licence = "Columbia University Image Library; offered for research use"
    shape = (1, 32, 32)
    class_names = tuple(f"object {number}" for number in range(1, 21))
    counts = (72,) * 20
    note = "32x32 means of 4x4 blocks; the release is 128x128. Its objects have numbers, no names."
    fingerprint = "fdc324a5d404dc24"
    download = 12_100_000
    file = "coil20.npz"
    parts = (Part("", (32, 32), (72,) * 20, 76.895726),)
    release = RELEASE
