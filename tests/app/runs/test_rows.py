"""The list of runs: what stands in a row, and the table to take away."""

from app.runs.rows import as_table, listed, numbers
from engine.store.store import Store
from tests.app.conftest import Desk, method


def test_rows_of_the_list_can_be_taken_away(trained_home: Store, desk: Desk) -> None:
    rows = listed()
    assert {row.title for row in rows if row.place == "mine"} == {"ADEC", "DEC*", "ACAI + k-means"}
    assert as_table(rows).to_csv(index=False).splitlines()[0].startswith("name,title,what,data,seed,score")
    adec = next(row for row in rows if row.name == method(trained_home, "adec").key)
    assert adec.score.startswith("ACC 0.") and "adec" in adec.words and not adec.lives


def test_what_cannot_be_read_has_a_row_too(trained_home: Store, desk: Desk) -> None:
    run = method(trained_home, "adec")
    (run.folder / "spec.json").write_text("{")
    row = next(row for row in listed() if row.name == run.key)
    assert (row.title, row.status, row.seed) == ("Unreadable run", "broken", None)


def test_first_numbers_are_the_declared_ones(desk: Desk) -> None:
    assert numbers({"acc": 0.5, "nmi": 0.25, "seconds": 3.0}) == ["ACC 0.500"]
    attacked = {"flip_rate": 0.5, "noise_flip_rate": 0.125, "acc_attacked": 0.3}
    assert numbers(attacked) == ["Flip rate 0.500, noise 0.125"]
    assert numbers(attacked | {"success_rate": 0.25}) == ["Success 0.250"]
    assert numbers({"acc": None}) == [] == numbers({})
