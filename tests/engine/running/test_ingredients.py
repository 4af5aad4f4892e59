"""A finished attack run as an ingredient of data: its images are appended, and the run is an ordinary one."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from engine import data as engine_data
from engine import device, registry
from engine.cli.choosing import typed
from engine.device import How
from engine.errors import DataError, SettingsError
from engine.events import Finished
from engine.running import ingredients
from engine.running.ingredients import data_of, plain_data_of
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store import catalogue, reproduce
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import found as found_run

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
    assert with_images.card()["rows_used"] == "all 1,797 samples, and 40 attacked ones"
    assert with_images.result()["rows_used"] == with_images.card()["rows_used"]
    assert without.result()["rows_used"] == "all 1,797 samples"
    base = shelf.find(with_images.spec.builds_on["base"])
    assert base.spec.builds_on == {"with": attacked.key}, "its base sees the same data"
    x = engine_data.load("digits").views.all()
    assert not (load_model(with_images).encode(x) == load_model(without).encode(x)).all()
    again = prepare("attack", "pgd", models={"model": with_images.key}, changes={"n": 20}, store=shelf)
    assert "with" not in again.builds_on and len(data_of(again, shelf)) == 1797


def test_a_zoo_attack_on_several_views_is_an_ingredient(how: How) -> None:
    attacked = Store().find("noisy_digits/comvc.strong")
    found = data_of(Spec(**attacked.spec.model_dump() | {"builds_on": {"with": attacked.key}}), Store())
    assert found.own == 1797 and len(found) > 1797 and len(found.views.shapes) == 2
    # it attacked the second half: what is trained on the first half would see none of it
    assert set(found.rows("first")) == set(engine_data.load("noisy_digits").rows("first"))
    with pytest.raises(
        DataError, match="None of the .* are trained on, which is the first half.*half = first"
    ):
        prepare("train", "comvc", models={"with": attacked.key}, preset="quick")


@pytest.mark.parametrize(
    ("model", "wrong", "says"),
    [
        ("acai", "digits/adec", "must name a finished attack run.* is a run of train adec"),
        ("conv_ae", "digits/conv_ae.attack", "moved embeddings and made no samples"),
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


def test_noise_that_moves_nothing_is_refused(shelf: Store, how: How) -> None:
    """It searches for nothing, so that no success is asked of it; but copies add nothing."""
    model = _done(prepare("train", "acai", "digits", changes=TINY, store=shelf), shelf, how)
    changes = {"n": 40, "epsilon": 0.0}
    noise = prepare("attack", "gaussian_noise", models={"model": model.key}, changes=changes, store=shelf)
    _done(noise, shelf, how)
    with pytest.raises(DataError, match="None of the 40 samples .* trained on differs from the one"):
        prepare("train", "acai", "digits", models={"with": noise.key}, store=shelf)


def test_success_is_counted_of_what_is_trained_on(
    shelf: Store, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Successes on rows that are not trained on are none of the training's."""
    attacked = _attacked(shelf, how, epsilon=0.4)
    trained = np.isin(attacked.arrays("images")["id"], engine_data.load("digits").rows("train"))
    assert 0 < trained.sum() < 40
    monkeypatch.setattr(ingredients, "_successes", lambda _: ~trained)
    with pytest.raises(DataError, match=f"None of the {trained.sum()} samples .* reached what the attack"):
        prepare("train", "dense_ae", "digits", models={"with": attacked.key}, store=shelf)
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


UAE = {
    "half": "train",
    "n": None,
    "objective": "keep_reconstruction",
    "epsilon": 0.3,
    "steps": 8,
    "positive": False,
}
SMALL = {"width": 16, "epochs": 20}


def _uae(shelf: Store, how: How, **more: object) -> Run:
    model = _done(prepare("train", "dense_ae", "digits", changes=SMALL, store=shelf, **more), shelf, how)
    spec = prepare("attack", "minmax", models={"model": model.key}, changes=UAE, store=shelf)
    return _done(spec, shelf, how)


