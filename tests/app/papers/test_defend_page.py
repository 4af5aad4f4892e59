"""The Defend page: shipped studies as curves, grid, tables; and training a defence."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.papers.studies import results, tables, verdicts
from engine.events import Row
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]


def test_it_says_plainly_where_the_defence_holds(trained_home: Store, opened: Opened) -> None:
    at = opened("defend")
    told = [text.value for text in at.markdown if "adds more than" in text.value]
    assert len(told) == 2 and all("against PGD-20" in sentence for sentence in told), said(at)
    assert all(
        "only against the weak generator (as released) at ε = 0.3" in sentence
        and "against the strong generator" in sentence
        for sentence in told
    )
    assert len(at.get("plotly_chart")) == 3


def test_holding_needs_more_than_the_spread() -> None:
    def row(model: str, mean: float, spread: float) -> Row:
        measured = {"acc": {"mean": mean, "spread": spread}}
        return Row(step=1, total=1, model=model, treatment="pgd", about={"epsilon": 0.2}, measured=measured)

    def held(*rows: Row) -> list[str]:
        return verdicts.where_it_holds(results.Result("ar_dmvc.table3", "quick", list(rows), "", 3, ""))

    assert (
        "against PGD-20 at ε = 0.2 (0.50, without 0.20); against the strong generator at no ε shown"
        in held(row("ar_dmvc", 0.5, 0.05), row("comvc", 0.2, 0.05))[0]
    )
    noisy = held(row("ar_dmvc", 0.5, 0.3), row("comvc", 0.2, 0.2))
    assert all("at no ε shown" in sentence for sentence in noisy)


def test_an_own_smaller_study_does_not_hide_the_shipped_one(trained_home: Store, opened: Opened) -> None:
    shipped = results.result("ar_dmvc.table1", "quick")
    assert shipped is not None and shipped.seeds == 3 and shipped.where.startswith("shipped")


def test_a_cell_of_the_grid_opens_or_starts_the_runs_behind_it(
    trained_home: Store, opened: Opened, desk: Desk
) -> None:
    found = results.result("ar_dmvc.lambda_gamma", "quick")
    assert found is not None
    at = opened("defend", tab="grid")
    assert not at.error, said(at)
    at.session_state["grid/quick/cell"] = (1, 1)
    at.run()
    start = [button for button in at.button if button.label == "Train seed 0 here"]
    assert len(start) == 1
    start[0].click()
    at.run()
    wanted = next(
        row
        for row in found.rows
        if row.about["lam"] == sorted({one.about["lam"] for one in found.rows})[1]
        and row.about["gamma"] == sorted({one.about["gamma"] for one in found.rows})[1]
    )
    assert desk.submitted == [wanted.runs["model"][0]], "training it here is the very run behind the cell"


@pytest.mark.parametrize("file", sorted(results.SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_every_shipped_study_is_a_table(file: object, trained_home: Store, opened: Opened) -> None:
    name, size = str(getattr(file, "stem", "")).rsplit(".", 1)
    found = results.result(name, size)
    assert found is not None
    table = tables.table(found)
    assert len(table) == len(json.loads(getattr(file, "read_text", str)())["rows"]) and "model" in table
    assert any(column.endswith("here") for column in table)


def test_the_tables_show_published_beside_measured(trained_home: Store, opened: Opened) -> None:
    at = opened("defend", tab="tables")
    assert {"acc published", "acc here", "Flip rate", "Flip rate, noise", "KL of assignments"} <= set(
        at.dataframe[0].value.columns
    ), said(at)


def test_a_defence_is_trained_from_the_page(trained_home: Store, opened: Opened, desk: Desk) -> None:
    at = opened("defend", tab="train", data="noisy_digits", seed="5")
    next(button for button in at.button if button.label == "Train").click()
    at.run()
    assert not at.exception and len(desk.submitted) == 1
    spec = Store().find(desk.submitted[0]).spec
    assert (spec.name, spec.data, spec.seed) == ("ar_dmvc_am", "noisy_digits", 5)
