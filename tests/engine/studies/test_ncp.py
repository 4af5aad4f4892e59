"""Studies of robust contrastive learning: published values, and what is said of their claims."""

import functools
from typing import Any

import pytest

from engine import registry
from engine.defences.ncp_acl import NCPACL
from engine.events import Row
from engine.models.simclr import SimCLR
from engine.running import masking
from engine.running.runner import prepare, run
from engine.store.store import Store
from engine.studies.ncp import BOTH_STAGES, PRESETS, NCPStudy
from engine.studies.ncp_table4 import Table4
from engine.studies.protocols import Training, cell, published

SCORES = ("sa", "ra", "aa")


def printed(table: str, data: str, **where: object) -> dict[str, float]:
    found, _ = cell("ncp_acl", table, SCORES, data=data, **where)
    assert found is not None
    return {name: 100 * value for name, value in found.items()}


def test_what_the_text_claims_recomputes_from_its_tables() -> None:
    """Test 16 of the specification."""
    ours = {data: printed("table2", data, model="ncp_acl") for data in ("cifar10", "cifar100", "stl10")}
    deacl, other = printed("table2", "stl10", model="deacl"), printed("table2", "cifar100", model="dynacl_pp")
    assert ours["stl10"]["ra"] - deacl["ra"] == pytest.approx(2.25, abs=0.001)
    assert ours["stl10"]["aa"] - deacl["aa"] == pytest.approx(5.05, abs=0.001)
    assert ours["cifar100"]["sa"] - other["sa"] == pytest.approx(-2.93, abs=0.001)
    assert ours["cifar100"]["ra"] - other["ra"] == pytest.approx(10.04, abs=0.001)
    assert ours["cifar100"]["aa"] - other["aa"] == pytest.approx(3.61, abs=0.001)
    names = ("probability_lost", "mistaken_rate")
    towards, noise = (
        cell("ncp_acl", "table1", names, treatment=kind, data="stl10")[0] for kind in ("delta_nbr", "uniform")
    )
    assert towards and noise
    assert [towards[name] / noise[name] for name in names] == pytest.approx([25.7, 20.6], abs=0.05)


def test_published_cells_are_whole_and_doubted_where_they_must_be() -> None:
    said = published("ncp_acl")
    assert [len(said[f"table{number}"]) for number in range(1, 6)] == [6, 17, 12, 9, 12]
    method = {row["data"]: row for row in said["table2"] if row["model"] == "ncp_acl"}
    for row in (*said["table4"], *said["table5"]):
        if row.get("strategy", "both") == "both" and row.get("neighbour", 2) == 2:
            assert all(row[name] == method[row["data"]][name] for name in SCORES), "the same model"
    quoted = {(row["model"], row["data"]) for row in said["table2"] if row["doubtful"]}
    assert quoted == {(model, data) for model in ("advcl", "deacl") for data in ("cifar10", "cifar100")}
    tied = [row["ra"] for row in said["table3"] if row["probe"] == "adversarial_probe" and row["ra"] > 0.546]
    assert tied == [0.5461, 0.5461]
    for data in ("cifar10", "cifar100", "stl10"):
        second, third = (printed("table5", data, neighbour=n) for n in (2, 3))
        assert third["ra"] > second["ra"] and third["aa"] > second["aa"]
    aa = {row["model"]: row["aa"] for row in said["table2"] if row["data"] == "cifar100"}
    assert aa["dynacl_air_pp"] > aa["deacl"], "though the latter is underlined as the second best"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same studies with trainings and attacks of a second."""
    first = SimCLR.presets["quick"] | {"epochs": 1}
    stage = NCPACL.presets["quick"] | {"epochs": 1, "attack_steps": 1, "encoder_settings": first}
    monkeypatch.setattr(NCPStudy, "stage1", lambda self, **_: Training("simclr", "digits", None, first))
    monkeypatch.setattr(
        NCPStudy,
        "encoder",
        lambda self, model, clusters=None, **changes: Training(
            model, "digits", None, stage | changes, clusters=clusters or 10
        ),
    )
    monkeypatch.setattr("engine.studies.ncp.ATTACKED", {"quick": 40})
    monkeypatch.setattr("engine.studies.ncp.AUTOATTACK", {"quick": ("lite", 10)})
    monkeypatch.setattr(
        masking, "Strongest", functools.partial(masking.Strongest, steps=1, starts=1, targets=1)
    )


@pytest.mark.slow
def test_a_row_holds_clean_accuracy_and_that_under_both_attacks(tiny: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.studies.ncp_table5.NEIGHBOURS", (3,))
    spec = prepare("study", "ncp.table5", "digits", changes={"seeds": 1})
    row = next(row for row in run(spec) if isinstance(row, Row) and row.measured)
    model, pgd, autoattack = (Store().find(row.runs[role][0]) for role in ("model", "attack", "attack2"))
    assert row.measured is not None and row.about["neighbour"] == 3
    measured = {name: values["mean"] for name, values in row.measured.items()}
    assert measured == {
        "sa": pgd.result()["accuracy_clean"],
        "ra": pgd.result()["accuracy_attacked"],
        "aa_lite": autoattack.result()["accuracy_attacked"],
    }
    assert {pgd.spec.builds_on["model"], autoattack.spec.builds_on["model"]} == {model.key}
    trained = Store().find(model.spec.builds_on["base"])
    assert trained.spec.settings["model_settings"]["neighbour"] == 3
    assert row.published == {"sa": 0.8173, "ra": 0.5441, "aa": 0.4993}, "of the same neighbour"


def test_in_the_same_loop_deacl_differs_from_ncp_acl_in_its_attack_alone() -> None:
    arms = {case.arm: case.training for case in Table4().cases() if case.training}
    ours, same = arms["both"], arms["teacher"]
    settings = [
        registry.find("model", each.base.model).preset(each.base.preset).values()  # type: ignore[union-attr]
        for each in (ours, same)
    ]
    shared = settings[0].keys() & settings[1].keys()
    assert {"lam", "dual_norm", "epochs", "rate", "epsilon", "attack_steps"} <= shared
    assert all(settings[0][name] == settings[1][name] for name in shared)


def test_training_longer_takes_as_many_steps_as_both_stages() -> None:
    for size, total in BOTH_STAGES.items():
        rows = {"quick": 898, "mini": 5000, "paper": 50_000}[size]
        first, second = (cls.preset(PRESETS[size]) for cls in (SimCLR, NCPACL))
        dynacl = NCPStudy(size=size).encoder("dynacl").changes
        assert dynacl.get("epochs", second.epochs) == second.epochs
        assert total == sum(each.epochs * (rows // each.batch) for each in (first, second))