def test_training_rows_are_doubled_and_failures_are_copies(shelf: Store, how: How) -> None:
    made = _uae(shelf, how)
    spec = prepare("train", "dense_ae", changes=SMALL, models={"with": made.key}, store=shelf)
    found, plain = data_of(spec, shelf), engine_data.load("digits")
    own, both = plain.rows("train"), found.rows("train")
    assert len(both) == 2 * len(own) and (both[: len(own)] == own).all()
    assert sorted(found.made_of[both]) == sorted([*own, *own]), (
        "one of each training row, and it is known of which"
    )
    assert (found.labels[both] == plain.labels[found.made_of[both]]).all()
    assert (found.rows("test") == plain.rows("test")).all()
    x, table = found.views.all().flat(), made.table("samples")
    failed = (table["reached"] == 0).to_numpy()
    copies = (x[len(plain) :] == x[found.origin[len(plain) :]]).all(dim=1).numpy()
    assert 0 < failed.sum() < len(failed) and copies[failed].all() and not copies[~failed].any()


@pytest.mark.long
def test_a_second_round_appends_two_runs(shelf: Store, how: How) -> None:
    first = _uae(shelf, how)
    second = _uae(shelf, how, models={"with": first.key})
    both = {"with": f"{first.key},{second.key}"}
    spec = prepare("train", "dense_ae", changes=SMALL, models=both, store=shelf)
    assert spec.builds_on == {"with": first.key, "with.2": second.key}
    found = data_of(spec, shelf)
    n = len(found.plain.rows("train"))
    assert len(found.rows("train")) == 3 * n and found.own == 1797
    for place, made in enumerate((first, second)):
        rows = found.views.all().flat()[1797 + place * n : 1797 + (place + 1) * n]
        assert np.array_equal(rows.numpy(), made.arrays("images")["adversarial"])
    entries = catalogue.read()
    command = reproduce.command(reproduce.wanted_of(spec, entries, shelf), entries)
    assert f"--with {first.key} --with {second.key}" in command
    asked = typed("train", shlex.split(command)[4:]).wanted
    again = prepare("train", asked.name, asked.data, preset=asked.preset, changes=asked.changes,
                    models=asked.models, store=shelf)  # fmt: skip
    assert again.key == spec.key
    made = _done(spec, shelf, how)
    assert found_run(asked, entries, shelf).key == made.key
    one = replace(asked, models={"with": first.key})
    assert found_run(one, entries, shelf).key != made.key, "a run with one more is another run"


def test_what_is_appended_may_be_copied_to_the_sample_it_was_made_of(shelf: Store, how: How) -> None:
    made = _uae(shelf, how)
    for target in ("self", "clean"):
        spec = prepare(
            "train",
            "dense_ae",
            changes=SMALL | {"uae_target": target},
            models={"with": made.key},
            store=shelf,
        )
        data = data_of(spec, shelf)
        settings, at_rest = registry.find("model", "dense_ae")(**spec.settings["model_settings"]), data.views
        state = settings.skeleton(at_rest, 10, torch.Generator().manual_seed(0), how)
        state.rows, state.made_of = torch.from_numpy(data.rows("train")), torch.from_numpy(data.made_of)
        own, targets = (part.all().flat() for part in settings.learned(state, at_rest))
        rows = data.made_of[data.rows("train")] if target == "clean" else data.rows("train")
        assert torch.equal(targets, at_rest.all().flat()[torch.from_numpy(rows)])
        assert torch.equal(own, at_rest.all().flat()[state.rows])


def test_a_control_without_success_is_an_ingredient(shelf: Store, how: How) -> None:
    model = _done(prepare("train", "dense_ae", "digits", changes=SMALL, store=shelf), shelf, how)
    aims = {name: value for name, value in UAE.items() if name not in ("steps", "positive")} | {
        "epsilon": 0.01
    }
    noisy = _done(
        prepare("attack", "noise", models={"model": model.key}, changes=aims, store=shelf), shelf, how
    )
    spec = prepare("train", "dense_ae", changes=SMALL, models={"with": noisy.key}, store=shelf)
    assert len(data_of(spec, shelf)) == 1797 + 898
