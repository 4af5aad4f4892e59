"""Studies of unsupervised adversarial examples: published values, and augmented models beside controls."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.events import Row
from engine.metrics.intervals import paired_difference
from engine.running.ingredients import data_of
from engine.running.runner import prepare, run
from engine.store.store import Store
from engine.studies import uae
from engine.studies.protocols import cell, published

TEST, TRAIN = "reconstruction_mse_test", "reconstruction_mse_train"
SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "studies"


def test_published_improvements_recompute() -> None:
    """Test 20 of the specification: 62.46, 11.21 and 67.75 % lower."""
    said = published("uae")
    lower = {row["augmentation"]: row["lower"] for row in said["table6"] if "lower" in row}
    assert list(lower.values()) == [62.46, 11.21, 67.75]
    for name, printed in lower.items():
        before, after = (
            cell("uae", "table6", (TEST,), augmentation=name, arm=arm)[0][TEST]
            for arm in ("augmented", "augmented_uae")
        )
        assert 100 * (before - after) / before == pytest.approx(printed, abs=0.006)


def test_published_cells_are_whole_and_doubted_where_they_cannot_hold() -> None:
    said = published("uae")
    assert [len(said[f"table{number}"]) for number in (5, 6, 7, 8)] == [2, 6, 40, 12]
    table = {(row["data"], row["model"], row["arm"]): row for row in said["table7"]}
    assert table["mnist", "adversarial_ae", "uae"]["doubtful"] == [TRAIN]
    for (name, model, arm), row in table.items():
        worse = row[TRAIN] > table[name, model, "original"][TRAIN]
        assert arm != "uae" or worse == bool(row["doubtful"])
    for row in said["table6"]:
        assert bool(row["doubtful"]) == ("noise" in row["augmentation"]), "two values of σ are printed"
    assert all("fid" in row["doubtful"] for row in said["table5"] if row["compress_by"] == "convolution")
    columns = {model: [row[TEST] for row in said["table8"] if row["model"] == model] for model in
               ("plain_conv_ae", "concrete_ae")}  # fmt: skip
    assert max(columns["plain_conv_ae"]) / min(columns["plain_conv_ae"]) == pytest.approx(1.29, abs=0.005)
    assert max(columns["concrete_ae"]) / min(columns["concrete_ae"]) == pytest.approx(1.014, abs=0.001)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same studies with steps so few that all take seconds."""
    monkeypatch.setitem(uae.STEPS, "quick", dict.fromkeys(uae.LONGER, 20))
    monkeypatch.setitem(uae.MINE, "quick", {"similarity": "closed_form", "steps": 8})
    monkeypatch.setitem(uae.MEASURED, "quick", ("dense_ae",))
    monkeypatch.setattr("engine.studies.uae_table7.TITLES", ("original", "equal_steps", "noise_2", "uae"))


@pytest.mark.slow
def test_augmented_models_and_their_control_take_equal_steps_from_one_draw(tiny: None) -> None:
    spec = prepare("study", "uae.table7", "digits", changes={"seeds": 2})
    rows = {row.arm: row for row in run(spec) if isinstance(row, Row) and row.measured}
    assert list(rows) == ["original", "equal_steps", "noise_2", "uae"]
    for arm, row in rows.items():
        assert row.measured is not None and set(row.measured) == {TEST, TRAIN}
        assert len(row.measured[TEST]["seeds"]) == 2 and row.published or arm == "equal_steps"
        assert ("l2_mean" in row.controls) == (arm in ("noise_2", "uae"))
        for seed, key in enumerate(row.runs["model"]):
            made = Store().find(key)
            settings = made.spec.settings["model_settings"]
            assert settings["steps"] == (20 if arm == "original" else 60) and made.spec.seed == seed
            assert made.result()[TEST] == row.measured[TEST]["seeds"][seed]
            rows_used = data_of(made.spec, Store()).rows("train")
            assert len(rows_used) == (2 if arm in ("noise_2", "uae") else 1) * 898
            if arm in ("noise_2", "uae"):
                attack = Store().find(made.spec.builds_on["with"])
                assert attack.spec.builds_on["model"] == rows["original"].runs["model"][seed]
                assert attack.result()["l2_mean"] == row.controls["l2_mean"]["seeds"][seed]


