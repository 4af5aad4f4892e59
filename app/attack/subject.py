"""What is attacked: a sample of the data, or a picture of one's own, drawn or brought."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import gallery
from app.address import connection, layout, links
from app.address.notices import notice, plain
from app.components import pad
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.choose_sample import choose_sample
from app.words import N_, _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import ImagesQuestion, OwnPicture
from engine.data import drawn
from engine.errors import FeintError
from engine.store import pictures

WAYS = {"data": N_("From the data"), "draw": N_("Draw one"), "bring": N_("Bring a picture")}
TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
MEGABYTES = 20
OF_VIEWS = N_(
    "A picture of your own can be drawn or brought for models of one view; this one needs {views} views of"
    " each sample, and a picture is only one of them."
)
NOBODY = -1
"""The label of a picture of which nobody has said what it is."""


@dataclass(frozen=True)
class Own:
    """A picture of one's own: as it was drawn or brought, and as the model sees it."""

    key: str
    original: drawn.Pixels
    seen: drawn.Seen


def choose(victim: Victim, first: int | None = None) -> tuple[int, str, Own | None]:
    """The sample by number, `first` before anybody has chosen; in which of WAYS it is chosen; and the picture
    of one's own, if there is one.
    """
    way = _way(victim)
    if way == "data":
        return choose_sample(victim, first), way, None
    if way == "bring":
        st.file_uploader(
            _("Picture"),
            TYPES,
            key="own_file",
            on_change=_brought,
            max_upload_size=MEGABYTES,
            help=_("Its pixels alone are kept, at most 512 on a side, on this machine."),
        )
    own = _own(victim)
    if own is not None and victim.labelled:
        _label(victim)
    return 0, way, own


def asked(sample: int, own: Own | None) -> int | OwnPicture:
    """What a question says of it."""
    if own is None:
        return sample
    said = links.value("label", NOBODY)
    return OwnPicture(picture=pictures.keep(own.seen.image), label=None if said == NOBODY else said)


def show(way: str, own: Own | None) -> DeltaGenerator | None:
    """Paper to draw on, and the picture as the model sees it, with what was done to it: the place below that;
    None for a sample of the data. Stops the page while there is no picture.
    """
    if way == "data":
        return None
    left, right = st.columns([5, 7], gap="medium")
    if way == "draw":
        with left:
            stamp = st.session_state.get("own_stamps", {}).get(own.key, "") if own else ""
            pad.draw(own.original if own else None, stamp, key="own_pad", on_drawn=_drawn)
    elif own is not None:
        left.image(
            own.original, caption=_("As it was brought"), width=280, alt=_("Your picture as it was brought")
        )
    if own is None:
        draw = _(
            "Draw something: what the model takes it for, and how little misleads it, appears here at once."
        )
        bring = _(
            "Bring a picture, at the left: what the model takes it for, and how little misleads it, appears"
            " here at once."
        )
        right.info(draw if way == "draw" else bring)
        layout.page_foot()
        st.stop()
    with right:
        _as_seen(own)
    return right


def taken_for(victim: Victim, answer: LadderAnswer, place: DeltaGenerator | None) -> None:
    """What the model takes a picture of one's own for, and its nearest training pictures."""
    if place is None:
        return
    if answer.own_group is not None and answer.q_clean is not None:
        sure = round(100 * float(answer.q_clean[answer.own_group]))
        name = answer.group_names[answer.own_group]
        into = {
            "cluster": _("The model puts it into cluster **{name}** ({sure} % sure)."),
            "class": _("The model puts it into class **{name}** ({sure} % sure)."),
        }
        place.markdown(into[victim.grouping].format(name=name, sure=sure))
    if answer.near_clean is not None:
        every = ImagesQuestion.of(victim.run.spec, answer.near_clean.tolist())
        images = connection.ask(every).images.reshape(-1, *answer.shape)
        with place:
            st.caption(_("Its nearest training pictures in the embedding"))
            gallery.grid(list(images), [f"#{number}" for number in answer.near_clean], columns=5, size=48)


