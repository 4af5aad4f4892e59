"""Every claim of every study: what is left of it at each size, the differences behind that, its command."""

import pandas as pd
import streamlit as st

from app.address import connection
from app.papers.studies import claims, results
from app.papers.studies.results import Result
from app.runs import headline
from engine.studies.claims import Claim, Verdict

ALL, NOT_RUN = "all", "not run"
WORDS = (ALL, *claims.COLOURS, NOT_RUN)


def show(word: str) -> None:
    """Study by study, page by page; with a word other than ALL, only those of which it holds."""
    known = {name: entry for name, entry in connection.catalogue()["study"].items() if entry["claims"]}
    for name in sorted(known, key=lambda name: (known[name]["page"], known[name]["place"])):
        one_study(name, word)


def one_study(name: str, word: str) -> None:
    """The claims of a study, each at every size at which it could be judged; else that it was not run."""
    said = connection.catalogue()["study"][name]
    here = {size: results.result(name, size) for size in said["measured_on"]}
    judged = [(found, claims.judge(found)) for found in here.values() if found is not None]
    shown = []
    for claim in claims.declared(said):
        of_it = [(found, one) for found, every in judged for one in every if one.claim == claim]
        words: list[str] = [verdict.word for _, verdict in of_it] or [NOT_RUN]
        if word in (ALL, *words):
            shown.append((claim, of_it))
    if not shown:
        return
    st.subheader(said["title"], anchor=False)
    for claim, of_it in shown:
        one_claim(claim, of_it)
    with st.container(horizontal=True, vertical_alignment="center"):
        headline.link(
            said["page"], "Published and measured", "table_chart", {"tab": said["tab"], "study": name}
        )
        size = judged[0][0].size if judged else "quick"
        st.code(results.command(name, size)["Command line"], language=None, wrap_lines=True)


def one_claim(claim: Claim, of_it: list[tuple[Result, Verdict]]) -> None:
    """The sentence, and under it what is left of it, size by size."""
    sentence = claim.says.replace("*", r"\*")
    if not of_it:
        st.markdown(f":gray-badge[{NOT_RUN}] **{sentence}**")
        return
    badges = (f"{claims.badge(verdict)} {measured_on(found)}" for found, verdict in of_it)
    st.markdown(f"**{sentence}**  \n{'  '.join(badges)}")
    with st.expander("The differences behind it", icon=":material/balance:"):
        for found, verdict in of_it:
            frame = pd.DataFrame(
                claims.differences(verdict, found), columns=("what", "mean difference", "95 % interval")
            )
            st.dataframe(frame, hide_index=True)
            st.caption(f"{measured_on(found)}. {claims.rule(found)} {found.where}. {found.protocol}")


def measured_on(found: Result) -> str:
    """On what, over how many seeds."""
    return f"{found.declared['measured_on'][found.size]}, {found.seeds} seed{'s' * (found.seeds > 1)}"
