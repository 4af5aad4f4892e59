"""Studies: rows over seeds beside what was published, resumable run by run; and the results that ship."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import data, registry
from engine.attacks.latent_attack import LatentAttack
from engine.attacks.mv_gan import MvGAN
from engine.events import Evaluate, Row, from_line, to_line
from engine.metrics import clustering
from engine.running import masking
from engine.running.actions import action_class
from engine.running.preparing import spec_of
from engine.running.runner import prepare, run
from engine.store.store import Store
from engine.studies import adec_drift
from engine.studies.ar_dmvc import HERE, JUDGED_ON, MultiViewStudy
from engine.studies.ar_dmvc_confusion import matched
from engine.studies.protocols import Attacking, Training, cell, published
from engine.studies.study import over_seeds

SHIPPED = sorted((Path(__file__).resolve().parents[3] / "assets" / "studies").glob("*.json"))
NAMES = registry.names("study")
SIZED = [(size, name) for name in NAMES for size in registry.find("study", name).measured_on]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same studies with networks and attacks that take a second."""
    once = functools.partial(masking.Strongest, steps=1, starts=1, targets=1)
    monkeypatch.setattr(masking, "Strongest", once)
    small = {"width": 4, "epochs": 1, "batch": 100, "watched": 0}
    attacked = {"objective": "mv_disrupt", "half": "second", "n": 40}
    monkeypatch.setattr(
        MultiViewStudy,
        "trained",
        lambda self, model, data=None, **changes: Training(
            model,
            data or "noisy_digits",
            None,
            small | ({"inner_steps": 1} if model.startswith("ar_") else {}) | changes,
        ),
    )
    monkeypatch.setattr(
        MultiViewStudy, "trained_as_long", lambda self, model, data=None: self.trained(model, data)
    )
    monkeypatch.setattr(
        MultiViewStudy,
        "generator",
        lambda self, strength, epsilon, data=None: Attacking(
            "mv_gan", None, attacked | {"epsilon": epsilon, "epochs": 1}, data
        ),
    )
    monkeypatch.setattr(
        MultiViewStudy,
        "pgd",
        lambda self, epsilon, data=None: Attacking(
            "pgd", None, attacked | {"epsilon": epsilon, "steps": 1}, data
        ),
    )
    monkeypatch.setitem(JUDGED_ON, "quick", 40)
    monkeypatch.setattr("engine.studies.ar_dmvc_lambda_gamma.JUDGED", 40)


def study(name: str, **changes: Any) -> Any:
    return prepare("study", name, "noisy_digits", changes=changes)


@pytest.mark.long
def test_rows_hold_mean_spread_seeds_controls_and_the_runs_behind_them(tiny: None) -> None:
    events = list(run(study("ar_dmvc.lambda_gamma", grid=[10.0], seeds=2)))
    rows = [event for event in events if isinstance(event, Row)]
    assert [(row.about["lam"], row.about["gamma"]) for row in rows] == [(10.0, 10.0)] * 2
    for row in rows:
        assert row.measured is not None and row.published is None
        acc = row.measured["acc"]
        assert (
            len(acc["seeds"]) == 2
            and acc["mean"] == pytest.approx(np.mean(acc["seeds"]))
            and acc["spread"] == pytest.approx(np.std(acc["seeds"], ddof=1))
        )
        assert {"flip_rate", "noise_flip_rate", "acc_clean", "n"} <= row.controls.keys()
        models, attacks = row.runs["model"], row.runs["attack"]
        assert [Store().find(key).spec.seed for key in models] == [0, 1]
        assert [Store().find(key).result()["acc_attacked"] for key in attacks] == acc["seeds"]
        assert from_line(to_line(row)) == row
    result = events[-1].metrics
    assert result["n_rows"] == 2 and result["seconds_of_runs"] > 0 and result["protocol"]


def test_a_study_that_was_stopped_goes_on_where_it_was(tiny: None) -> None:
    spec = study("ar_dmvc.lambda_gamma", grid=[10.0], seeds=1)
    steps = run(spec)
    for event in steps:
        if isinstance(event, Row):
            break
    steps.close()  # type: ignore[attr-defined]
    assert Store().find(spec.key).status() == "stopped"
    made = {key.key for key in Store().all() if key.status() == "finished"}
    assert len(made) == 2
    again = list(run(spec))
    assert again[-1].event == "finished" and len([event for event in again if isinstance(event, Row)]) == 2
    assert made <= {one.key for one in Store().all()} and Store().find(spec.key).status() == "finished"