def require_label(objective: str, own: Own | None) -> None:
    """Stops the page with a sentence where an objective knows labels and nobody has said the picture's."""
    needs = bool(possible.entry("objective", objective).get("needs_labels"))
    if own is not None and needs and links.value("label", NOBODY) == NOBODY:
        st.info(_("This objective knows what the sample is: say it at “What is it?”, beside your picture."))
        layout.page_foot()
        st.stop()


def _way(victim: Victim) -> str:
    """From the data, drawn, or brought; other models than of one image know their data alone."""
    if not drawn.takes(victim.shape, victim.overview.views):
        links.forget("own", "label")
        if victim.overview.views > 1:
            st.caption(_(OF_VIEWS).format(views=victim.overview.views))
        return "data"
    ways = [way for way in WAYS if way != "draw" or victim.shape[0] == 1]
    way, own = st.session_state.get("own_way", "data"), links.value("own", "")
    if own and pictures.find(own) is None:
        told = _("The link shows a picture of its own, own={own}, which is not kept on this machine.")
        notice(told.format(own=own[:20]))
        leave()
        own = ""
    if own and (way == "data" or way not in ways):  # a link brought it
        way = ways[1]
    if not own and not st.session_state.get("own_waits"):
        way = "data"
    st.session_state["own_way"] = way if way in ways else "data"
    return str(
        st.segmented_control(
            _("Sample"),
            ways,
            key="own_way",
            format_func=lambda way: _(WAYS[way]),
            required=True,
            on_change=_turned,
        )
    )


def _turned() -> None:
    st.session_state["own_waits"] = st.session_state.get("own_way", "data") != "data"
    if not st.session_state["own_waits"]:
        leave()


def leave() -> None:
    """Back to the samples of the data."""
    st.session_state["own_waits"] = False
    links.forget("own", "label")


def _own(victim: Victim) -> Own | None:
    """The picture of the address, as this model sees it; an empty one is told."""
    key = links.value("own", "")
    original = pictures.find(key)
    if original is None:
        return None
    framing = connection.catalogue()["data"].get(victim.run.spec.data, {}).get("framing", "whole")
    try:
        return Own(key, original, drawn.as_seen(original, victim.shape, framing))
    except FeintError as error:
        st.warning(plain(str(error)))
        return None


def _drawn() -> None:
    told = pad.reported("own_pad", "drawn")
    if told is None:
        return
    content, stamp = told
    if not content:
        links.forget("own", "label")
        st.session_state["own_waits"] = True
    elif key := _kept(content):
        st.session_state.setdefault("own_stamps", {})[key] = stamp


def _brought() -> None:
    file = st.session_state.get("own_file")
    if file is not None:
        _kept(file.getvalue())


def _kept(content: bytes) -> str | None:
    """Keep a picture's file and put it into the address; what is wrong with it is told."""
    try:
        key = pictures.keep(drawn.opened(content))
    except (FeintError, OSError) as error:
        notice(str(error))
        return None
    links.put("own", key)
    return key


def _label(victim: Victim) -> None:
    names = victim.overview.class_names
    st.selectbox(
        _("What is it?"),
        range(NOBODY, len(names)),
        key=links.key("label", NOBODY, lambda number: NOBODY <= number < len(names)),
        format_func=lambda number: _("not said") if number == NOBODY else names[number],
        help=_("For objectives that know labels, and to say whether it is still read as that."),
    )


def _as_seen(own: Own) -> None:
    """The picture as the model sees it, and the steps that led there."""
    height, width = own.seen.image.shape[:2]
    picture, steps = st.columns([1, 1], gap="small")
    scale = max(1, 168 // max(height, width))
    image = own.seen.image if own.seen.image.ndim == 2 else own.seen.image.transpose(2, 0, 1)
    words = _("As the model sees it, {width} x {height}").format(width=width, height=height)
    said = _("Your picture: {words}").format(words=words)
    picture.image(gallery.to_png(image, scale), caption=words, alt=said)
    steps.markdown("\n".join(f"{place}. {step}" for place, step in enumerate(own.seen.steps, start=1)))
