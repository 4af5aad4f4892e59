"""The page Claims, on the results that ship with Feint."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app.papers.studies import claims, results
from app.papers.studies.results import Result
from engine import registry
from engine.events import Row
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]
CLAIMING = [name for name in registry.names("study") if registry.find("study", name).claims]


def told(at: AppTest) -> str:
    return "\n".join(text.value for text in at.markdown)


def test_every_claim_has_its_verdict_and_its_command(trained_home: Store, opened: Opened) -> None:
    at = opened("claims")
    assert not at.error and not at.warning, said(at)
    words = told(at).replace("\\", "")
    for name in CLAIMING:
        for claim in registry.find("study", name).claims:
            assert claim.says in words, name
    commands = [block.value for block in at.code]
    assert commands[-1].splitlines() == commands[:-2]  # the foot has all, for a report and a notebook
    assert all(any(f"engine study {name} " in line for line in commands) for name in CLAIMING)


def test_each_judged_result_has_a_command_of_its_own(trained_home: Store, opened: Opened) -> None:
    commands = [block.value for block in opened("claims").code]
    for name in CLAIMING:
        entry = results.declared(name)
        here = [found for size in entry["measured_on"] if (found := results.result(name, size))]
        judged = [(found.size, found.seeds) for found in here if claims.judge(found)]
        for size, seeds in judged:
            assert results.command(name, size, seeds)["Command line"] in commands, (name, size, seeds)


def test_what_holds_in_part_says_which_pairs_bear_it_out(trained_home: Store, opened: Opened) -> None:
    words = told(opened("claims"))
    partly = 0
    for name in CLAIMING:
        found = results.result(name, "quick")
        for verdict in claims.judge(found) if found else []:
            said_of_it = claims.borne_out(verdict, claims.pairs(verdict, found))
            assert bool(said_of_it) == (verdict.word == "holds only")
            assert claims.plain(said_of_it) in words
            partly += bool(said_of_it)
    assert partly


def test_the_fewer_pairs_are_told_where_they_are_many(home: object, desk: Desk) -> None:
    many = results.result("robust.table1", "quick")
    assert many is not None
    (verdict,) = claims.judge(many)
    others = [one for one in verdict.comparisons if one not in verdict.borne_out]
    assert (
        claims.borne_out(verdict, claims.pairs(verdict, many))
        == "Borne out by all but "
        + "; ".join(
            pair
            for pair, one in zip(claims.pairs(verdict, many), verdict.comparisons, strict=True)
            if one in others
        )
        + "."
    )
    few = results.result("ar_dmvc.table3", "quick")
    assert few is not None
    says = claims.in_words(claims.judge(few)[2], few)
    assert "Borne out by ε 0.1: AR-DMVC-AM minus AR-DMVC: +" in says and ". Not by ε 0.2: " in says


@pytest.mark.parametrize("word", ["holds", "does not hold"])
def test_one_word_alone_is_shown(word: str, trained_home: Store, opened: Opened) -> None:
    at = opened("claims", status=word)
    badges = [text.value for text in at.markdown if "-badge[" in text.value]
    assert badges and all(f"-badge[{word}]" in badge for badge in badges), badges


def test_one_paper_alone_is_shown(trained_home: Store, opened: Opened) -> None:
    at = opened("claims", paper="uae")
    titles = [head.value for head in at.subheader]
    assert titles and all(title.startswith("UAE") for title in titles), titles


@pytest.mark.parametrize("name", CLAIMING)
def test_every_claim_of_a_shipped_study_is_about_rows_that_it_has(
    name: str, home: object, desk: Desk
) -> None:
    found = results.result(name, "quick")
    if found is None:
        pytest.skip("no result of it ships")
    judged = [verdict.claim.says for verdict in claims.judge(found)]
    lacking = [claim.says for claim in claims.declared(found.declared) if claim.says not in judged]
    assert all("(AA)" in says for says in lacking), lacking  # AA-lite stands for it at this size


@pytest.mark.parametrize(
    ("name", "size", "said_of", "pairs"),
    [
        ("robust.table2", "quick", "acc", 12),
        ("robust.table2", "mini", "acc", 9),
        ("uae.other_data", "mini", "reconstruction_mse_test", 4),
        ("uae.table6", "quick", "reconstruction_mse_test", 1),
    ],
)
def test_what_beside_the_first_tables_is_claimed_is_judged_by_its_shipped_rows(
    name: str, size: str, said_of: str, pairs: int, home: object, desk: Desk
) -> None:
    found = results.result(name, size)
    assert found is not None
    judged = claims.judge(found)
    assert [one.claim for one in judged] == list(registry.find("study", name).claims)
    assert judged[0].claim.value == said_of and len(judged[0].comparisons) == pairs


def test_points_are_not_multiplied_again(home: object, desk: Desk) -> None:
    found = results.result("ncp.table1", "quick")
    assert found is not None
    lost = next(each for each in claims.judge(found) if each.claim.value == "probability_lost")
    one = lost.comparisons[0]
    first, second = ((row.measured or {})["probability_lost"]["mean"] for row in (one.first, one.second))
    assert claims.differences(lost, found)[0][1] == f"{first - second:+.1f} points"


def test_cosines_differ_in_thousandths(home: object, desk: Desk) -> None:
    values = {"adec": [0.404, 0.424], "idec_star": [0.354, 0.324]}
    rows = [
        Row(
            step=1,
            total=2,
            model=model,
            treatment="clean",
            measured={"delta_fr": {"mean": sum(of_seed) / 2, "spread": 0.01, "seeds": of_seed}},
        )
        for model, of_seed in values.items()
    ]
    found = Result("adec.drift", "quick", rows, "", 2, "here")
    first, *_others = claims.judge(found)
    pair, mean, interval = claims.differences(first, found)[0]
    assert (pair, mean) == ("ADEC minus IDEC*", "+0.075") and interval.startswith("−0.2"), interval
    assert claims.sides(first)[0]["the first, here"] == "0.414 ± 0.010"


def test_differences_say_what_is_taken_from_what(home: object, desk: Desk) -> None:
    found = results.result("uae.table7", "quick")
    assert found is not None
    first = claims.judge(found)[0]
    pair, mean, interval = claims.differences(first, found)[0]
    assert pair == "Sparse autoencoder: original minus UAE"
    errors = {row.arm: (row.measured or {})["reconstruction_mse_test"]["mean"] for row in found.measured[:8]}
    assert mean == f"{100 * (1 - errors['uae'] / errors['original']):+.1f} %" and " to " in interval


def test_both_sides_of_a_difference_stand_beside_what_was_published(home: object, desk: Desk) -> None:
    found = results.result("ncp.table2", "quick")
    assert found is not None
    by_pgd, by_aa, *_ = claims.judge(found)
    line = claims.sides(by_pgd)[0]
    assert list(line) == [
        "the first, here",
        "the first, published",
        "the second, here",
        "the second, published",
    ]
    one = by_pgd.comparisons[0]
    assert line["the first, here"] == results.in_words((one.first.measured or {})["ra"])
    assert line["the first, published"] == "0.5406 (CIFAR-10)"
    assert claims.sides(by_aa)[0]["the first, published"] == "", "AA was published, AA-lite was not"
    doubted = replace(one, first=one.first.model_copy(update={"doubtful": ["ra"]}))
    line = claims.sides(replace(by_pgd, comparisons=(doubted,)))[0]
    assert line["the first, published"] == "0.5406 (?) (CIFAR-10)"


def test_the_frames_of_the_page_hold_what_was_measured_and_published(
    trained_home: Store, opened: Opened
) -> None:
    frames = [table.value for table in opened("claims").dataframe]
    assert frames and all(
        {"what", "the first, here", "the second, published"} <= set(frame) for frame in frames
    )
    assert all((frame["the first, here"] != "").all() for frame in frames)