def test_a_matrix_and_chance_come_from_the_samples(tiny: None) -> None:
    matrices = next(event for event in run(study("ar_dmvc.confusion", seeds=1)) if isinstance(event, Row))
    clean = np.array(matrices.controls["matrix_clean"]["first"])
    assert clean.shape == (10, 10) and clean.sum() == 40
    assert np.trace(clean) / 40 == pytest.approx(matrices.controls["acc_clean"]["mean"])
    moved = next(event for event in run(study("ar_dmvc.transfer", seeds=1)) if isinstance(event, Row))
    assert (
        0.15 < moved.controls["acc_chance"]["mean"] < 0.6 and moved.about["trained_on"] != moved.about["data"]
    )


def test_a_model_that_is_not_built_yet_has_its_published_values_alone(tiny: None) -> None:
    cases = [case for case in registry.find("study", "ar_dmvc.table1")().cases() if case.training is None]
    assert {case.model for case in cases} == {"eamc", "mvae", "infoddc", "sem"}
    assert all(case.published and case.note for case in cases)


def test_published_values_are_those_of_the_paper() -> None:
    said = published("ar_dmvc")
    assert (len(said["table1"]), len(said["table2"]), len(said["table3"])) == (72, 16, 54)
    assert cell(
        "ar_dmvc", "table1", ("acc", "nmi", "ari"), model="ar_dmvc_am", data="noisy_mnist", state="attacked"
    ) == ({"acc": 0.93, "nmi": 0.85, "ari": 0.85}, ())
    assert cell("ar_dmvc", "table1", ("ari",), model="infoddc", data="patched_mnist", state="clean") == (
        {"ari": 0.67},
        ("acc", "nmi", "ari"),
    )
    assert cell("ar_dmvc", "table3", ("acc",), model="ar_dmvc", data="noisy_mnist", epsilon=0.3) == (
        {"acc": 0.54},
        ("acc",),
    )
    assert cell(
        "ar_dmvc",
        "table2",
        ("acc", "nmi"),
        model="ar_dmvc_am",
        trained_on="noisy_fashion_0_4",
        data="noisy_fashion_5_9",
    )[1] == ("acc", "nmi")
    assert cell("ar_dmvc", "table3", ("acc",), model="nobody") == (None, ())


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_every_case_can_be_prepared(name: str, size: str) -> None:
    chosen = registry.find("study", name)(size=size)
    cases = chosen.cases()
    assert (
        chosen.data() in registry.names("data") and chosen.protocol and any(case.training for case in cases)
    )
    for case in cases:
        if case.training is not None:
            owner = registry.find("model", case.training.model)
            owner.preset(case.training.preset, **case.training.changes)
            assert case.training.data in registry.names("data")
        if case.attacking is not None:
            assert case.attacking.attack in registry.names("attack") and case.measured


def test_a_matrix_keeps_its_diagonal_where_clusters_are_empty() -> None:
    label, cluster = np.repeat(np.arange(5), 10), np.repeat([2, 2, 1, 0, 0], 10)
    matrix = np.array(matched(label, cluster))
    assert matrix.shape == (5, 5) and matrix.sum() == 50
    assert np.trace(matrix) == round(50 * clustering.accuracy(label, cluster))
    more = np.array(matched(label, np.arange(50) % 7))
    assert more.shape == (5, 7) and np.trace(more) == round(
        50 * clustering.accuracy(label, np.arange(50) % 7)
    )


def test_a_study_is_another_one_when_an_attack_of_its_rows_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = study("ar_dmvc.table1").version
    monkeypatch.setattr(MvGAN, "version", MvGAN.version + 1)
    assert study("ar_dmvc.table1").version == before + 1


@pytest.mark.parametrize("name", ["ar_dmvc.table1", "ar_dmvc.table3", "ar_dmvc.transfer", "robust.pixels"])
def test_a_protocol_says_how_the_strongest_attack_is_reduced(name: str) -> None:
    chosen = registry.find("study", name)(size="quick")
    strongest = [one.attacking for one in chosen.cases() if one.treatment == "strongest"]
    assert strongest
    for attacking in strongest:
        steps, targets = attacking.changes["steps"], attacking.changes["targets"]
        assert attacking.changes["starts"] == 1 and f"one random start of {steps} steps" in chosen.protocol
        assert f"towards the {targets} nearest others" in chosen.protocol


def test_every_cell_of_the_grid_is_judged() -> None:
    """Beside every row under PGD stands one under the strongest attack, of the same model."""
    cases = registry.find("study", "ar_dmvc.lambda_gamma")().cases()
    assert [case.treatment for case in cases] == ["pgd", "strongest"] * 49
    cells = [(case.about["lam"], case.about["gamma"]) for case in cases[::2]]
    assert cells[:2] == [(0.001, 0.001), (0.001, 0.01)] and len(set(cells)) == 49
    assert [case.training for case in cases[::2]] == [case.training for case in cases[1::2]]
    assert all(case.attacking is not None and case.attacking.changes["n"] == 200 for case in cases[1::2])