@pytest.mark.parametrize("size", ["quick", "paper"])
def test_trainings_of_equal_steps_see_equal_batches(size: str) -> None:
    """The published batch of the concrete autoencoder would double with the samples."""
    study = registry.find("study", "uae.table8")(size=size)
    rows = [case.training for case in study.cases() if case.arm != "original"]
    for model in ("plain_conv_ae", "concrete_ae"):
        settings = [
            registry.find("model", model).preset(row.preset, **row.changes)
            for row in rows
            if row.model == model
        ]
        assert len({(each.steps, each.batch) for each in settings}) == 1 and settings[0].batch > 0


def test_rows_of_table_5_say_how_many_pairs_and_of_what() -> None:
    """K = 96 as printed; as many as the classifier has filters where its maps are the pairs."""
    for size in ("quick", "mini", "paper"):
        cases = registry.find("study", "uae.table5")(size=size).cases()
        told = {case.treatment: case.about for case in cases if case.training}
        assert told["pairs"]["compressed"] == told["unlike"]["compressed"] == 96
        assert "compressed" not in told["l2"] and "compressed" not in told["closed_form"]
        assert size == "quick" or told["convolution"]["compressed"] == 32
        attack = next(case.attacking for case in cases if case.treatment == "pairs")
        assert attack is not None and attack.changes["compressed"] == 96


def test_a_study_is_another_one_when_the_attack_that_makes_its_samples_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = prepare("study", "uae.table7", "digits").version
    attack = registry.find("attack", "minmax")
    monkeypatch.setattr(attack, "version", attack.version + 1)
    assert prepare("study", "uae.table7", "digits").version == before + 1


def test_shipped_digits_show_what_longer_training_explains() -> None:
    """The closing sentence of table 7: what training longer is worth, and what UAE add to it."""
    rows = json.loads((SHIPPED / "uae.table7.quick.json").read_text())["rows"]
    test = {(row["model"], row["arm"]): row["measured"][TEST] for row in rows if row["measured"]}
    for model in uae.MODELS:
        original, control, augmented = (
            np.array(test[model, arm]["seeds"]) for arm in ("original", "equal_steps", "uae")
        )
        assert (control < original).all()
        _, low, high = paired_difference(augmented, control)
        assert low < 0 < high, f"{model}: beside the control the UAE are not to be told apart"


@pytest.mark.parametrize("name", [name for name in registry.names("study") if name.startswith("uae.")])
def test_a_protocol_says_what_noise_the_attacks_of_its_rows_are_judged_beside(name: str) -> None:
    """Of an attack that does not fill its budget, noise as long as each answer; else of the size ε."""
    study = registry.find("study", name)
    for size in study.measured_on:
        chosen = study(size=size)
        attacks = {case.attacking.attack for case in chosen.cases() if case.attacking}
        fills = {registry.find("attack", attack).fills for attack in attacks}
        assert (False in fills) == ("as far, in L2, as its own answer went" in chosen.protocol)
        assert (True in fills) == ("random signs of size ε" in chosen.protocol)
        assert ("pgd" in attacks) == ("PGD" in chosen.protocol)


@pytest.mark.parametrize("name", [name for name in registry.names("study") if name.startswith("uae.")])
def test_what_is_said_of_a_study_is_true_of_every_size(name: str) -> None:
    study = registry.find("study", name)
    sizes = [study(size=size).cases() for size in study.measured_on]
    for word, model in (("convolutional", "plain_conv_ae"), ("concrete", "concrete_ae")):
        if word in study.summary:
            assert all(model in {case.model for case in cases} for cases in sizes)
    values = any(case.published for cases in sizes for case in cases)
    assert values == study.about_published.startswith("Published:")


@pytest.mark.parametrize("name", ["uae.figure1", "uae.table5"])
def test_a_protocol_says_how_the_estimate_is_reduced(name: str) -> None:
    """K only where it is not the published one: 500, and 96 in table 5."""
    minmax = registry.find("attack", "minmax")
    for size in ("quick", "mini"):
        chosen = registry.find("study", name)(size=size)
        pairs = next(case.attacking for case in chosen.cases() if case.treatment == "pairs")
        own = {field: value for field, value in pairs.changes.items() if field in minmax.model_fields}
        attack = minmax(**own)
        said = chosen.protocol_in_full
        assert (f"K = {attack.compressed} (500) pairs" in said) == (name == "uae.figure1")
        assert f"pairs of {attack.size} numbers (128)" in said and f"Adam {attack.rate:g} (1.5e-5)" in said
        assert f"the {attack.network} network" in said and f"{attack.steps} steps (1,000)" in said
        assert attack.inner_steps == 1 and "one step of the estimate" in said
