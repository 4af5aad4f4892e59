"""A finished attack run as an ingredient of data: its images are appended, and the run is an ordinary one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import data as engine_data
from engine import device
from engine.device import How
from engine.errors import DataError, SettingsError
from engine.events import Finished
from engine.running import ingredients
from engine.running.ingredients import data_of, plain_data_of
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store

TINY = {"hidden": (12,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 8, "starts": 1}
BASED = {f"base.{name}": value for name, value in TINY.items()} | {
    "iterations": 8,
    "interval": 4,
    "batch": 16,
    "delta_every": 4,
    "probe": 64,
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with a tiny model, and attacks on it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("FEINT_HOME", str(folder))
        yield Store(folder)


@pytest.fixture
def how() -> How:
    """The same arithmetic in every process."""
    return device.choose("cpu", "float32", 1)


def _done(spec: Spec, shelf: Store, how: How) -> Run:
    last = list(run(spec, how=how, store=shelf))[-1]
    assert isinstance(last, Finished), last
    return shelf.find(spec.key)


def _attacked(shelf: Store, how: How, **changes: object) -> Run:
    model = _done(prepare("train", "acai", "digits", changes=TINY, store=shelf), shelf, how)
    spec = prepare(
        "attack", "pgd", models={"model": model.key}, changes={"n": 40, "steps": 3} | changes, store=shelf
    )
    return _done(spec, shelf, how)


def test_images_are_appended_with_label_and_mark(shelf: Store, how: How) -> None:
    attacked = _attacked(shelf, how, epsilon=0.4)
    spec = prepare("train", "acai", "digits", changes=TINY, models={"with": attacked.key}, store=shelf)
    plain, found = engine_data.load("digits"), data_of(spec, shelf)
    images = attacked.arrays("images")
    assert spec.builds_on == {"with": attacked.key} and spec.fingerprint == plain.fingerprint
    assert spec.key != prepare("train", "acai", "digits", changes=TINY, store=shelf).key
    assert len(found) == 1797 + 40 and (found.origin[1797:] == images["id"]).all()
    assert np.array_equal(found.views.all().flat()[1797:].numpy(), images["adversarial"])
    assert (found.labels[1797:] == plain.labels[images["id"]]).all()
    assert plain_data_of(spec).fingerprint == plain.fingerprint


def test_a_model_is_trained_on_them_and_judged_without_them(shelf: Store, how: How) -> None:
    attacked = _attacked(shelf, how, epsilon=0.4)
    with_images = _done(
        prepare("train", "adec", models={"with": attacked.key}, changes=BASED, store=shelf), shelf, how
    )
    without = _done(prepare("train", "adec", "digits", changes=BASED, store=shelf), shelf, how)
    assert with_images.spec.data == "digits" and len(with_images.table()) == 1797
    assert with_images.card()["rows_used"] == "all 1,797 samples, and 40 attacked images of them"
    assert with_images.result()["rows_used"] == with_images.card()["rows_used"]
    assert without.result()["rows_used"] == "all 1,797 samples"
    base = shelf.find(with_images.spec.builds_on["base"])
    assert base.spec.builds_on == {"with": attacked.key}, "its base sees the same data"
    x = engine_data.load("digits").views.all()
    assert not (load_model(with_images).encode(x) == load_model(without).encode(x)).all()
    again = prepare("attack", "pgd", models={"model": with_images.key}, changes={"n": 20}, store=shelf)
    assert "with" not in again.builds_on and len(data_of(again, shelf)) == 1797


def test_a_zoo_attack_on_several_views_is_an_ingredient(how: How) -> None:
    spec = prepare("train", "comvc", models={"with": "noisy_digits/comvc.strong"}, preset="quick")
    found = data_of(spec, Store())
    assert found.own == 1797 and len(found) > 1797 and len(found.views.shapes) == 2
    # it attacked the second half: what is trained on the first half sees none of it
    assert set(found.rows("first")) == set(engine_data.load("noisy_digits").rows("first"))


@pytest.mark.parametrize(
    ("model", "wrong", "says"),
    [
        ("acai", "digits/adec", "must name a finished attack run.* is a run of train adec"),
        ("conv_ae", "digits/conv_ae.attack", "moved embeddings and made no images"),
        ("acai", "noisy_digits/comvc.strong", "attacked noisy_digits, and the data are digits"),
    ],
)
def test_what_is_no_such_attack_is_refused(model: str, wrong: str, says: str) -> None:
    with pytest.raises((SettingsError, DataError), match=says):
        prepare("train", model, "digits", models={"with": wrong})


def test_an_attack_takes_no_ingredient() -> None:
    with pytest.raises(SettingsError, match="attack takes no with"):
        prepare("attack", "pgd", models={"model": "digits/adec", "with": "noisy_digits/comvc.strong"})


def test_an_unfinished_attack_is_refused(shelf: Store, how: How) -> None:
    model = _done(prepare("train", "acai", "digits", changes=TINY, store=shelf), shelf, how)
    spec = prepare("attack", "pgd", models={"model": model.key}, changes={"n": 30}, store=shelf)
    shelf.create(spec)
    with pytest.raises(SettingsError, match="only a finished one can be built on"):
        prepare("train", "acai", "digits", models={"with": spec.key}, store=shelf)


def test_an_attack_without_any_success_is_refused(shelf: Store, how: How) -> None:
    attacked = _attacked(shelf, how, epsilon=0.0)
    with pytest.raises(DataError, match="None of the 40 samples .* reached what the attack wanted"):
        prepare("train", "acai", "digits", models={"with": attacked.key}, store=shelf)


def test_success_is_the_objectives_where_the_table_has_it() -> None:
    flipped = pd.DataFrame({"flipped": [True, False]})
    assert ingredients._successes(flipped).tolist() == [True, False]
    assert ingredients._successes(flipped.assign(reached=[False, False])).tolist() == [False, False]
    assert ingredients._successes(pd.DataFrame({"id": [0, 1]})).all(), "no notion of success: all count"


def test_images_of_another_shape_are_refused(shelf: Store, how: How, tmp_path: Path) -> None:
    attacked = _attacked(shelf, how, epsilon=0.4)
    file = attacked.folder / "images.npz"
    kept = file.read_bytes()
    spec = prepare("train", "acai", "digits", models={"with": attacked.key}, changes=TINY, store=shelf)
    np.savez(file, id=np.arange(3), adversarial=np.zeros((3, 9), np.float32))
    with pytest.raises(DataError, match=r"must have the shape \(3, 64\).*got \(3, 9\)"):
        data_of(spec, shelf)
    file.write_bytes(kept)
