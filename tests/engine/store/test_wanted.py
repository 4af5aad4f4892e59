"""What a wish stores, known without torch, is what the engine makes of it; and its run is recognised."""

from pathlib import Path
from typing import Any

import pytest

from engine import registry
from engine.events import Finished
from engine.running.actions import action_class
from engine.running.runner import prepare
from engine.store.files import write_json
from engine.store.store import Store
from engine.store.wanted import Wanted, found, settings_of, with_defaults

ENTRIES = registry.catalogue()
PRESETS = [
    (action, name, preset)
    for action, kind in (("train", "model"), ("attack", "attack"), ("sweep", "attack"), ("study", "study"))
    for name, entry in ENTRIES[kind].items()
    for preset in (None, *entry["presets"])
    if not (action != "train" and entry.get("space") == "embedding")
]
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("train", "adec", {"base.hidden": [8], "clusters": 4, "iterations": 7}),
    ("train", "latent_defence", {"module": "conv_ae_mie", "base.batch": 10, "mie": {}}),
    (
        "attack",
        "pgd",
        {"steps": 3, "epsilon": 1, "objective_settings": {"cluster": 2}, "objective": "go_to_cluster"},
    ),
    ("attack", "pgd", {"attack_settings": {"steps": 9}, "locked": (1,), "half": "second"}),
    (
        "attack",
        "latent_attack",
        {"objective": "flip_and_keep", "objective_settings.nu": 0.02, "variant": "per_sample"},
    ),
    ("sweep", "pgd", {"epsilons": (0.0, 0.1), "lams": [0, 2], "restarts": 2}),
    ("pairs", "pgd", {"epsilon": 0.2, "steps": 4}),
    ("place", "place", {"umap": False}),
]


def stored(wanted: Wanted) -> dict[str, Any]:
    """What the engine stores of these choices, every default written out."""
    chosen = action_class(wanted.action).choose(wanted.name, wanted.preset, wanted.changes)
    return with_defaults(chosen.values(), wanted.action, ENTRIES)


def known(wanted: Wanted) -> dict[str, Any]:
    """What is known without torch, every default written out."""
    return with_defaults(settings_of(wanted, ENTRIES, Store()), wanted.action, ENTRIES)


@pytest.mark.parametrize(("action", "name", "preset"), PRESETS)
def test_a_preset_is_known_without_torch(action: str, name: str, preset: str | None) -> None:
    aims = ENTRIES["attack"].get(name, {}).get("only_for", ())
    wanted = Wanted(action, name, "digits", preset=preset, changes={"objective": aims[0]} if aims else {})
    assert known(wanted) == stored(wanted)


@pytest.mark.parametrize(("action", "name", "changes"), CHANGES)
def test_changes_are_known_without_torch(action: str, name: str, changes: dict[str, Any]) -> None:
    wanted = Wanted(action, name, "digits", changes=changes)
    assert known(wanted) == stored(wanted)


def test_a_run_is_found_by_the_choices_that_made_it(home: Path) -> None:
    store = Store()
    wanted = Wanted("train", "ae_kmeans", "digits", 3, "quick", {"batch": 32, "starts": 2})
    assert found(wanted, ENTRIES, store) is None
    spec = prepare("train", "ae_kmeans", "digits", seed=3, preset="quick", changes=wanted.changes)
    run = store.create(spec)
    assert found(wanted, ENTRIES, store) == run
    others = [
        Wanted("train", "ae_kmeans", "digits", 4, "quick", wanted.changes),
        Wanted("train", "ae_kmeans", "digits", 3, None, wanted.changes),
        Wanted("train", "ae_kmeans", "usps", 3, "quick", wanted.changes),
        Wanted("train", "ae_kmeans", "digits", 3, "quick", {"batch": 32}),
    ]
    assert [found(other, ENTRIES, store) for other in others] == [None] * 4


def test_an_attack_is_found_on_its_own_model_only(home: Path) -> None:
    store = Store()
    wanted = Wanted("attack", "pgd", None, changes={"n": 10}, models={"model": "digits/adec"})
    spec = prepare("attack", "pgd", changes={"n": 10}, models={"model": "digits/adec"})
    run = store.create(spec)
    assert found(wanted, ENTRIES, store) == run
    other = Wanted("attack", "pgd", None, changes={"n": 10}, models={"model": "digits/dec_star"})
    assert found(other, ENTRIES, store) is None
    nowhere = Wanted("attack", "pgd", None, changes={"n": 10}, models={"model": "digits/nothing"})
    assert found(nowhere, ENTRIES, store) is None


def test_a_run_of_an_older_method_is_not_the_one(home: Path) -> None:
    store = Store()
    spec = prepare("attack", "mv_gan", changes={"n": 10}, models={"model": "noisy_digits/comvc"})
    store.create(spec.model_copy(update={"version": 1}))
    wanted = Wanted("attack", "mv_gan", changes={"n": 10}, models={"model": "noisy_digits/comvc"})
    assert found(wanted, ENTRIES, store) is None
    run = store.create(spec)
    assert found(wanted, ENTRIES, store) == run


def test_a_finished_run_comes_before_one_that_was_stopped(home: Path) -> None:
    store = Store()
    spec = prepare("attack", "pgd", changes={"n": 10}, models={"model": "digits/adec"})
    done = store.create(spec)
    done.append(Finished(run=done.key))
    write_json(done.folder / "result.json", {"seconds": 1})
    same = {**spec.settings["attack_settings"]}
    del same["steps"]  # the default is meant, and not said: another key
    part = spec.model_copy(update={"settings": spec.settings | {"attack_settings": same}})
    assert store.create(part).key != done.key
    wanted = Wanted("attack", "pgd", changes={"n": 10}, models={"model": "digits/adec"})
    assert found(wanted, ENTRIES, store) == done


def test_an_attack_that_was_fitted_elsewhere_is_taken_as_it_is(home: Path) -> None:
    store = Store()
    fitted = next(run for run in store.query(name="latent_attack", fitted="") if run.zoo)
    again = next((run for run in store.query(name="latent_attack", fitted=fitted.key) if run.zoo), None)
    assert again is not None
    changes = {
        name: value for name, value in again.spec.settings.items() if value != fitted.spec.settings.get(name)
    }
    models = {"model": again.spec.builds_on["model"], "fitted": fitted.key}
    wanted = Wanted(
        "attack", "latent_attack", again.spec.data, again.spec.seed, changes=changes, models=models
    )
    assert found(wanted, ENTRIES, store) == again
