"""The data that all pages begin with: chosen once, kept from page to page; and what stands in for them where
they cannot be had.
"""

from collections.abc import Mapping

import streamlit as st

from app.address import connection, fetching, links, notices, offered
from app.address.fetching import DataAway
from app.words import N_, _
from engine.store.run import Run

READY = {"mnist_test": "MNIST", "digits": N_("digits (tiny, fast)")}
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
OF_DATA = (
    "model",
    "sample",
    "run",
    "pick",
    "step",
    "n",
    "target",
    "size",
    "who",
    "label",
    "fixed",
    "slots",
    "pair",
)
"""Parameters that mean nothing on other data."""


def data() -> str:
    """What pages begin with: the choice in the address, else that of its model, else the last one of this
    session.
    """
    address = st.session_state["address"]
    model = str(address.get("model", "")).split("/")[0]
    asked = of(str(address.get("data") or model))
    return str(asked if known(asked) else st.session_state.get("house", USUAL))


def ready() -> str:
    """The same, where what pages show first of it comes with Feint; else what usually does."""
    return data() if data() in READY else USUAL


def known(name: str) -> bool:
    """Whether pages can begin with these data: of one view, or one's own."""
    card = connection.catalogue()["data"].get(name, {})
    return name in READY or card.get("views") == 1 or bool(card.get("own"))


def of(data: str) -> str:
    """The images that a data set consists of, or is made of."""
    return MADE_OF.get(data, data)


def tell(shown: str, why: str) -> None:
    """One sentence where a page shows other images than all begin with."""
    if of(shown) != data() and of(shown) in connection.catalogue()["data"]:
        if not why and data() not in READY:
            why = _("No model of {data} that this page can show is here yet.").format(data=title(data()))
        instead = _("It is shown on {data}.").format(data=title(of(shown)))
        st.caption(notices.plain(f"{why} {instead}".strip()))


def title(name: str) -> str:
    """What these images are called; with their number where those that come with models have that name."""
    if name in READY:
        return _(READY[name]).split(" (")[0]
    said = connection.data_title(name)
    if said not in map(title, READY):
        return said
    n = connection.catalogue()["data"][name]["samples"]
    return _("{title}, {n:,} samples").format(title=said, n=n)


def choose() -> None:
    """The choice, at the head of every page, and how far a fetch is that was begun with it."""
    now = st.session_state["house"] = data()
    if not st.session_state["address"].get("data"):
        links.put("data", now)
    with st.popover(title(now), icon=":material/dataset:"):
        st.session_state["house_choice"] = now
        st.selectbox(
            _("All pages begin with"), _choices(), key="house_choice", format_func=_called, on_change=_chosen
        )
        if now == USUAL and fetching.about(now) is not None:
            st.caption(_("What ships with Feint needs no data."))
        offered.offer(now, "house")


def _choices() -> list[str]:
    """Data of one's own after those that come with models, then all others."""
    cards = connection.catalogue()["data"]
    rest = [name for name in cards if known(name) and name not in READY]
    return [
        *READY,
        *sorted(rest, key=lambda name: (not cards[name].get("own"), cards[name]["title"].lower())),
    ]


def _called(name: str) -> str:
    if name in READY:
        return _(READY[name])
    return offered.called(connection.catalogue()["data"][name] | {"title": title(name)})


def _chosen() -> None:
    if not links.left("house_choice"):
        links.forget_everywhere(*OF_DATA)
        follow(st.session_state["house_choice"])


def follow(name: str) -> None:
    """Begin with these data from now on, since a person chose something of theirs. For callbacks."""
    if known(of(name)):
        st.session_state["house"] = of(name)
        links.put("data", of(name))


def follow_model(found: Mapping[str, Run], key: str) -> None:
    """Begin with the data of the model that was chosen in a widget. For its callback."""
    if not links.left(key):
        follow(found[st.session_state[key]].spec.data)


def model_decides(model: str, data: str) -> None:
    """Pages begin with the data of a model that a link brings; where it also says others, one sentence tells
    so.
    """
    asked = str(st.session_state["address"].get("data"))
    if not links.brought("model") or not known(of(data)) or of(data) == of(asked):
        return
    if links.brought("data"):
        notices.notice(
            _(
                "The link says data={asked} and {model}, a model of other data: it is shown, and pages"
                " begin with {data}."
            ).format(asked=asked[:40], model=model, data=title(of(data)))
        )
    follow(data)
    st.rerun()


def wait_or_stand_in(away: DataAway, page: str) -> None:
    """A page that needs data which are not here goes on when they have come; where they cannot be had, it is
    shown on those that stand in.
    """
    if away.coming:
        with st.session_state["notice_slot"]:
            st.info(f"{away} {_('It goes on by itself.')}", icon=":material/downloading:")
            offered.bar(away.data)
        return
    notices.notice(f"{away} {_('It is shown on digits instead.')}")
    links.forget_everywhere("data", *OF_DATA)
    st.session_state["house"] = STAND_IN
    links.go(page, {"data": STAND_IN})
