"""A clustering phase may start from a trained base that somebody chose, such as the one that ships."""

import shlex

import pytest

from engine import registry
from engine.cli.choosing import typed
from engine.cli.computing import spec_of
from engine.errors import SettingsError
from engine.events import Evaluate, Progress
from engine.running.runner import prepare, run
from engine.store import catalogue, reproduce, wanted
from engine.store.store import Store
from engine.store.wanted import Wanted

ENTRIES = registry.catalogue()
SHIPPED = "digits/acai"
SHORT = {"iterations": 20, "interval": 10, "delta_every": 10}


def test_a_training_from_the_shipped_base_measures_angles_before_any_other_training() -> None:
    spec = prepare("train", "adec", seed=1, preset="quick", changes=SHORT, models={"base": SHIPPED})
    assert spec.builds_on == {"base": Store().find(SHIPPED).key} and spec.data == "digits"
    events = list(run(spec))
    assert not [event for event in events if isinstance(event, Progress) and event.phase.startswith("base")]
    first = next(event for event in events if isinstance(event, Evaluate))
    assert first.step == 0 or first.metrics.get("delta_fd") is not None
    assert any("delta_fd" in event.metrics for event in events if isinstance(event, Evaluate))
    assert events[-1].event == "finished", events[-1]


def test_what_starts_from_a_chosen_base_is_another_run_and_is_printed_and_found_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "read", lambda: ENTRIES)
    store, starts = Store(), {"base": SHIPPED}
    chosen = prepare("train", "dec_star", "digits", seed=1, preset="quick", changes=SHORT, models=starts)
    own = prepare("train", "dec_star", "digits", seed=1, preset="quick", changes=SHORT)
    assert chosen.key != own.key
    for spec in (chosen, own):
        store.create(spec)
    ask = Wanted("train", "dec_star", "digits", 1, "quick", SHORT)
    for spec, models in ((chosen, starts), (own, {})):
        there = wanted.found(Wanted(**vars(ask) | {"models": models}), ENTRIES, store)
        assert there is not None and there.key == spec.key
        line = reproduce.lines(spec, ENTRIES, store)["Command line"]
        assert (f"--base {SHIPPED}" in line) == (spec is chosen)
        _, _, _, action, *words = shlex.split(line)
        assert spec_of(typed(action, words).wanted).key == spec.key


def test_with_the_seed_of_the_base_it_is_the_run_that_was_made_with_it() -> None:
    spec = prepare("train", "adec", "digits", seed=0, preset="quick", models={"base": SHIPPED})
    assert spec.key == Store().find("digits/adec").key


def test_a_base_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="adec begins from a trained acai; digits/dec_star is"):
        prepare("train", "adec", "digits", preset="quick", models={"base": "digits/dec_star"})
