"""Two sets of documents as tf-idf weights of their 2,000 most frequent words, which stand in for REUTERS-10K;
neither is RCV1.

Sources: 20 Newsgroups: K. Lang, Newsweeder, ICML 1995; Reuters-21578,
distribution 1.0, D. Lewis, the R8 subset.
"""

from engine.data.finding import Part
from engine.data.supplied import Supplied
from engine.registry import register

WORDS = 2000
TRAIN, TEST = (1596, 253, 2840, 41, 190, 206, 108, 251), (696, 121, 1083, 10, 81, 87, 36, 75)
HOW = (
    "Put {file} into FEINT_DATA: {arrays} float32 tf-idf weights of 2,000 words in rows of unit length,"
    " {labels} whole numbers from 0."
)


@register
class Newsgroups4(Supplied):
    """10,000 posts of four roots."""

    name = "newsgroups4"
    title = "20 Newsgroups, 4 roots"
    summary = "10,000 posts as tf-idf weights of 2,000 words; stands in for REUTERS-10K, which it is not."
    source = "K. Lang, Newsweeder: learning to filter netnews, ICML 1995"
    licence = "None stated; the posts belong to their authors. Word weights only"
    shape = (WORDS,)
    class_names = ("comp", "rec", "sci", "talk")
    counts = (3034, 2420, 2498, 2048)
    note = (
        "A stand-in for REUTERS-10K of the same form. It is not RCV1: its results cannot be compared with"
        " published ones."
    )
    file = "newsgroups4_10k.npz"
    parts = (Part("", (WORDS,), counts, 0.00273509),)
    obtained = HOW.format(file=file, arrays="x (10000, 2000)", labels="y (10000,)")


@register
class ReutersR8(Supplied):
    """7,674 newswires of eight topics."""

    name = "reuters_r8"
    title = "Reuters-21578, R8"
    summary = (
        "7,674 newswires as tf-idf weights of 2,000 words, eight uneven topics; stands in for REUTERS-10K,"
        " which it is not."
    )
    source = "Reuters-21578, distribution 1.0, D. Lewis, the R8 subset"
    licence = (
        "Copyright Reuters Ltd. and Carnegie Group; for research use, with acknowledgement. Word weights only"
    )
    shape = (WORDS,)
    class_names = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
    counts = tuple(a + b for a, b in zip(TRAIN, TEST, strict=True))
    note = (
        "Eight uneven topics, not four roots. It is not RCV1: its results cannot be compared with published"
        " ones. Training part first, then the test part."
    )
    file = "reuters_r8.npz"
    parts = (Part("train", (WORDS,), TRAIN, 0.00221805), Part("test", (WORDS,), TEST, 0.00213886))
    obtained = HOW.format(
        file=file,
        arrays="x_train (5485, 2000) and x_test (2189, 2000)",
        labels="y_train (5485,) and y_test (2189,)",
    )
