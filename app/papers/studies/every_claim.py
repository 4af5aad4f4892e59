"""Every claim of every study: what is left of it at each size, the differences behind that, its command."""

from typing import Any

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection
from app.papers import declared
from app.papers.studies import claims, results
from app.papers.studies.results import Result
from app.runs import headline
from app.words import N_, _, n_
from engine.studies.claims import Claim, Verdict

ALL, NOT_RUN = N_("all"), N_("not run")
WORDS = (ALL, *claims.COLOURS, NOT_RUN)


def papers() -> dict[str, str]:
    """Paper, as the names of its studies begin -> what it is called, of all with claims, after ALL."""
    names = dict.fromkeys(name.partition(".")[0] for name in _claiming())
    return {ALL: _("every paper")} | {paper: declared.title(paper) for paper in names}


def show(word: str, paper: str = ALL) -> list[str]:
    """Study by study, page by page; with a word other than ALL, only those of which it holds, and so with a
    paper. The commands that make again what is shown.
    """
    names = [name for name in _claiming() if paper in (ALL, name.partition(".")[0])]
    return [command for name in names for command in one_study(name, word)]


def _claiming() -> dict[str, Any]:
    """The studies that claim something, page by page."""
    known = {name: entry for name, entry in connection.catalogue()["study"].items() if entry["claims"]}
    return dict(sorted(known.items(), key=lambda item: (item[1]["page"], item[1]["place"])))


def one_study(name: str, word: str) -> list[str]:
    """The claims of a study, each at every size at which it could be judged; else that it was not run. Its
    commands.
    """
    said = connection.catalogue()["study"][name]
    here = {size: results.result(name, size) for size in said["measured_on"]}
    judged = [(found, claims.judge(found)) for found in here.values() if found is not None]
    shown = []
    for claim in claims.declared(said):
        of_it = [(found, one) for found, every in judged for one in every if one.claim == claim]
        words: list[str] = [verdict.word for __, verdict in of_it] or [NOT_RUN]
        if word in (ALL, *words):
            shown.append((claim, of_it))
    if not shown:
        return []
    st.subheader(_(said["title"]), anchor=False)
    for claim, of_it in shown:
        one_claim(claim, of_it)
    headline.link(
        said["page"], _("Published and measured"), "table_chart", {"tab": said["tab"], "study": name}
    )
    return commands(name, [found for found, every in judged if every])


def commands(name: str, judged: list[Result]) -> list[str]:
    """How each judged result of a study is made again, with as many seeds; where there is none, how its first
    is.
    """
    again = [(measured_on(found), results.command(name, found.size, found.seeds)) for found in judged]
    again = again or [(_(NOT_RUN), results.command(name, ""))]
    for told, lines in again:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(told, width="content")
            st.code(lines["Command line"], language=None, wrap_lines=True)
    return [lines["Command line"] for __, lines in again]


def one_claim(claim: Claim, of_it: list[tuple[Result, Verdict]]) -> None:
    """The sentence, and under it what is left of it, size by size."""
    sentence = claims.plain(_(claim.says))
    if not of_it:
        st.markdown(f":gray-badge[{_(NOT_RUN)}] **{sentence}**")
        return
    left = (
        f"{claims.badge(verdict)} {measured_on(found)}. "
        + claims.plain(claims.borne_out(verdict, claims.pairs(verdict, found)))
        for found, verdict in of_it
    )
    st.markdown("  \n".join([f"**{sentence}**", *left]))
    with st.expander(_("The differences behind it"), icon=":material/balance:"):
        for found, verdict in of_it:
            frame = behind(verdict, found)
            st.dataframe(frame, hide_index=True)
            take_away.table(
                frame, f"feint-{found.study}-{found.size}", f"claim/{found.study}/{found.size}/{claim.says}"
            )
            st.caption(f"{measured_on(found)}. {claims.rule(found)} {found.where}. {found.protocol}")


def behind(verdict: Verdict, found: Result) -> pd.DataFrame:
    """A verdict's differences, with both sides as measured here and as published."""
    differences = pd.DataFrame(
        claims.differences(verdict, found),
        columns=[_("what"), _("mean difference"), _("95 % interval")],
    )
    return differences.join(pd.DataFrame(claims.sides(verdict)))


def measured_on(found: Result) -> str:
    """On what, over how many seeds."""
    data = _(found.declared["measured_on"][found.size])
    return n_("{data}, {n} seed", "{data}, {n} seeds", found.seeds).format(data=data, n=found.seeds)
