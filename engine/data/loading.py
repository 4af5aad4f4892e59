"""`load`: a data set by name, or a file that a person brings."""

import hashlib
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from engine.data import own, own_kept
from engine.data.dataset import Dataset, fingerprint
from engine.data.fetching import fetch
from engine.data.finding import is_folder, placed
from engine.data.listing import brought_along, owner, owners
from engine.data.tensors import beside, images, vectors
from engine.data.views import AtRest
from engine.errors import DataError, DataMissing


def load(name_or_path: str, clusters: int | None = None, fingerprint: str = "") -> Dataset:
    """The registered data set of that name, fetched where it must be and cached; data of one's own that are
    kept under that name; or the data of that file or folder, or of what is called so in FEINT_DATA.

    `clusters` asks for another number than there are classes; `fingerprint` is that of the data that a run
    was made with, which are found under whatever name they are kept now.

    Raises UnknownName, DataMissing or DataError.
    """
    given = own_kept.with_fingerprint(fingerprint) or str(name_or_path)
    if given in owners() or given in brought_along():
        data = _named(given)
    elif given in (kept := own_kept.cards()):
        data = _kept(given, kept[given]["fingerprint"])
    elif own.looks_like_file(given):
        data = bring(given, clusters)
    elif (place := own.in_folders(given)) is not None or is_folder(place := placed(given).absolute()):
        data = bring(str(place), clusters)
    elif fingerprint:
        raise DataMissing(
            f"The data {given} of this run are not here (fingerprint {fingerprint}): they were removed, or"
            " never brought. Bring them again, under any name."
        )
    else:
        data = _named(given)  # which says what there is
    return data if clusters in (None, data.clusters) else _with_clusters(data, clusters)


@cache
def _named(name: str) -> Dataset:
    cls = owner(name)
    for _ in fetch(name):
        pass
    return cls().load()


@lru_cache(maxsize=4)
def _kept(name: str, fingerprint: str) -> Dataset:
    """Data of one's own that are kept. Raises DataError where they are not what they were."""
    card = own_kept.cards()[name]
    data = made(own.usable(name, own_kept.views(name)), name, card["title"], card["source"])
    if data.fingerprint != fingerprint:
        raise DataError(
            f"The data {name} are damaged (fingerprint {data.fingerprint}, not {fingerprint}). Remove them,"
            " and bring them again."
        )
    return data


def _with_clusters(data: Dataset, clusters: int) -> Dataset:
    if not 2 <= clusters <= len(data):
        raise DataError(
            f"clusters must be from 2 to the number of samples; got {clusters} for the {len(data)} samples of"
            f" {data.name}."
        )
    return replace(data, clusters=clusters)


def _of_all(found: own.Brought, views: AtRest) -> str:
    """The fingerprint of a file of one's own: of its numbers, and of labels, names and parts, which may be
    corrected while the numbers stay.
    """
    beside = (fingerprint(views), found.class_names, found.clusters)
    digest = hashlib.sha256(repr(beside).encode())
    for rows in (found.y, found.training):
        digest.update(b"none" if rows is None else np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()[:16]


def bring(path: str, clusters: int | None = None) -> Dataset:
    """The data of a file or folder that a person brings, checked. Its name is the full path, so that a run
    finds it again.
    """
    place = placed(path).resolve()
    return made(own.read(path, clusters), str(place), place.stem, f"{place.name}, brought by a person")


def made(found: list[own.Brought], name: str, title: str, source: str) -> Dataset:
    """The data set of what a person brings, one entry a view."""
    first = found[0]
    views = vectors(first.x) if first.x.ndim == 2 else beside(images(view.x, view.divisor) for view in found)
    return Dataset(
        fingerprint=_of_all(first, views),
        name=name,
        views=views,
        labels=first.y,
        class_names=first.class_names,
        clusters=first.clusters,
        title=title,
        source=source,
        licence="Not stated",
        note=first.note,
        filled=first.filled,
        affine=first.affine,
        feature_names=first.feature_names,
        train=None if first.training is None else np.flatnonzero(first.training),
        test=None if first.training is None else np.flatnonzero(~first.training),
    )
