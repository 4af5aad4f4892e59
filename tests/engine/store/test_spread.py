"""How an entry's scores spread over seeds: what ships agrees with the entry, and is said in words."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.cli import zoo_spread
from engine.cli.zoo_entries import Entry
from engine.store import spread
from engine.store.run import Run
from engine.store.store import ZOO, Store

SHIPPED = sorted(str(file.parent.relative_to(ZOO)) for file in ZOO.glob("*/*/spread.json"))
TINY = {"hidden": (16,), "iterations": 20, "evaluate_every": 20, "starts": 1}


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_begins_with_the_entry_itself_and_adds_up(name: str) -> None:
    run = Store().find(name)
    found = spread.of(run)
    for score, value in found["clean"].items():
        assert value["seeds"][0] == pytest.approx(run.result()[score], abs=1e-9)
    for each in [found["clean"], *found["attacked"]]:
        for value in each.values():
            if isinstance(value, dict):
                assert len(value["seeds"]) == found["seeds"]
                assert value["mean"] == pytest.approx(np.mean(value["seeds"]))
    for each in found["attacked"]:
        missed = np.array(each["strongest_missed"]["seeds"])
        assert (missed >= 0).all() and (missed <= np.array(each["strongest_success_rate"]["seeds"])).all()


def test_every_model_that_ships_has_met_the_strongest_attack_over_five_seeds() -> None:
    for name, run in Store().zoo().items():
        able = registry.find("model", run.spec.name).abilities if run.spec.action == "train" else ()
        if "clusters" not in able or "compares" in able:  # encoders: studies judge a linear layer on them
            continue
        found = spread.of(run)
        assert [each["epsilon"] for each in found["attacked"]] == [0.1, 0.2], name
        assert all("strongest_success_rate" in each for each in found["attacked"]), name
        assert found["seeds"] >= 5, name


def test_it_is_measured_beside_the_entry_and_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(zoo_spread, "entries", lambda: {"digits/tiny": Entry("ae_kmeans", "quick", TINY)})
    folder = tmp_path / "zoo" / "digits" / "tiny"
    shutil.copytree(ZOO / "digits" / "ae_kmeans", folder)
    list(zoo_spread.spread(["digits/tiny"], 2, tmp_path / "zoo"))
    run = Run(folder, "digits/tiny")
    found, said = spread.of(run), spread.in_words(run)
    acc = found["clean"]["acc"]
    assert found["seeds"] == 2 == len(acc["seeds"])
    assert said[0].startswith(f"Over 2 seeds, clean: ACC {acc['mean']:.3f} ± {acc['spread']:.3f} (")
    assert "strongest attack" in said[1] and "ε = 0.1" in said[1] and len(said) == 3
    assert spread.in_words(Run(tmp_path / "nowhere")) == []
    list(zoo_spread.spread(["digits/tiny"], 1, tmp_path / "zoo"))
    alone = spread.in_words(run)
    assert len(alone) == 2 and all(text.startswith("One seed, PGD at") and "±" not in text for text in alone)
