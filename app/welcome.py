"""What only Home shows: the story of its picture, the families of victims, and the data that is fetched at the first start."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import streamlit as st

from app import charts, gallery, launching, live, state
from engine.errors import FeintError
from engine.home import home
from engine.runs import answers
from engine.runs.answers import Answer

FAMILIES = {"Deep clustering": ("Models that sort images without labels. A small push sends an image to another cluster.",
                                (("digits/adec", "digits"), ("mnist_test/adec", "mnist_test")))}
"""Title -> what it is, and the zoo entries whose pictures stand for it."""
FETCHED = "mnist"


def story(answer: Answer) -> str:
    """The hero's picture in two sentences, with its control."""
    said, own = answer.json, answer.json["cluster_names"][answer.json["cluster_own"]]
    if said["flip"] is None:
        return f"This handwritten digit stays in its cluster up to ε = {said['levels'][-1]:g}."
    other = said["cluster_names"][int(answer.arrays["q"][said["flip"]].argmax())]
    count = len(said["levels"])
    noise = f"random noise does at {said['noise_flips']} of the {count} sizes" if said["noise_flips"] else "random noise of the same size never does"
    return (f"A real handwritten digit, and a model that sorts digits without ever seeing a label. Moving each pixel by at most "
            f"**{charts.bound(said['epsilon_star'])}** takes it from cluster **{own}** to **{other}**; {noise}. **Grab the slider: it is yours.**")


def families() -> None:
    """One card a family: what it is, a clean and an attacked picture of each of its data sets, and the way in."""
    for title, (about, entries) in FAMILIES.items():
        with st.container(border=True):
            st.markdown(f"**{title}**  \n{about}")
            pictures = [picture for name, data in entries for picture in _pair(name, data)]
            gallery.grid([image for image, _ in pictures], [caption for _, caption in pictures], columns=6, size=84)
            with st.container(horizontal=True):
                for name, data in entries:
                    if name in state.store().zoo() and st.button(f"Attack {name}", key=f"family/{name}", icon=":material/bolt:"):
                        state.go("attack", {"model": name, "sample": answers.SHOWN[data], "step": -1})


def _pair(name: str, data: str) -> list[tuple[np.ndarray | bytes, str]]:
    run = state.store().zoo().get(name)
    found = answers.kept(answers.ladder_question(run.key, answers.SHOWN[data])) if run else None
    if found is None or found.json["flip"] is None:
        return []
    said, level, shape = found.json, found.json["flip"], found.json["shape"]
    delta = found.arrays["delta"][level].astype(np.float32)
    gain = 0.5 / float(np.abs(delta).max())
    attacked = np.clip(found.arrays["clean"] + delta, 0, 1)
    taken = said["cluster_names"][int(found.arrays["q"][level].argmax())]
    return [(found.arrays["clean"].reshape(shape), f"cluster {said['cluster_names'][said['cluster_own']]}"),
            (gallery.signed_png(delta.reshape(shape), gain), f"perturbation {gallery.gain_text(gain)}"),
            (attacked.reshape(shape), f"cluster {taken} at ε {said['levels'][level]:.3f}")]


def recent(count: int = 3) -> None:
    """The newest runs of one's own."""
    rows = [row for row in launching.listed() if row["from"] == "mine" and row["status"] != "broken"][:count]
    if rows:
        st.subheader("Where you left off", anchor=False)
        for row in rows:
            with st.container(horizontal=True, vertical_alignment="center"):
                run = state.store().find(row["name"])
                live.headline(run)
                live.open_link(run)


@st.cache_resource(show_spinner=False)
def _fetch() -> "subprocess.Popen[bytes] | None":
    """Fetch MNIST in the background, once a server, where it is not on this machine."""
    if state.catalogue()["data"][FETCHED].get("here"):
        return None
    log = home() / "fetch.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "engine", "fetch", FETCHED, "--json"], cwd=Path(state.ROOT), stdout=out,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def fetching() -> None:
    """Say that MNIST is on its way, has come, or could not be had."""
    process = _fetch()
    if process is None:
        return
    ended = process.poll()
    if ended is None:
        st.caption("MNIST (11 MB) is being fetched in the background; digits need no download.")
    elif ended:
        last = (home() / "fetch.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        st.caption(f"MNIST could not be fetched; everything on digits works without it. {last[0][:300] if last else ''}")
    else:
        st.caption("MNIST has been fetched.")


def machine() -> None:
    """What computes here."""
    try:
        st.caption(f"This machine computes: {' · '.join(launching.machine())}")
    except FeintError as error:
        state.refused(error)
