"""What only Home says: the story of its picture, one's newest runs, the data that is fetched at the first
start, and what computes here.
"""

import subprocess
import sys
from pathlib import Path

import streamlit as st

from app.address import connection, links, notices
from app.charts import plot
from app.runs import headline, this_machine
from engine.asking.answers import LadderAnswer
from engine.errors import FeintError
from engine.home import scratch

FETCHED = "mnist"


def story(answer: LadderAnswer) -> str:
    """The hero's picture in two sentences, with its control."""
    if answer.first_reached is None or answer.q is None or answer.own_group is None:
        return f"This handwritten digit stays in its cluster up to ε = {answer.levels[-1]:g}."
    taken = int(answer.q[answer.first_reached].argmax())
    own, other = answer.group_names[answer.own_group], answer.group_names[taken]
    noise = f"random noise of the same size does so in {answer.noise_draws}"
    return (
        "A real handwritten digit, and a model that sorts digits without ever seeing a label. Moving each"
        f" pixel by at most **{plot.bound(answer.epsilon_star or 0.0)}** takes it from cluster **{own}** to"
        f" **{other}**; {noise}. **Grab the slider: it is yours.**"
    )


def recent(count: int = 3) -> None:
    """The newest runs of one's own."""
    runs = [run for run in connection.store().all() if run.status() != "broken"][:count]
    if runs:
        st.subheader("Where you left off", anchor=False)
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center"):
                headline.headline(run)
                headline.open_link(run)


@st.cache_resource(show_spinner=False)
def _fetch() -> "subprocess.Popen[bytes] | None":
    """Fetch MNIST in the background, once a server, where it is not on this machine."""
    if connection.catalogue()["data"][FETCHED].get("here"):
        return None
    log = scratch() / "fetch.log"
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", "fetch", FETCHED, "--json"],
            cwd=Path(links.ROOT),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )


def fetching() -> None:
    """Say that MNIST is on its way, has come, or could not be had."""
    process = _fetch()
    if process is None:
        return
    ended = process.poll()
    if ended is None:
        st.caption("MNIST (11 MB) is being fetched in the background; digits need no download.")
    elif ended:
        last = (
            (scratch() / "fetch.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        )
        st.caption(
            "MNIST could not be fetched; everything on digits works without it."
            f" {last[0][:300] if last else ''}"
        )
    else:
        st.caption("MNIST has been fetched.")


def machine() -> None:
    """What computes here."""
    try:
        st.caption(f"This machine computes: {' · '.join(this_machine.words())}")
    except FeintError as error:
        notices.refused(error)