def test_over_seeds() -> None:
    assert over_seeds([1.0, 3.0]) == {"mean": 2.0, "spread": pytest.approx(2**0.5), "seeds": [1.0, 3.0]}
    assert (
        over_seeds([1.0])["spread"] is None
        and over_seeds([[1], [2]]) == {"first": [1]}
        and over_seeds([None, 1.0]) == {"first": None}
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_found_in_the_file_named_after_it(name: str) -> None:
    assert registry.find("study", name).__module__ == "engine.studies." + name.replace(".", "_")


@pytest.mark.long
@pytest.mark.parametrize(("size", "name"), SIZED)
def test_rows_say_only_what_their_study_declares(name: str, size: str) -> None:
    entry = registry.catalogue()["study"][name]
    cases = registry.find("study", name)(size=size).cases()
    assert {case.arm for case in cases} <= entry["arms"].keys()
    assert {case.treatment for case in cases} <= entry["treatments"].keys()
    assert {key for case in cases for key in case.about} <= entry["axes"].keys()
    lines = {case.model if entry["lines"] == "model" else case.arm for case in cases}
    assert entry["figure"] == "" or {entry["baseline"], *entry["defences"]} & lines
    apart = [json.dumps([case.model, case.arm, case.treatment, case.about]) for case in cases]
    assert len(set(apart)) == len(apart), "no two rows are called alike"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_rows_are_those_that_the_study_lists(file: Path) -> None:
    found = json.loads(file.read_text())
    cases = registry.find("study", found["study"])(size=found["size"]).cases()
    assert [(row["model"], row["arm"], row["treatment"], row["about"]) for row in found["rows"]] == [
        (case.model, case.arm, case.treatment, dict(case.about)) for case in cases
    ]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_results_are_whole(file: Path) -> None:
    found = json.loads(file.read_text())
    assert found["study"] in NAMES and found["how"]["torch"] and found["protocol"]
    of_one = ("ncp.colour", "uae.figure3", "uae.figure4")
    single = found["study"].startswith("robust.") or found["study"] in of_one
    seeds = 1 if single and found["size"] == "mini" else 3
    seeds = 10 if found["study"].startswith("adec.") else seeds
    assert found["seeds"] == seeds
    said = registry.find("study", found["study"])(size=found["size"]).protocol_in_full
    assert found["protocol"] == said, "what is said of it is what was done"
    rows = [row for row in found["rows"] if row["measured"]]
    assert rows and len(found["rows"]) == found["n_rows"]
    for row in rows:
        for values in row["measured"].values():
            assert len(values["seeds"]) == seeds and values["mean"] == pytest.approx(np.mean(values["seeds"]))
        noise = {"noise_flip_rate", "noise_success_rate"} & row["controls"].keys()
        assert noise or row["treatment"] == "clean"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_rows_of_one_model_over_the_same_samples_have_the_same_clean_scores(file: Path) -> None:
    seen: dict[tuple[str, ...], list[float]] = {}
    for row in json.loads(file.read_text())["rows"]:
        controls = row["controls"] or {}
        if row["treatment"] == "clean" or not {"acc_clean", "n"} <= controls.keys():
            continue
        about = json.dumps({name: value for name, value in row["about"].items() if name != "epsilon"})
        samples = (json.dumps(row["runs"]["model"]), about, json.dumps(controls["n"]["seeds"]))
        assert seen.setdefault(samples, controls["acc_clean"]["seeds"]) == controls["acc_clean"]["seeds"]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_rows_repeat_what_was_published(file: Path) -> None:
    found = json.loads(file.read_text())
    cases = registry.find("study", found["study"])(size=found["size"]).cases()
    for row, case in zip(found["rows"], cases, strict=True):
        assert (row["published"], row["doubtful"]) == (case.published, list(case.doubtful))


@pytest.mark.parametrize("name", ["table1", "table3", "transfer", "epochs", "lambda_gamma", "confusion"])
def test_shipped_rows_lead_to_the_runs_of_their_cases(name: str) -> None:
    """The key of a run is its settings, data and seed: so no row can stand beside another case."""
    found = json.loads(next(file for file in SHIPPED if file.stem == f"ar_dmvc.{name}.quick").read_text())
    study = registry.find("study", found["study"])(size="quick")
    sets = functools.cache(data.load)
    for row, case in zip(found["rows"], study.cases(), strict=True):
        if case.training is None:
            continue
        how, attacking = case.training, case.attacking
        trained = action_class("train").choose(how.model, how.preset, dict(how.changes))
        chosen = action_class("attack").choose(attacking.attack, attacking.preset, dict(attacking.changes))
        for seed, key in enumerate(row["runs"]["model"]):
            assert spec_of(trained, sets(how.data), seed, {}).key == key
            made = spec_of(chosen, sets(attacking.data or how.data), seed, {"model": key}).key
            assert made == row["runs"]["attack"][seed]


def test_drift_is_averaged_over_the_probes_of_the_trainings_of_the_arms(home: Path) -> None:
    found, arms = registry.find("study", "adec.drift")(), registry.find("study", "adec.arms")()
    assert [case.training for case in found.cases()] == [case.training for case in arms.cases()]
    store = Store(home)
    for name in ("adec", "idec_star"):
        run = store.zoo()[f"digits/{name}"]
        angles = [event.metrics.get("delta_fd") for event in run.events() if isinstance(event, Evaluate)]
        angles = [angle for angle in angles if angle is not None]
        means = adec_drift.over_probes(run.folder)
        assert means["delta_fd"] == pytest.approx(sum(angles) / len(angles)) and len(angles) > 50
        assert means["delta_fd_negative"] == sum(angle < 0 for angle in angles) / len(angles)
    assert adec_drift.over_probes(store.zoo()["digits/dense_ae"].folder)["delta_fr"] is None


def test_shipped_digits_show_what_the_paper_claims_and_where_it_ends() -> None:
    file = next(file for file in SHIPPED if file.stem == "ar_dmvc.table3.quick")
    rows = [row for row in json.loads(file.read_text())["rows"] if row["measured"]]

    def acc(model: str, treatment: str, epsilon: float, arm: str = "") -> float:
        wanted = (model, arm, treatment, epsilon)
        return next(
            row["controls"]["acc_attacked_fixed_match"]["mean"]
            for row in rows
            if (row["model"], row["arm"], row["treatment"], row["about"]["epsilon"]) == wanted
        )

    assert acc("comvc", "generator_strong", 0.3, "own_epochs") < 0.3
    assert acc("ar_dmvc_am", "pgd", 0.2) - acc("comvc", "pgd", 0.2) >= 0.05
    assert abs(acc("ar_dmvc_am", "pgd", 0.3) - acc("comvc", "pgd", 0.3)) < 0.1, "at 0.3 nothing is left of it"
    assert {row["model"] for row in rows} == set(HERE)


def test_per_sample_is_stronger_only_where_it_is_said_to_be() -> None:
    """What the setting `variant` of the attack on the embedding says of digits."""
    file = next(file for file in SHIPPED if file.stem == "robust.figure1.quick")
    reached = {
        (row["treatment"], row["about"]["nu"]): row["measured"]["objective"]["mean"]
        for row in json.loads(file.read_text())["rows"]
    }
    said = LatentAttack.model_fields["variant"].description or ""
    assert "more than either network up to ν = 0.005, less than one with ReLU from 0.01 on" in said
    for nu in (0.001, 0.003, 0.005):
        assert reached["per_sample", nu] > max(reached["affine", nu], reached["relu", nu])
    for nu in (0.01, 0.04):
        assert reached["per_sample", nu] < reached["relu", nu]


def test_published_cells_are_doubted_evenly() -> None:
    """By the rules that the note states, wherever they apply."""
    said = published("ar_dmvc")
    cells = {(row["model"], row["data"], row["epsilon"]): row for row in said["table3"]}
    attacked = {(row["model"], row["data"]): row for row in said["table1"] if row["state"] == "attacked"}
    for model, name in {(model, name) for model, name, _ in cells}:
        curve = [cells[model, name, epsilon] for epsilon in (0.1, 0.2, 0.3)]
        beside = attacked[model, name]
        differ = abs(beside["acc"] - curve[2]["acc"]) > 0.04 + 1e-9
        rises = [before["acc"] < after["acc"] for before, after in zip(curve, curve[1:], strict=False)]
        assert ("acc" in beside["doubtful"]) == differ, (model, name)
        assert ("acc" in curve[2]["doubtful"]) == (differ or any(rises)), (model, name)
    robust = published("robust")
    clean = {
        (row["model"], row["data"], row["dimension"]): row
        for row in robust["table2"]
        if row["state"] == "clean"
    }
    for row in robust["table3"]:
        above = row["nmi"] > clean[row["model"], row["data"], row["dimension"]]["nmi"]
        assert not above or "nmi" in row["doubtful"]
    whole = {
        (row["model"], row["data"], row["dimension"])
        for row in robust["table3"]
        if "acc" not in row["doubtful"]
    }
    in_print = {("conv_ae", "stl10", 64), ("conv_ae_mie", "stl10", 128), ("conv_ae_graph", "reuters", 64)}
    assert whole == in_print, "every other one has lost its decimal point or a digit"
    assert all(
        "d_tab" in row["doubtful"] for name in ("table1", "table3") for row in robust[name] if "d_tab" in row
    )
