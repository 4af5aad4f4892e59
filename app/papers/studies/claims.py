"""What the paper of a study says, and whether it holds in what was measured: a badge and a sentence each."""

import streamlit as st

from app.address import connection
from app.papers.studies.results import Result
from engine.events import Row
from engine.studies.claims import Claim, Comparison, Verdict, about, verdicts

COLOURS = {"holds": "green", "holds only": "orange", "does not hold": "red"}


def show(found: Result) -> None:
    """Every claim that can be judged by these rows."""
    judged = verdicts([Claim(**claim) for claim in found.declared["claims"]], found.rows)
    if judged:
        st.markdown("\n".join(f"- {in_words(verdict, found)}" for verdict in judged))
        seeds = f"over {found.seeds} seeds" if found.seeds > 1 else "of one seed: its sign counts"
        st.caption(f"A difference counts where its 95 % interval {seeds} leaves out 0.")


def in_words(verdict: Verdict, found: Result) -> str:
    """The badge, what was said, and the differences behind it."""
    word = verdict.word
    badge = f":{COLOURS[word]}-badge[{word if word != 'holds only' else 'holds only if'}]"
    called = {id(one): _other(one, verdict, found) for one in verdict.comparisons}
    if word == "holds only":
        badge += " beside " + ", ".join(called[id(one)] for one in verdict.borne_out)
    metric = connection.catalogue()["metric"].get(verdict.claim.value, {})
    scale = 1 if metric.get("unit") == "percentage points" else 100
    numbers = "; ".join(f"{called[id(one)]}: {_difference(one, scale)}" for one in verdict.comparisons)
    return f"{badge} {verdict.claim.says}. {numbers}."


def _difference(one: Comparison, scale: float) -> str:
    mean, low, high = (scale * value for value in one.difference)
    interval = "" if abs(low) == float("inf") else f" ({low:+.1f} to {high:+.1f})"
    return f"{mean:+.1f} points{interval}"


def _other(one: Comparison, verdict: Verdict, found: Result) -> str:
    """What tells the second row from the first one, and what tells the first one from others."""
    mine, its = about(one.first), about(one.second)
    firsts = [about(other.first) for other in verdict.comparisons]
    told = [name for name in its if its[name] != mine.get(name)]
    told += [name for name in its if name not in told and len({str(each.get(name)) for each in firsts}) > 1]
    return ", ".join(_called(name, one.second, found) for name in told)


def _called(name: str, row: Row, found: Result) -> str:
    said, value = found.declared, about(row)[name]
    titles = {
        "arm": said["arms"],
        "treatment": {key: one["title"] for key, one in said["treatments"].items()},
    }
    if name in ("model", "probe"):
        return str(connection.catalogue()["model"].get(value, {}).get("title", value))
    if name in titles:
        return str(titles[name].get(value, value))
    return f"{said['axes'].get(name, name)} {value:g}" if isinstance(value, int | float) else str(value)
