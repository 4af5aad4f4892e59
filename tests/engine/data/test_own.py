"""What a person brings: good files become data, and every bad one gets a sentence with its cure."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from engine import data
from engine.data.own_files import LARGEST
from engine.data.own_images import MOST_PIXELS
from engine.data.report import examine
from engine.errors import DataError, DataMissing, FeintError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)) * np.array([1, 10, 100, 0.1, 1]) + 7
Y = np.arange(40) % 4


@pytest.fixture
def save(tmp_path):
    """Write arrays as `own.npz` and give its path."""

    def one(**found) -> str:
        np.savez(tmp_path / "own.npz", **found)
        return str(tmp_path / "own.npz")

    return one


@pytest.fixture
def write(tmp_path):
    """Write text as `own.csv` and give its path."""

    def one(text: str) -> str:
        (tmp_path / "own.csv").write_text(text, encoding="utf-8")
        return str(tmp_path / "own.csv")

    return one


@pytest.fixture
def pack(tmp_path):
    """Write (name, image or bytes) pairs as `own.zip` and give its path."""

    def one(*members) -> str:
        with zipfile.ZipFile(tmp_path / "own.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content if isinstance(content, bytes) else png(content))
        return str(tmp_path / "own.zip")

    return one


def said(path: str) -> list[str]:
    """The sentences of the report on a file."""
    return examine(path).report.sentences()


def png(x: np.ndarray) -> bytes:
    """A picture of an array, as the bytes of a PNG file."""
    out = io.BytesIO()
    Image.fromarray(x).save(out, "png")
    return out.getvalue()


def grey(side: int = 12, wide: int | None = None) -> np.ndarray:
    return RNG.integers(0, 256, (side, wide or side), dtype=np.uint8)


def test_vectors_have_one_stored_map_into_the_unit_interval(save):
    found = data.load(save(x=X, y=Y))
    view = found.views.all()[0].numpy()
    assert (
        found.views.shapes == ((5,),)
        and view.min(axis=0).tolist() == [0] * 5
        and view.max(axis=0).tolist() == [1] * 5
    )
    low, span = found.affine
    np.testing.assert_allclose(low + span * view, X, atol=1e-4)
    assert (
        found.labels.tolist() == Y.tolist()
        and found.clusters == 4
        and found.class_names == ("0", "1", "2", "3")
    )


def test_vectors_that_fit_stay_as_they_are(save):
    x = RNG.random((30, 3)).astype(np.float32)
    found = data.load(save(x=x, y=Y[:30]))
    assert found.affine is None
    np.testing.assert_array_equal(found.views.all()[0].numpy(), x)


@pytest.mark.parametrize(
    ("x", "shape", "divisor"),
    [
        (RNG.integers(0, 256, (20, 6, 5), dtype=np.uint8), (1, 6, 5), 255),
        (RNG.integers(0, 256, (20, 6, 5, 3), dtype=np.uint8), (3, 6, 5), 255),
        (RNG.integers(0, 256, (20, 3, 6, 5), dtype=np.uint8), (3, 6, 5), 255),
        (RNG.integers(0, 256, (20, 6, 5, 1), dtype=np.int64), (1, 6, 5), 255),
        (RNG.integers(0, 17, (20, 6, 5), dtype=np.uint8), (1, 6, 5), 16),
        (RNG.random((20, 6, 5)) > 0.5, (1, 6, 5), 1),
        (RNG.random((20, 6, 5)), (1, 6, 5), 1),
        (RNG.random((20, 6, 5)) * 255, (1, 6, 5), 1),
        (RNG.normal(size=(20, 6, 5)), (1, 6, 5), 1),
    ],
)
def test_images_of_every_layout(save, x, shape, divisor):
    found = data.load(save(x=x, y=np.arange(20) % 3))
    view = found.views.all()[0]
    assert found.views.shapes == (shape,) and found.views.divisors == (divisor,)
    assert float(view.min()) >= 0 and 0.5 < float(view.max()) <= 1


def test_images_keep_their_pixels(save):
    x = RNG.integers(0, 256, (10, 4, 5, 3), dtype=np.uint8)
    view = data.load(save(x=x)).views.tensors[0].numpy()
    np.testing.assert_array_equal(view.transpose(0, 2, 3, 1), x)


def test_constant_pixels_are_no_trouble(save):
    x = RNG.integers(0, 256, (10, 4, 4), dtype=np.uint8)
    x[:, 0] = 0
    assert len(data.load(save(x=x, y=np.arange(10) % 2))) == 10


def test_train_and_test_parts_are_joined(save):
    found = data.load(save(x_train=X[:30], y_train=Y[:30], x_test=X[30:], y_test=Y[30:]))
    assert len(found) == 40 and found.labels.tolist() == Y.tolist()


def test_labels_may_be_words_or_any_numbers(save):
    found = data.load(save(x=X, y=np.array(["cat", "dog"])[Y % 2]))
    assert found.class_names == ("cat", "dog") and found.labels.tolist() == (Y % 2).tolist()
    assert data.load(save(x=X, y=Y * 10.0 - 5)).class_names == ("-5", "5", "15", "25")
    assert data.load(save(x=X, y=Y % 2, class_names=np.array(["a", "b", "c"]))).clusters == 3


def test_without_labels(save):
    found = data.load(save(x=X))
    assert found.labels is None and found.class_names == () and found.clusters == 10
    assert (
        data.load(save(x=X, clusters=3)).clusters == 3
        and data.load(save(x=X, clusters=3), clusters=5).clusters == 5
    )
    assert any("no labels" in line for line in said(save(x=X)))


def test_the_name_finds_it_again_and_the_fingerprint_is_of_the_numbers(save):
    found = data.load(save(x=X, y=Y))
    again = data.load(found.name)
    assert again.fingerprint == found.fingerprint and found.title == "own"
    assert data.load(save(x=X[::-1], y=Y)).fingerprint != found.fingerprint


def test_corrected_labels_and_parts_are_other_data(save):
    corrected = Y.copy()
    corrected[0] = 3 - corrected[0]
    files = (
        {"x": X, "y": Y},
        {"x": X, "y": corrected},
        {"x": X},
        {"x": X, "clusters": 5},
        {"x": X, "y": Y, "class_names": np.array(list("abcd"))},
        {"x_train": X[:30], "x_test": X[30:]},
    )
    prints = [data.load(save(**file)).fingerprint for file in files]
    assert len(set(prints)) == len(files), "scores of other labels must not be taken for theirs"


def test_csv(write):
    lines = ["width,height,Label"] + [f"{i},{i * i},{'ab'[i % 2]}" for i in range(12)]
    found = data.load(write("\n".join(lines)))
    assert found.views.shapes == ((2,),) and found.class_names == ("a", "b") and found.clusters == 2
    assert found.labels.tolist() == [0, 1] * 6


def test_csv_without_heading_or_labels(write):
    path = write("\n".join(f"{i},{i % 3}" for i in range(12)))
    found = data.load(path)
    assert len(found) == 12 and found.labels is None
    assert any("first row holds numbers" in line for line in said(path))


def test_zip_of_folders(pack):
    pictures = [(f"pets/{kind}/{i}.png", grey()) for kind in ("cat", "dog") for i in range(3)]
    found = data.load(pack(*pictures, ("__MACOSX/pets/cat/._0.png", b"x"), ("pets/readme.txt", b"hello")))
    assert (
        found.views.shapes == ((1, 12, 12),)
        and found.class_names == ("cat", "dog")
        and found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    )
    np.testing.assert_array_equal(found.views.tensors[0][4, 0].numpy(), pictures[4][1])


def test_zip_of_mixed_sizes_and_colours(pack):
    path = pack(
        ("a/1.png", grey(200, 100)),
        ("a/2.png", grey(200, 100)),
        ("b/1.png", RNG.integers(0, 256, (30, 30, 3), dtype=np.uint8)),
    )
    found = data.load(path, clusters=2)
    assert found.views.shapes == ((3, 64, 32),)
    assert any("brought to 32x64" in line for line in said(path))


def test_sixteen_bits_are_scaled_not_cut(pack):
    deep = np.full((8, 8), 32896, np.uint16)
    deep[0, 0] = 0
    found = data.load(pack(("a/1.png", deep), ("b/1.png", grey(8))), clusters=2)
    assert found.views.tensors[0][0, 0, 4, 4] == 128


def test_zip_without_folders_has_no_labels(pack):
    assert data.load(pack(*[(f"{i}.png", grey()) for i in range(12)])).labels is None


def test_report_speaks_plainly(save):
    lines = said(save(x=np.concatenate([X, X[:2]]), y=np.concatenate([Y, Y[:2]])))
    assert lines[0].startswith("42 samples of 5 features, from ")
    assert "4 classes: 0 11, 1 11, 2 10, 3 10." in lines and "2 samples are exact copies of others." in lines
    assert "No value is missing." in lines and any(line.startswith("Licence: not stated") for line in lines)


HOLE = np.where(np.arange(200).reshape(40, 5) == 7, np.nan, X)
FLAT = np.where(np.arange(5) == 3, 1.0, X)


def test_missing_numbers_become_medians_and_are_told(write):
    """Worked by hand: the medians are 3 of (2, 3, 5) and 40 of (10, 40, 60); labels are not looked at."""
    text = "width,height,label\n2,10,x\n3,,y\n,40,x\n5,60,y\n"
    whole = text.replace("3,,", "3,40,").replace("\n,40", "\n3,40")
    lines = said(write(text))
    found = data.load(write(text))
    assert "2 of 8 values are missing, in 2 of 4 samples and 2 of 2 features (width: 1, height: 1)." in lines
    replaced = "Each missing value is replaced by the median of its feature over the samples that have it."
    assert replaced in lines and "No value is missing." not in lines and found.note.startswith(replaced)
    assert examine(write(text)).report.missing == 2
    assert found.used_in_words("all") == f"all 4 samples. {replaced}", "as a run's card says it"
    assert found.used_in_words("first", 9) == f"the first half, 2 of 4 samples, at most 9 of them. {replaced}"
    assert data.load(write(whole)).used_in_words("all") == "all 4 samples"
    assert data.load(write(whole)).fingerprint == found.fingerprint, "of what is used"
    assert found.affine[0].tolist() == [2, 10] and found.affine[1].tolist() == [3, 50]


def test_the_medians_are_of_the_training_rows_and_the_largest_gaps_come_first(save):
    train, test = X[:30].copy(), X[30:].copy()
    train[0, 1] = test[0, 1] = test[1, 4] = np.nan
    path = save(x_train=train, x_test=test, feature_names=np.array(list("abcde")))
    low, span = data.load(path).affine
    view = data.load(path).views.all()[0].numpy()
    np.testing.assert_allclose((low + span * view)[30, 1], np.median(X[1:30, 1]), rtol=1e-5)
    np.testing.assert_allclose((low + span * view)[31, 4], np.median(X[:30, 4]), rtol=1e-5)
    lines = said(path)
    assert any("(b: 2, e: 1)" in line for line in lines)
    assert any("over the training samples that have it" in line for line in lines)


BAD = {
    "missing pixels": (
        {"x": HOLE.reshape(40, 5, 1)},
        r"1 values are missing or infinite \(NaN\), in 1 samples \(pixels\). Replace them",
    ),
    "infinite": ({"x": np.where(np.isnan(HOLE), np.inf, HOLE)}, "1 values are infinite, in 1 .* Replace"),
    "missing and infinite": ({"x": np.where(X.max() == X, np.inf, HOLE)}, "1 values are infinite"),
    "mostly missing feature": (
        {"x": np.where((np.arange(5) == 3) & (np.arange(40)[:, None] < 21), np.nan, HOLE)},
        r"missing in 1 of 5 features \(number 3: 21\). Fill them, or leave these features out",
    ),
    "feature missing in training": (
        {"x_train": np.where(np.arange(5) == 3, np.nan, X[:9]), "x_test": X[9:]},
        r"missing in the training rows in 1 of 5 features \(number 3: 9\)",
    ),
    "empty sample": (
        {"x": np.where(np.arange(40)[:, None] == 6, np.nan, X)},
        r"1 of 40 samples have no value at all \(number 6\). Leave them out",
    ),
    "constant feature": ({"x": FLAT}, r"1 of 5 features are constant \(number 3\). Leave them out"),
    "named constant feature": ({"x": FLAT, "feature_names": np.array(list("abcde"))}, r"constant \(d\)"),
    "constant set": ({"x": np.ones((9, 4, 4))}, "all values are 1"),
    "the same image": ({"x": np.tile(grey(4), (9, 1, 1))}, "all 9 samples are the same"),
    "one class": (
        {"x": X, "y": np.zeros(40, int)},
        "all labels are '0': with one class nothing can be scored",
    ),
    "labels of another length": (
        {"x": X, "y": Y[:39]},
        r"one for each of the 40 samples; got the shape \(39,\)",
    ),
    "missing labels": ({"x": X, "y": np.where(Y == 1, np.nan, Y)}, "10 labels are missing"),
    "a measurement as label": ({"x": X, "y": RNG.random(40)}, "looks like a measurement"),
    "names for other classes": (
        {"x": X, "y": Y - 1, "class_names": np.array(["a", "b"])},
        "class_names has 2 names, but",
    ),
    "k larger than n": (
        {"x": X, "clusters": 41},
        "clusters must be from 2 to the number of samples, 40; got 41",
    ),
    "one cluster": ({"x": X, "clusters": 1}, "got 1"),
    "few": ({"x": X[:1]}, "features are constant|all samples|clusters must be"),
    "fewer than ten without labels": ({"x": X[:6]}, "number of samples, 6; got 10"),
    "nothing": ({"x": X[:0]}, "there are no samples"),
    "no features": ({"x": X[:, :0]}, "there are no samples"),
    "objects": ({"x": np.array([{}, {}])}, "Python objects, which are never read"),
    "text": ({"x": np.array([["a", "b"]])}, "must be numbers; got <U1"),
    "five axes": ({"x": np.zeros((2, 2, 2, 2, 2))}, "must be vectors"),
    "one axis": ({"x": X[0]}, "must be vectors"),
    "four channels": ({"x": np.zeros((3, 8, 8, 4))}, "must be vectors"),
    "no x": ({"samples": X}, "must hold an array x, or x_train and x_test; it has samples"),
    "parts of two shapes": ({"x_train": X, "x_test": X[:, :2]}, r"of one shape; got \(5,\) and \(2,\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(save, case):
    found, says = BAD[case]
    path = save(**found)
    with pytest.raises(DataError, match=says) as error:
        data.load(path)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match=says):
        examine(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read as a table"),
        ("a,b\n", "holds no samples: it has a heading"),
        ("a,b\n1,x\n2,y\n", "these hold text: b. Name"),
        ("a,label\n1,x\n2,\n", "1 of 2 labels are empty"),
        ("a,b,label\n1,2,x\n3,,y\n4,,x\n6,,y\n", r"missing in 1 of 2 features \(b: 3\). Fill them"),
        ("a,b,label\n1,2,x\n1,3,y\n1,5,x\n1,1,y\n", r"constant \(a\)"),
        ('a,b\n"1,2\n3', "cannot be read as a table"),
        ("label\nx\ny\n", "no samples"),
    ],
)
def test_bad_tables(write, text, says):
    with pytest.raises(DataError, match=says):
        data.load(write(text))


def test_a_table_that_is_not_utf8(tmp_path):
    (tmp_path / "own.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="Save it as UTF-8"):
        data.load(str(tmp_path / "own.csv"))


def test_bad_archives(pack, tmp_path):
    with pytest.raises(DataError, match="holds no images"):
        data.load(pack(("a/readme.txt", b"hello")))
    with pytest.raises(DataError, match="a/1.png cannot be read as an image"):
        data.load(pack(("a/1.png", b"no picture"), ("b/2.png", grey())))
    with pytest.raises(DataError, match="b/2.png cannot be read as an image"):
        data.load(pack(("a/1.png", grey()), ("b/2.png", png(grey(40))[:-600])))
    with pytest.raises(DataError, match="at most 16,000,000 pixels"):
        data.load(pack(("a/1.png", np.zeros((1, MOST_PIXELS + 1), np.uint8)), ("b/1.png", grey())))
    (tmp_path / "own.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match="is damaged or no .zip file"):
        data.load(str(tmp_path / "own.zip"))


def test_an_archive_that_unpacks_to_too_much(tmp_path):
    """The size in the archive's own directory is believed before anything is unpacked."""
    path = tmp_path / "own.npz"
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (LARGEST,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", head.getvalue())
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (LARGEST + 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="GB unpacked, and at most 2.1 GB are read"):
        data.load(str(path))


def test_a_damaged_archive(save):
    path = save(x=X)
    with open(path, "r+b") as stream:
        stream.truncate(300)
    with pytest.raises(DataError, match="damaged"):
        data.load(path)


def test_no_such_file(tmp_path):
    with pytest.raises(DataMissing, match="There is no file .*gone.npz; check the path"):
        data.load(str(tmp_path / "gone.npz"))
    with pytest.raises(
        DataError, match="must be an .npz, a .zip of images, a folder of images or a .csv; got .txt"
    ):
        data.load(str(tmp_path / "notes.txt"))


SHAPES = st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(1, 3)) | st.tuples(
    st.integers(0, 12), st.integers(0, 4)
)


@settings(max_examples=60, deadline=None)
@given(
    x=arrays(st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]), SHAPES),
    k=st.integers(-1, 9),
)
def test_whatever_comes_is_used_or_refused_in_words(tmp_path_factory, x, k):
    path = tmp_path_factory.mktemp("any") / "own.npz"
    np.savez(path, x=x)
    try:
        found = data.load(str(path), clusters=k)
    except FeintError as error:
        assert str(error)
    else:
        view = found.views.all().flat()
        assert 2 <= found.clusters == k <= len(found) and 0 <= float(view.min()) <= float(view.max()) <= 1
