"""The data that all pages begin with: chosen once, kept from page to page; and what stands in for them where
they cannot be had.
"""

import streamlit as st

from app.address import fetching, links, notices
from app.address.fetching import DataAway

READY = {"mnist_test": "MNIST", "digits": "digits (tiny, fast)"}
"""Data whose models, attacks and sweeps come with Feint, the usual ones first."""
USUAL, STAND_IN = READY
OF_VIEWS = {"mnist_test": "noisy_mnist", "digits": "noisy_digits"}
"""Their two views, for pages about several views."""
MADE_OF = {
    "noisy_mnist": "mnist_test",
    "noisy_mnist_mini": "mnist_test",
    "mnist_mini": "mnist_test",
    "noisy_digits": "digits",
}
"""What is made of the same images."""
OF_DATA = ("model", "sample", "run", "pick", "step", "n", "target", "size", "who", "label", "fixed")
"""Parameters that mean nothing on other data."""
TICK = 1.0
"""Seconds between looks at a fetch."""


def data() -> str:
    """What pages begin with: the choice in the address, else that of its model, else the last one of this
    session.
    """
    address = st.session_state["address"]
    model = str(address.get("model", "")).split("/")[0]
    asked = of(str(address.get("data") or model))
    return str(asked if asked in READY else st.session_state.get("house", USUAL))


def of(data: str) -> str:
    """The images that a data set consists of, or is made of."""
    return MADE_OF.get(data, data)


def tell(shown: str, why: str) -> None:
    """One sentence where a page shows other images than all begin with."""
    if of(shown) != data():
        st.caption(f"{why} It is shown on {title(of(shown))}.".strip())


def title(name: str) -> str:
    """What these images are called."""
    return READY.get(name, name).split(" (")[0]


def choose() -> None:
    """The choice, at the head of every page."""
    now = st.session_state["house"] = data()
    if not st.session_state["address"].get("data"):
        links.put("data", now)
    with st.popover(title(now), icon=":material/dataset:"):
        st.session_state["house_choice"] = now
        st.radio(
            "All pages begin with",
            list(READY),
            key="house_choice",
            format_func=READY.__getitem__,
            on_change=_chosen,
        )
        away = fetching.about(USUAL)
        if away is not None and away.coming:
            st.caption(f"{away} What ships with Feint needs no data.")
        elif away is not None:
            st.caption(f"MNIST could not be fetched. What ships with Feint needs no data. {fetching.why()}")
            st.button("Fetch it again", icon=":material/refresh:", on_click=fetching.again)


def _chosen() -> None:
    links.forget_everywhere(*OF_DATA)
    follow(st.session_state["house_choice"])


def follow(name: str) -> None:
    """Begin with these data from now on, since a person chose something of theirs. For callbacks."""
    if of(name) in READY:
        st.session_state["house"] = of(name)
        links.put("data", of(name))


def model_decides(model: str, data: str) -> None:
    """Pages begin with the data of a model that a link brings; where it also says others, one sentence tells
    so.
    """
    asked = str(st.session_state["address"].get("data"))
    if not links.brought("model") or of(data) not in READY or of(data) == of(asked):
        return
    if links.brought("data"):
        notices.notice(
            f"The link says data={asked[:40]} and {model}, a model of other data: it is shown, and pages"
            f" begin with {title(of(data))}."
        )
    follow(data)
    st.rerun()


def wait_or_stand_in(away: DataAway, page: str) -> None:
    """A page that needs data which are not here goes on when they have come; where they cannot be had, it is
    shown on those that stand in.
    """
    if away.coming:
        with st.session_state["notice_slot"]:
            st.fragment(_coming, run_every=TICK)()
        return
    notices.notice(f"{str(away).rstrip('.')}: it is shown on digits instead.")
    links.forget_everywhere("data", *OF_DATA)
    st.session_state["house"] = STAND_IN
    links.go(page, {"data": STAND_IN})


def _coming() -> None:
    away = fetching.about(USUAL)
    if away is None or not away.coming:
        st.rerun()
    st.info(f"{away} It goes on by itself.", icon=":material/downloading:")
