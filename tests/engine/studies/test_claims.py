"""What is left of a paper's claims: by differences over seeds, row beside row."""

from typing import Any

import pytest

from engine.events import Row
from engine.studies.claims import Claim, verdicts


def row(model: str, values: list[float], **about: Any) -> Row:
    held = {"ra": {"mean": sum(values) / len(values), "seeds": values}}
    return Row(step=1, total=1, model=model, about=about, measured=held)


OURS, OTHERS = {"model": "ours"}, [{"model": "a"}, {"model": "b"}]
MORE = Claim("more", "ra", OURS, OTHERS)


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        ([0.1, 0.11, 0.12], [0.2, 0.21, 0.22], "holds"),
        ([0.1, 0.11, 0.12], [0.5, 0.1, 0.3], "holds only"),
        ([0.6, 0.61, 0.62], [0.5, 0.1, 0.3], "does not hold"),
    ],
)
def test_a_claim_holds_beside_those_that_it_is_told_from(a: list[float], b: list[float], word: str) -> None:
    (verdict,) = verdicts([MORE], [row("ours", [0.3, 0.31, 0.32]), row("a", a), row("b", b)])
    assert verdict.word == word and len(verdict.comparisons) == 2
    assert [one.second.model for one in verdict.borne_out] == ["a", "b"][: len(verdict.borne_out)]


def test_a_difference_must_be_beyond_its_interval_over_seeds_and_of_one_seed_its_sign_counts() -> None:
    ours, other = row("ours", [0.3, 0.5, 0.4]), row("a", [0.29, 0.52, 0.36])
    assert verdicts([MORE], [ours, other])[0].word == "not shown", "it leans to it"
    assert verdicts([MORE], [row("ours", [0.3]), row("a", [0.29])])[0].word == "not shown", "by one sign"
    others = [row(name, [0.29]) for name in "abcde"]
    five = Claim("more", "ra", OURS, [{"model": name} for name in "abcde"])
    assert verdicts([five], [row("ours", [0.3]), *others])[0].word == "holds"
    assert verdicts([five], [row("ours", [0.3]), *others[1:], row("a", [0.4])])[0].word == "not shown"
    nine = Claim("more", "ra", OURS, [{"model": name} for name in "abcdefghi"])
    most = [row(name, [0.29]) for name in "bcdefghi"]
    assert verdicts([nine], [row("ours", [0.3]), *most, row("a", [0.4])])[0].word == "holds only"


def test_rows_are_compared_that_differ_in_nothing_else() -> None:
    rows = [row("ours", [0.3], k=5, published_for="x"), row("a", [0.2], k=5), row("b", [0.2], k=10)]
    (verdict,) = verdicts([MORE], rows)
    assert [one.second.about for one in verdict.comparisons] == [{"k": 5}]
    assert verdicts([MORE], rows[1:]) == [], "what was not measured is not judged"


def test_alike_is_within_so_much() -> None:
    alike = Claim("alike", "ra", {"k": 20}, [{"k": 40}, {"k": 80}], within=0.02)
    rows = [
        row("ours", values, k=k) for k, values in ((20, [0.4, 0.42]), (40, [0.41, 0.43]), (80, [0.5, 0.5]))
    ]
    (verdict,) = verdicts([alike], rows)
    assert verdict.word == "holds only" and [one.second.about["k"] for one in verdict.borne_out] == [40]
