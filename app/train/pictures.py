"""What a run draws while it learns: reconstructions and a small map of its embedding, along a timeline."""

from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import gallery
from app.address import connection
from app.components.map import Classes, MapDrawing, map_payload, point_map
from app.runs.record import Record
from app.words import N_, _
from engine.asking import keeping
from engine.asking.questions import OverviewQuestion
from engine.errors import FeintError
from engine.events import Picture
from engine.store.run import Run
from engine.store.store import DONE

KINDS = ("reconstructions", "map")
CAPTIONS = (
    N_("Above: clean samples. Below: their reconstructions."),
    N_("Decoded from clean embeddings; from moved ones."),
    N_("Principal plane of the embedding."),
)
"""What runs write under their pictures."""


def show(run: Run, record: Record) -> DeltaGenerator | None:
    """Reconstructions and the small map, at the newest step or at the one chosen on the timeline.

    Gives back the place under the reconstructions, where there is room beside the map; None where nothing was
    drawn.
    """
    steps = sorted({picture.step for kind in KINDS for picture in record.pictures(kind)})
    if not steps:
        _came_to(run)
        return None
    step = _timeline(run.key, steps)
    columns = st.columns(2, gap="medium")
    for column, kind in zip(columns, KINDS, strict=True):
        picture = next((picture for picture in reversed(record.pictures(kind)) if picture.step <= step), None)
        if picture is not None:
            with column:
                _picture(run, picture)
    return columns[0]


def _came_to(run: Run) -> None:
    """Of a training whose pictures were not kept, as of those that ship: the sample in the middle of each
    cluster, where that is known already.
    """
    found = keeping.kept(OverviewQuestion(model=run.key))
    if found is None or found.medoid_images is None or len(found.shape) != 3:
        return
    st.caption(_("What it came to: the sample in the middle of each cluster, and how many are in it"))
    order = sorted(range(len(found.sizes)), key=lambda group: found.group_names[group])
    images = [found.medoid_images[group].reshape(found.shape) for group in order]
    said = [f"{found.group_names[group]}: {found.sizes[group]:,}" for group in order]
    gallery.grid(images, said, columns=10, size=64)


def _timeline(key: str, steps: list[int]) -> int:
    """A slider over the steps with pictures, which follows the newest until a hand takes it."""
    widget, newest = f"timeline/{key}", f"timeline/{key}/newest"
    if st.session_state.get(widget) in (None, st.session_state.get(newest)):
        st.session_state[widget] = steps[-1]
    st.session_state[newest] = steps[-1]
    if len(steps) < 2:
        return steps[-1]
    return int(
        st.select_slider(
            _("Timeline"),
            steps,
            key=widget,
            format_func=lambda step: f"{step:,}",
            help=_("What was drawn along training; at its end it follows the newest."),
        )
    )


def _picture(run: Run, picture: Picture) -> None:
    try:
        if picture.picture == "map":
            _map(run, picture)
        else:
            st.markdown(_("**Reconstructions** at iteration {step:,}").format(step=picture.step))
            st.image(
                (run.folder / picture.file).read_bytes(),
                caption=_(picture.caption),
                width="stretch",
                alt=_(picture.caption),
            )
    except (FeintError, OSError):
        st.caption(_("The picture of iteration {step:,} is not there any more.").format(step=picture.step))


def _map(run: Run, picture: Picture) -> None:
    arrays = run.arrays(picture.file)
    known, index = "cluster" in arrays, arrays["index"]
    colour = in_classes(run, arrays["cluster"], index) if known else by_label(run, index)
    said = _("{n:,} samples at iteration {step:,}.").format(n=len(index), step=picture.step)
    caption = f"{_(picture.caption)} {said}"
    point_map(
        map_payload(
            MapDrawing(xy=arrays["xy"], colour=colour, title=_("The embedding"), ids=index, caption=caption)
        ),
        key=f"map/{run.key}",
    )


def by_label(run: Run, samples: np.ndarray) -> Classes:
    """The labels of samples (n,), for a model that sorts into nothing; all alike while none are known."""
    labels = _labels(run.name) if run.status() in DONE else None
    if labels is None or len(labels) <= samples.max(initial=0):
        return Classes(_("sample"), np.zeros(len(samples), np.int16), [_("samples")])
    return Classes(_("label"), labels[samples], _class_names(run, labels))


def _class_names(run: Run, labels: np.ndarray) -> list[str]:
    """What the classes of a run's data are called; their numbers where nothing says."""
    known = connection.catalogue()["data"].get(run.spec.data, {}).get("classes")
    return list(known or [str(number) for number in range(int(labels.max()) + 1)])


def in_classes(run: Run, codes: np.ndarray, samples: np.ndarray) -> Classes:
    """The clusters of samples, called and coloured by the class that most of their samples are of, as on
    every page; a second cluster of a class gets a colour after those of the classes. By number while no
    labels are known.

    `codes` (n,) are the clusters of the samples whose numbers are `samples` (n,).
    """
    count = int(codes.max(initial=0)) + 1
    owner = run.name if run.status() in DONE else run.spec.builds_on.get("base", "")
    labels = _labels(owner)
    if labels is None or len(labels) <= samples.max(initial=0):
        return Classes(
            _("cluster"), codes, [_("cluster {name}").format(name=number) for number in range(count)]
        )
    classes = _class_names(run, labels)
    names: list[str] = []
    places: list[int] = []
    for number in range(count):
        votes = np.bincount(labels[samples[codes == number]])
        most = int(votes.argmax()) if votes.size else None
        name = _("empty") if most is None else _("mostly {name}").format(name=classes[most])
        again = sum(other.split(" (")[0] == name for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
        places.append(len(classes) + number if most is None or again else most)
    return Classes(_("cluster"), codes, names, places=places)


def _labels(name: str) -> np.ndarray | None:
    """The label of every sample, from the table of a finished run; None where there is none."""
    try:
        run = connection.store().find(name)
        return _column(str(run.folder)) if run.status() in DONE else None
    except FeintError:
        return None


@st.cache_data(max_entries=8, show_spinner=False)
def _column(folder: str) -> np.ndarray | None:
    table = Run(Path(folder)).table()
    return table["label"].to_numpy() if "label" in table else None
