"""Studies of robust contrastive learning: published values, and what is said of their claims."""

import pytest

from engine.studies.protocols import cell, published

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
    names = ("probability_drop", "success_rate")
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
