"""What only Home shows: the story of its picture, the families of victims, and the data that is fetched at
the first start.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection, links, notices
from app.charts import plot
from app.runs import headline, this_machine
from engine.asking import legacy as answers
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.home import home


@dataclass(frozen=True)
class Family:
    """A kind of victim: what it is, the page that is about it, and the zoo entries, each with its data, whose
    pictures stand for it.
    """

    about: str
    page: str
    entries: tuple[tuple[str, str], ...]

    def question(self, key: str, data: str) -> dict[str, Any]:
        """The ladder behind the picture of a model."""
        sample = answers.SHOWN[data]
        if self.page == "robust":
            return answers.nu_question(
                key, sample, int(np.prod(connection.catalogue()["data"][data]["shape"]))
            )
        return answers.ladder_question(
            key, sample, objective="mv_disrupt" if self.page == "multiview" else "leave_cluster"
        )


FAMILIES = {
    "Deep clustering": Family(
        "Models that sort images without labels. A small push sends an image to another cluster.",
        "attack",
        (("digits/adec", "digits"), ("mnist_test/adec", "mnist_test")),
    ),
    "Multi-view clustering": Family(
        "Models that see a thing twice and agree with themselves. Both views are pushed, or one while the"
        " other is locked.",
        "multiview",
        (("noisy_digits/comvc", "noisy_digits"),),
    ),
    "Robust clustering": Family(
        "The code is moved, not the pixels: decoded pictures stay alike, the cluster changes; then the"
        " network is defended, and attacked anew.",
        "robust",
        (("digits/conv_ae", "digits"),),
    ),
}
FETCHED = "mnist"


def story(answer: Answer) -> str:
    """The hero's picture in two sentences, with its control."""
    said, own = answer.json, answer.json["cluster_names"][answer.json["cluster_own"]]
    if said["flip"] is None:
        return f"This handwritten digit stays in its cluster up to ε = {said['levels'][-1]:g}."
    other = said["cluster_names"][int(answer.arrays["q"][said["flip"]].argmax())]
    count = len(said["levels"])
    noise = (
        f"random noise does at {said['noise_flips']} of the {count} sizes"
        if said["noise_flips"]
        else "random noise of the same size never does"
    )
    return (
        "A real handwritten digit, and a model that sorts digits without ever seeing a label. Moving each"
        f" pixel by at most **{plot.bound(said['epsilon_star'])}** takes it from cluster **{own}** to"
        f" **{other}**; {noise}. **Grab the slider: it is yours.**"
    )


def families() -> None:
    """One card a family: what it is, a clean and an attacked picture of each of its data sets, and the way
    in.
    """
    for title, family in FAMILIES.items():
        with st.container(border=True):
            st.markdown(f"**{title}**  \n{family.about}")
            pictures = [picture for name, data in family.entries for picture in _pair(family, name, data)]
            gallery.grid(
                [image for image, _ in pictures], [caption for _, caption in pictures], columns=6, size=84
            )
            with st.container(horizontal=True):
                for name, data in family.entries:
                    if name in connection.store().zoo() and st.button(
                        f"Attack {name}", key=f"family/{name}", icon=":material/bolt:"
                    ):
                        links.go(family.page, {"model": name, "sample": answers.SHOWN[data], "step": -1})


def _pair(family: Family, name: str, data: str) -> list[tuple[np.ndarray | bytes, str]]:
    run = connection.store().zoo().get(name)
    found = answers.kept(family.question(run.key, data)) if run else None
    if found is None or found.json["flip"] is None:
        return []
    said, level, shape = found.json, found.json["flip"], found.json["shape"]
    delta = found.arrays["delta"][level].astype(np.float32)
    gain = 0.5 / float(np.abs(delta).max())
    attacked = np.clip(found.arrays["clean"] + delta, 0, 1)
    taken = said["cluster_names"][int(found.arrays["q"][level].argmax())]
    return [
        (found.arrays["clean"].reshape(shape), f"cluster {said['cluster_names'][said['cluster_own']]}"),
        (
            gallery.signed_png(delta.reshape(shape), gain),
            f"{'difference' if said['axis'] == 'nu' else 'perturbation'} {gallery.gain_text(gain)}",
        ),
        (
            attacked.reshape(shape),
            f"cluster {taken} at {'ν' if said['axis'] == 'nu' else 'ε'} {said['levels'][level]:.3f}",
        ),
    ]


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
    log = home() / "fetch.log"
    log.parent.mkdir(parents=True, exist_ok=True)
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
        last = (home() / "fetch.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
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
