"""The Defend page: shipped studies as curves, grid, tables; and training a defence."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, quote

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers.studies import grid, judged, results, tables
from engine import registry
from engine.asking.questions import PrepareQuestion
from engine.events import Row
from engine.store.store import Store
from engine.store.wanted import Wanted
from engine.studies.study import over_seeds
from tests.app.conftest import Desk, method, said

Opened = Callable[..., AppTest]


def row(
    model: str, scores: list[float], clean: float = 0.9, epsilon: float = 0.2, treatment: str = "pgd"
) -> Row:
    controls = {
        "acc_attacked_fixed_match": scores,
        "acc_clean": [clean] * len(scores),
        "n": [100.0] * len(scores),
    }
    return Row(
        step=1,
        total=1,
        model=model,
        treatment=treatment,
        about={"epsilon": epsilon},
        measured={"acc": over_seeds([0.99] * len(scores))},
        controls={name: over_seeds(seeds) for name, seeds in controls.items()},
    )


def judge(*rows: Row) -> list[judged.Verdict]:
    return judged.verdicts(results.Result("ar_dmvc.table3", "quick", list(rows), "", 3, ""))


def test_the_rule_of_a_verdict() -> None:
    base = row("comvc", [0.2, 0.25, 0.3])
    words = {
        "works": row("ar_dmvc", [0.72, 0.75, 0.8]),  # 0.84 of 0.9, and far above the base
        "weak": row("ar_dmvc", [0.5, 0.55, 0.6]),  # 0.61 of it
        "broken": row("ar_dmvc", [0.21, 0.2, 0.2]),  # 0.23 of it
    }
    assert [judge(base, defended)[0].word for defended in words.values()] == list(words)
    noisy = judge(base, row("ar_dmvc", [0.2, 0.99, 0.99]))[0]
    assert noisy.kept > judged.WORKS / 1.1 and noisy.gain[1] < 0 and noisy.word == "weak", "within the noise"
    strong_base = judge(row("comvc", [0.8, 0.8, 0.8]), row("ar_dmvc", [0.75, 0.76, 0.78]))[0]
    assert strong_base.word == "broken", "it adds nothing"
    alone = judge(row("comvc", [0.2]), row("ar_dmvc", [0.8]))[0]
    assert alone.word == "works" and np.isinf(alone.gain[1])


def test_near_a_mark_numbers_have_the_digits_that_tell_on_which_side_they_are() -> None:
    found = results.Result("ar_dmvc.table3", "quick", [], "", 3, "")
    below = judge(row("comvc", [0.2, 0.21], 0.8011), row("ar_dmvc", [0.5967, 0.5967], 0.8011))[0]
    assert (below.word, below.digits) == ("weak", 3), "0.60 of 0.80 would be three quarters"
    assert "0.597 of its 0.801 ACC" in judged.sentences(found, [below])[0]
    clear = judge(row("comvc", [0.2, 0.21]), row("ar_dmvc", [0.8, 0.8]))[0]
    assert (clear.word, clear.digits) == ("works", 2)
    interval = judge(row("comvc", [0.25, 0.25, 0.25]), row("ar_dmvc", [0.2507, 0.6, 0.9493]))[0]
    low = interval.gain[1]
    level = judge(row("comvc", [0.25 + low + 0.0014] * 3), row("ar_dmvc", [0.2507, 0.6, 0.9493]))[0]
    assert level.gain[1] == pytest.approx(-0.0014) and level.digits == 3
    assert "interval −0.001 to" in judged.sentences(found, [level])[0]


def test_a_verdict_says_what_a_longer_search_still_reaches() -> None:
    found = results.Result("ar_dmvc.table3", "quick", [], "", 3, "")
    base, defended = row("comvc", [0.2, 0.21]), row("ar_dmvc", [0.8, 0.8])
    still = base.controls | {
        "strongest_missed": over_seeds([0.06, 0.06]),
        "strongest_n": over_seeds([100, 100]),
    }
    few = base.controls | {"strongest_missed": over_seeds([0.2]), "strongest_n": over_seeds([5])}
    missed = [judge(base.model_copy(update={"controls": each}), defended)[0] for each in (still, few)]
    assert [each.missed for each in missed] == [("comvc",), ()], "12 of 200, and 1 of 5"
    said_of_it = [judged.sentences(found, [each])[0] for each in missed]
    assert (
        "no defence, more starts and targets still reach samples" in said_of_it[0]
        and "still reach" not in said_of_it[1]
    )


def test_a_defence_is_judged_by_the_attack_that_leaves_it_least() -> None:
    weak, strong = row("ar_dmvc", [0.8, 0.8], treatment="generator_released"), row("ar_dmvc", [0.1, 0.1])
    verdict = judge(row("comvc", [0.05, 0.06]), weak, strong)[0]
    assert (verdict.attack, verdict.word) == ("pgd", "broken")


@pytest.mark.parametrize("size", ["quick", "mini"])
def test_the_sentences_say_what_the_table_says(size: str, trained_home: Store, opened: Opened) -> None:
    found = results.result("ar_dmvc.table3", size)
    assert found is not None
    verdicts = judged.verdicts(found)
    at = opened("defend", size=size)
    table = at.dataframe[0].value
    assert len(table) == 6 and set(table["verdict"]) <= judged.COLOURS.keys()
    for place, line in table.iterrows():
        rows = [
            one for one in found.measured if one.model == verdicts[int(str(place))].defence and not one.arm
        ]
        scores = [
            one.controls["acc_attacked_fixed_match"]["mean"]
            for one in rows
            if one.about["epsilon"] == float(line["ε"])
        ]
        digits = len(line["ACC, attacked"]) - 2
        assert line["ACC, attacked"] == f"{min(scores):.{digits}f}" and digits in (2, 3)
        shown = next(
            text.value
            for text in at.markdown
            if text.value.startswith(":") and line["defence"] + " " in text.value
        )
        assert f"[ε = {line['ε']}: {line['verdict']}]" in shown
        if f"At ε = {line['ε']} " in shown:
            said_there = (
                line["ACC, attacked"],
                line["ACC, clean"],
                line["without defence"],
                line["difference"],
            )
            assert all(number in shown for number in said_there), shown


def test_the_verdict_comes_first_with_a_row_of_pictures(trained_home: Store, opened: Opened) -> None:
    at = opened("defend")
    drawn = [element.proto.body for element in at.get("html") if "feint-grid" in element.proto.body]
    assert len(drawn) == 1 and drawn[0].count("<img") == 4
    assert "no defence: goes from 3 to 8" in drawn[0] and drawn[0].count(">AR-DMVC: stays in 3<") == 1
    assert at.markdown[2].value.startswith(":"), "after keys and lead"


def test_the_model_without_defence_is_trained_as_long(trained_home: Store) -> None:
    for size in ("quick", "mini"):
        found = results.result("ar_dmvc.table3", size)
        assert found is not None
        epochs = {
            one.about["epochs"]
            for one in found.measured
            if not one.arm and one.model in ("comvc", "ar_dmvc_am", "ar_dmvc")
        }
        assert len(epochs) == 1, f"{size}: {epochs}"


def test_an_own_smaller_study_does_not_hide_the_shipped_one(trained_home: Store, opened: Opened) -> None:
    shipped = results.result("ar_dmvc.table1", "quick")
    assert shipped is not None and shipped.seeds == 3 and shipped.where.startswith("shipped")


def test_a_cell_of_the_grid_opens_the_runs_behind_it(trained_home: Store, opened: Opened, desk: Desk) -> None:
    found = results.result("ar_dmvc.lambda_gamma", "quick")
    assert found is not None
    at = opened("defend", tab="grid", at="0.01,10")
    cells = grid.judged(found)
    row = next(row for row in cells if (row.about["lam"], row.about["gamma"]) == (0.01, 10.0))
    for seed in range(3):
        next(button for button in at.button if button.label == f"Train seed {seed} here").click().run()
    assert desk.submitted == row.runs["model"], "trained here they are the very runs behind the cell"
    assert f"{row.controls['acc_attacked_fixed_match']['seeds'][1]:.3f}" in said(at)
    at = opened("defend", tab="grid", at="1,0.1")
    links = [(link.proto.label, link.proto.query_string) for link in at.get("page_link")]
    shipped = connection.store().zoo()["noisy_digits/ar_dmvc_am"]
    assert [text for label, text in links if label == "Open seed 0"] == [
        f"v=1&data=noisy_digits&run={quote(shipped.name, safe='')}"
    ], links
    assert at.query_params["at"] in ("1,0.1", ["1,0.1"])


def test_the_grid_is_drawn_by_the_strongest_attack(trained_home: Store) -> None:
    found = results.result("ar_dmvc.lambda_gamma", "quick")
    assert found is not None
    drawn, others = grid.judged(found), [row for row in found.measured if row.treatment == "pgd"]
    assert len(drawn) == len(others) == 49 and {row.treatment for row in drawn} == {"strongest"}


def test_a_link_to_a_cell_that_is_not_there_says_so(trained_home: Store, opened: Opened) -> None:
    at = opened("defend", tab="grid", at="2,3")
    assert any("λ and γ of a cell" in warning.value for warning in at.warning)
    assert any("Click a cell" in info.value for info in at.info)


@pytest.mark.parametrize("file", sorted(results.SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_every_shipped_study_is_a_table(file: object, trained_home: Store, opened: Opened) -> None:
    name, size = str(getattr(file, "stem", "")).rsplit(".", 1)
    found = results.result(name, size)
    assert found is not None
    table = tables.table(found)
    assert len(table) == len(json.loads(getattr(file, "read_text", str)())["rows"]) and "model" in table
    assert any(column.endswith("here") for column in table)
    raw = [name for name in table.get("published for", []) if name.split(", ")[0] in registry.names("data")]
    assert not raw, "data by their titles"


def test_the_tables_show_published_beside_measured(trained_home: Store, opened: Opened) -> None:
    at = opened("defend", tab="tables")
    assert {"ACC, published", "ACC, here", "Flip rate", "Flip rate, noise", "KL of assignments"} <= set(
        at.dataframe[0].value.columns
    ), said(at)


@pytest.mark.parametrize(("page", "data"), [("defend", "noisy_digits"), ("robust", "digits")])
def test_train_opens_with_what_was_linked(
    page: str, data: str, trained_home: Store, opened: Opened, desk: Desk
) -> None:
    unrelated = trained_home.create(method(trained_home, "adec").spec.model_copy(update={"seed": 77}))
    unrelated.want("run")
    at = opened(page, tab="train", data=data)
    found = [link.proto for link in at.get("page_link")]
    linked = [parse_qs(link.query_string) for link in found if "on Train" in link.label]
    assert len(linked) == (3 if page == "defend" else 4)
    for address in linked:
        parameters = {name: values[0] for name, values in address.items()}
        train = opened("train", **parameters, seed="5")
        assert unrelated.key[:8] not in said(train) and "Pause" not in [one.label for one in train.button]
        desk.submitted.clear()
        next(button for button in train.button if button.label == "Train").click().run()
        assert not train.exception and len(desk.submitted) == 1
        spec = Store().find(desk.submitted[0]).spec
        assert (spec.name, spec.data, spec.seed) == (parameters["method"], data, 5)
        wanted = Wanted("train", spec.name, data, 5, parameters["preset"])
        assert spec == connection.ask(PrepareQuestion(**vars(wanted))).spec
        assert "**Train**" in said(at) and "Train it live" not in [button.label for button in train.button]
