"""The registered data sets: counts, hashes, layout, and labels that belong to their samples."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from engine import data, registry
from engine.data.dataset import Dataset
from engine.data.finding import Part, check, find, read
from engine.data.listing import owner, owners
from engine.errors import DataError, DataMissing, UnknownName

pytestmark = pytest.mark.usefixtures("real_data")

FILES = {
    "coil20": "coil20.npz",
    "fashion_mnist": "fashion_mnist.npz",
    "fashion_mnist_mini": "fashion_mnist.npz",
    "isolet": "isolet.npz",
    "mice_protein": "mice_protein.npz",
    "mnist": "mnist.npz",
    "mnist_mini": "mnist.npz",
    "mnist_test": "mnist.npz",
    "usps": "usps.npz",
}
SHA256 = {
    "isolet.npz": "4a6cc6e1d05e54bce64de6804bf7f479c6fcc8106e8eb188ef71f08959302e2a",
    "mice_protein.npz": "f88fee685c2a19317340237ac9b5cb3494408cc6abdd8a4c334928c787bb3629",
    "coil20.npz": "bb83cbf5c126e4c5d7f6f5fe098102eb2e60f189328fad0bcc673707d904095b",
    "fashion_mnist.npz": "c2c37d617253c9f5a6fc23ba8553045734f3682da04a81934b27e6c7c2363beb",
    "mnist.npz": "094b831e432331f1f6d6829ab9bfff4551410a81e1f816c9cce482d3e9b3ba57",
    "usps.npz": "c4b46d2de18f2fc59cdbd4117a86450c27fd9b3d986cb145c7e95848380e7bc9",
}
FINGERPRINTS = {
    "coil20": "fdc324a5d404dc24",
    "digits": "dd5d14bc0a5d3644",
    "fashion_mnist": "5ee6e1b8ebf9416a",
    "fashion_mnist_mini": "aa7658b7c08a2c9e",
    "isolet": "7be9da461767f5ab",
    "mice_protein": "069342063d9fb468",
    "mnist": "d528bc002ee2036f",
    "mnist_mini": "3518b81d7686333a",
    "mnist_test": "b5174e9ec668fde6",
    "usps": "b9879de4f005ba25",
}
TABLES = ("isolet", "mice_protein")
NEIGHBOURS = {
    "isolet": 0.6,
    "mice_protein": 0.9,
    "digits": 0.95,
    "mnist_test": 0.85,
    "fashion_mnist": 0.7,
    "usps": 0.85,
    "coil20": 0.9,
}
"""Accuracy that 1-NN on 1,500 samples must reach on 500 others where labels and samples agree (by chance:
0.1, 0.05).
"""


def loaded(name: str) -> Dataset:
    """The set, or a skip where its file is not on this machine: tests fetch nothing."""
    if name in FILES and find(FILES[name]) is None:
        pytest.skip(f"{FILES[name]} is not on this machine")
    return data.load(name)


def test_every_set_is_registered_and_listed():
    assert list(owners()) == registry.names("data")
    single = [name for name, cls in owners().items() if cls.views == 1]
    assert single == [
        "cifar10",
        "cifar100",
        "cifar10_jpeg",
        "cifar10_jpeg_mini",
        "coil20",
        "digits",
        "fashion_mnist",
        "fashion_mnist_mini",
        "har",
        "isolet",
        "mice_protein",
        "mnist",
        "mnist_mini",
        "mnist_test",
        "newsgroups4",
        "reuters_r8",
        "stl10",
        "stl10_resnet50",
        "svhn",
        "usps",
    ]
    assert {
        "noisy_digits",
        "patched_digits",
        "noisy_mnist",
        "noisy_fashion",
        "patched_mnist",
        "regdb",
    } <= set(owners()) - set(single)
    assert all(registry.find("data", name) is cls for name, cls in owners().items())


@pytest.mark.parametrize("name", sorted(FINGERPRINTS))
def test_card_says_what_is_loaded(name):
    card, found = data.cards()[name], loaded(name)
    assert card["here"] and card["where"]
    assert (card["samples"], card["clusters"]) == (len(found), found.clusters)
    assert tuple(card["shape"]) == found.views.shapes[0] and tuple(card["classes"]) == found.class_names
    assert card["counts"] == np.bincount(found.labels, minlength=found.clusters).tolist()
    assert card["source"] and card["licence"] and card["note"] and card["summary"]


@pytest.mark.parametrize("name", sorted(FINGERPRINTS.keys() - set(TABLES)))
def test_rests_as_channels_first_within_the_unit_interval(name):
    found = loaded(name)
    view, resting = found.views.rows(slice(0, 200))[0], found.views.tensors[0]
    assert (
        view.dtype == torch.float32
        and view.shape[1] == 1
        and 0 <= float(view.min()) < 0.1
        and 0.9 < float(view.max()) <= 1
    )
    assert resting.dtype == (torch.float32 if name == "usps" else torch.uint8)
    assert found.labels.dtype == np.int64 and found.labels.shape == (len(found),)


@pytest.mark.parametrize("name", sorted(FINGERPRINTS))
def test_fingerprint(name):
    """Hashes made from the files whose SHA-256 is above; the digits from scikit-learn."""
    found = loaded(name)
    if name in FILES and hashlib.sha256(find(FILES[name]).read_bytes()).hexdigest() != SHA256[FILES[name]]:
        pytest.skip(f"{FILES[name]} here is another copy than the one the fingerprint was taken from")
    assert found.fingerprint == FINGERPRINTS[name] == data.cards()[name]["fingerprint"]
    assert found.note == owner(name).note


@pytest.mark.parametrize("name", sorted(NEIGHBOURS))
def test_labels_belong_to_the_samples(name):
    found = loaded(name)
    rows = np.random.default_rng(0).permutation(len(found))[:2000]
    cut = min(1500, len(rows) * 3 // 4)
    x = found.views.rows(torch.from_numpy(rows)).flat().numpy()
    y = found.labels[rows]
    assert KNeighborsClassifier(1).fit(x[:cut], y[:cut]).score(x[cut:], y[cut:]) > NEIGHBOURS[name]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_goes_from_0_to_1_over_its_training_rows(name):
    found = loaded(name)
    x = found.views.all().flat()
    low, span = found.affine
    assert low.shape == span.shape == (x.shape[1],) and (span > 0).all()
    assert float(x.min()) >= 0 and float(x.max()) <= 1 and bool(torch.isfinite(x).all())
    training = x[torch.from_numpy(found.train)]
    assert float(training.amin(0).max()) == 0 and float(training.amax(0).min()) == 1
    assert len(found.train) + len(found.test) == len(found)
    held = np.load(find(FILES[name]))
    there = held["x"] if name == "mice_protein" else np.concatenate([held["x_train"], held["x_test"]])
    inside = ~np.isnan(there) & (there >= low) & (there <= low + span)
    back = low + span * x.numpy()
    np.testing.assert_allclose(back[inside], there[inside], atol=2e-5)


def test_no_mouse_is_in_both_parts_and_what_is_missing_is_a_median_of_the_training_rows():
    found, held = loaded("mice_protein"), np.load(find(FILES["mice_protein"]))
    mouse = np.array([name.split("_")[0] for name in held["mouse_id"]])
    assert not set(mouse[found.train]) & set(mouse[found.test])
    assert set(found.labels[found.test]) == set(range(8))
    assert found.feature_names == tuple(held["feature_names"])
    gaps = np.isnan(held["x"])
    medians = np.nanmedian(held["x"][found.train], axis=0)
    low, span = found.affine
    expected = np.broadcast_to((medians - low) / span, gaps.shape)[gaps]
    assert gaps.sum() == 1396
    np.testing.assert_allclose(found.views.all().flat().numpy()[gaps], expected, atol=1e-5)


@pytest.mark.slow
def test_the_jpeg_copy_of_cifar_is_decoded_once_and_named():
    if find("cifar10_jpeg.npz") is None:
        pytest.skip("cifar10_jpeg.npz is not on this machine")
    found = data.load("cifar10_jpeg")
    assert found.title == "CIFAR-10 (JPEG)" and found.views.shapes == ((3, 32, 32),)
    assert (len(found.train), len(found.test)) == (50_000, 10_000)
    assert find("cifar10_jpeg_decoded.npz") is not None
    few = data.load("cifar10_jpeg_mini")
    assert torch.equal(few.views.tensors[0][10_000:], found.views.tensors[0][50_000:52_000])
    assert few.test.tolist() == list(range(10_000, 12_000)) and few.title == "CIFAR-10 (JPEG), 12,000 images"
    assert np.bincount(few.labels).tolist() == list(data.cards()["cifar10_jpeg_mini"]["counts"])


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    found, bunch = data.load("digits"), load_digits()
    assert found.views.divisors == (16.0,) and len(found) == 1797
    np.testing.assert_allclose(found.views.all().flat().numpy() * 16, bunch.data)
    np.testing.assert_array_equal(found.labels, bunch.target)


def test_mnist_joins_train_then_test():
    whole, part = loaded("mnist"), loaded("mnist_test")
    assert torch.equal(whole.views.tensors[0][60_000:], part.views.tensors[0])
    np.testing.assert_array_equal(whole.labels[60_000:], part.labels)
    assert np.bincount(whole.labels).tolist() == [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]


def test_usps_is_on_the_steps_of_the_release():
    values = loaded("usps").views.tensors[0].double().numpy() * 2000
    assert np.abs(values - values.round()).max() < 1e-3


def test_loaded_once_a_process():
    assert data.load("digits") is data.load("digits")


def test_another_number_of_clusters():
    assert data.load("digits", clusters=4).clusters == 4 and data.load("digits").clusters == 10
    assert data.load("digits", clusters=4).fingerprint == data.load("digits").fingerprint
    with pytest.raises(DataError, match="from 2 to the number of samples; got 1798 for the 1797"):
        data.load("digits", clusters=1798)


def test_a_wrong_name_names_the_nearest():
    with pytest.raises(UnknownName, match="No data set is called 'mnits'; did you mean mnist"):
        data.load("mnits")
    with pytest.raises(UnknownName):
        owner("digit s")


def test_cards_need_no_torch():
    code = (
        "import sys; from engine import data; data.cards(); print([m for m in ('torch', 'sklearn',"
        " 'streamlit') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_catalogue_entries_do_not_depend_on_the_machine(monkeypatch, tmp_path):
    here = registry.describe(owners()["mnist"])
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    monkeypatch.setenv("FEINT_HOME", str(tmp_path))
    assert registry.describe(owners()["mnist"]) == here and here["samples"] == 70_000
    assert data.cards()["mnist"]["here"] is False and data.cards()["mnist"]["where"] is None
    assert data.cards()["digits"]["here"] is True


PART = Part("train", (2, 2), (3, 1), 0.5)
GOOD = {"x_train": np.full((4, 2, 2), 0.5), "y_train": np.array([0, 0, 1, 0])}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x_train": np.zeros((5, 2, 2))}, "x_train must have the shape"),
        ({"y_train": np.array([0, 0, 1])}, "y_train must be 4 whole numbers"),
        ({"y_train": np.array([0, 0, 1, 1])}, r"must hold \(3, 1\) samples; got \(2, 2\)"),
        ({"y_train": np.array([0, 0, 1, -1])}, "must hold"),
        ({"x_train": np.full((4, 2, 2), 0.6)}, "the mean of x_train must be 0.5; got 0.6"),
        ({"x_train": np.full((4, 2, 2), np.nan)}, "the mean"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(change, says):
    check(GOOD["x_train"], GOOD["y_train"], PART, "here")
    changed = GOOD | change
    with pytest.raises(DataError, match=says):
        check(changed["x_train"], changed["y_train"], PART, "here")


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "broken.npz"
    np.savez_compressed(path, **GOOD)
    assert read(path, (PART,))[0].shape == (4, 2, 2)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="damaged"):
        read(path, (PART,))
    np.savez(path, x_train=GOOD["x_train"])
    with pytest.raises(DataError, match="lacks y_train; it has x_train"):
        read(path, (PART,))
    np.savez(path, x_train=np.array([{}, {}]), y_train=GOOD["y_train"])
    with pytest.raises(DataError, match="Python objects, which are never read"):
        read(path, (PART,))


def test_digits_without_scikit_learn_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.data.sets.digits.find_spec", lambda name: None)
    with pytest.raises(DataMissing, match="a file of scikit-learn, which is not installed"):
        owner("digits")().load()
