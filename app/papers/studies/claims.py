"""What the paper of a study says, and whether it holds in what was measured: a badge and a sentence each."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.address import connection
from app.measured import between_0_and_1, minus
from app.papers.studies import results
from app.papers.studies.results import Result
from app.words import N_, _
from engine.events import Row
from engine.studies.claims import Claim, Comparison, Verdict, about, held, verdicts

COLOURS = {
    N_("holds"): "green",
    N_("holds only"): "orange",
    N_("not shown"): "gray",
    N_("does not hold"): "red",
}
FEW = 6
"""Differences that are told in a line."""


def show(found: Result) -> None:
    """Every claim that can be judged by these rows."""
    judged = judge(found)
    if judged:
        st.markdown("\n".join(f"- {in_words(verdict, found)}" for verdict in judged))
        st.caption(rule(found))


def declared(study: dict[str, Any]) -> list[Claim]:
    """The claims of a study's catalogue entry."""
    return [Claim(**claim) for claim in study["claims"]]


def judge(found: Result) -> list[Verdict]:
    """What is left of those that its rows can be held against."""
    return verdicts(declared(found.declared), found.rows)


def rule(found: Result) -> str:
    """What counts as a difference."""
    if found.seeds == 1:
        return _(
            "One seed: differences count by their signs, which is little, and only where so many agree as"
            " chance gives less often than once in 20: five of five, eight of nine."
        )
    return _(
        "A difference counts where its 95 % interval over {n} seeds leaves out 0. Not shown: most"
        " lean to it, and none is beyond its interval."
    ).format(n=found.seeds)


def in_words(verdict: Verdict, found: Result) -> str:
    """The badge, what was said, and the differences behind it, where they are few."""
    told = f"{badge(verdict)} {_(verdict.claim.says)}."
    if len(verdict.comparisons) > FEW:
        return plain(f"{told} {borne_out(verdict, pairs(verdict, found))}".strip())
    rows = [
        f"{pair}: {mean}" + f" ({interval})" * bool(interval)
        for pair, mean, interval in differences(verdict, found)
    ]
    return plain(f"{told} {borne_out(verdict, rows) or '; '.join(rows) + '.'}")


def pairs(verdict: Verdict, found: Result) -> list[str]:
    """Each comparison: what is taken from what."""
    return [pair for pair, __, __ in differences(verdict, found)]


def borne_out(verdict: Verdict, told: Sequence[str]) -> str:
    """Which comparisons bear out one that holds in part, each as it is `told`, and which do not; where they
    are many, only the fewer of both. "" where all do or none.
    """
    if verdict.word != "holds only":
        return ""
    bears = [one.bears_out(verdict.claim) for one in verdict.comparisons]
    those = "; ".join(words for words, so in zip(told, bears, strict=True) if so)
    others = "; ".join(words for words, so in zip(told, bears, strict=True) if not so)
    if len(told) <= FEW:
        return _("Borne out by {pairs}. Not by {others}.").format(pairs=those, others=others)
    if 2 * sum(bears) <= len(bears):
        return _("Borne out by {pairs}.").format(pairs=those)
    return _("Borne out by all but {others}.").format(others=others)


def plain(words: str) -> str:
    """Words whose asterisks are no markup."""
    return words.replace("*", r"\*")


def badge(verdict: Verdict) -> str:
    """The word in its colour; of one that holds in part, in how many comparisons."""
    word = verdict.word
    said = _("holds only in {n} of {total}") if word == "holds only" else _(word)
    told = said.format(n=len(verdict.borne_out), total=len(verdict.comparisons))
    return f":{COLOURS[word]}-badge[{told}]"


def differences(verdict: Verdict, found: Result) -> list[tuple[str, str, str]]:
    """Each comparison: what is taken from what, the mean difference, its interval ("": one seed)."""
    factor, digits, unit = _unit(verdict.claim)
    every = [about(one.first) for one in verdict.comparisons]
    apart = [name for name, value in every[0].items() if any(row.get(name) != value for row in every)]
    lines = []
    for one in verdict.comparisons:
        mean, low, high = (minus(f"{factor * value:+.{digits}f}") for value in one.difference)
        interval = "" if low == "−inf" else _("{low} to {high}").format(low=low, high=high)
        lines.append((_pair(one, apart, found), unit.format(value=mean), interval))
    return lines


def sides(verdict: Verdict) -> list[dict[str, str]]:
    """Each comparison: what was measured on its two sides and what was published for them, by column."""
    name = verdict.claim.value
    lines = []
    for one in verdict.comparisons:
        line = {}
        for title, row in ((_("the first"), one.first), (_("the second"), one.second)):
            published = results.published(row, name)
            line[_("{title}, here").format(title=title)] = results.in_words(held(row, name))
            line[_("{title}, published").format(title=title)] = _published_for(published, row)
        lines.append(line)
    return lines


def _published_for(published: str, row: Row) -> str:
    """A published value with the data that it is about, where they are not those measured here."""
    other = row.about.get("published_for")
    return f"{published} ({results.data_in_words(other)})" if published and other else published


def _unit(claim: Claim) -> tuple[float, int, str]:
    """By what a difference is multiplied, with how many decimals and how it is told then: shares in points,
    cosines as they are.
    """
    if claim.relative:
        return 100, 1, "{value} %"
    entry = connection.catalogue()["metric"].get(claim.value, {"unit": "share"})
    if entry["unit"] == "cosine":
        return 1, 3, "{value}"
    return (100 if between_0_and_1(entry) else 1), 1, _("{value} points")


def _pair(one: Comparison, apart: list[str], found: Result) -> str:
    """The two rows, by what tells them apart: "ε 0.1: AR-DMVC minus CoMVC"."""
    mine, its = about(one.first), about(one.second)
    differ = [name for name in its if its[name] != mine.get(name)]
    first, second = (
        ", ".join(filter(None, (_called(name, row, found) for name in differ)))
        or _called("model", row, found)
        for row in (one.first, one.second)
    )
    shared = ", ".join(_called(name, one.first, found) for name in apart if name not in differ)
    pair = _("{first} minus {second}").format(first=first, second=second)
    return f"{shared}: {pair}" if shared else pair


def _called(name: str, row: Row, found: Result) -> str:
    said, value = found.declared, about(row).get(name, "")
    titles = {
        "arm": said["arms"],
        "treatment": {key: one["title"] for key, one in said["treatments"].items()},
    }
    if name in ("model", "probe"):
        return _(str(connection.catalogue()["model"].get(value, {}).get("title", value)))
    if name in titles:
        return _(str(titles[name].get(value, value))).removeprefix(_("and "))
    if name == "data":
        return connection.data_title(str(value))
    return f"{_(said['axes'].get(name, name))} {value:g}" if isinstance(value, int | float) else str(value)
