"""`load`: a data set by name, or a file that a person brings."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np

from engine.data import own
from engine.data.dataset import Dataset, fingerprint
from engine.data.fetching import fetch
from engine.data.finding import placed
from engine.data.listing import brought_along, owner, owners
from engine.data.tensors import beside, images, vectors
from engine.data.views import AtRest
from engine.errors import DataError


def load(name_or_path: str, clusters: int | None = None) -> Dataset:
    """The registered data set of that name, fetched where it must be and cached; or the data of that file, or
    of the file called so in FEINT_DATA.

    `clusters` asks for another number than there are classes. Raises UnknownName, DataMissing or DataError.
    """
    given = str(name_or_path)
    named = given in owners() or given in brought_along()
    file = None if named else given if own.looks_like_file(given) else own.in_folders(given)
    data = _named(given) if file is None else bring(str(file), clusters)
    return data if clusters in (None, data.clusters) else _with_clusters(data, clusters)


@cache
def _named(name: str) -> Dataset:
    cls = owner(name)
    for _ in fetch(name):
        pass
    return cls().load()


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
    """The data of a file that a person brings, checked. Its name is the file's full path, so that a run finds
    it again.
    """
    several = own.read_views(path, clusters)
    found = several[0] if several else own.read(path, clusters)
    place = placed(path).resolve()
    views = (
        vectors(found.x)
        if found.x.ndim == 2
        else beside(images(view.x, view.divisor) for view in several or [found])
    )
    return Dataset(
        fingerprint=_of_all(found, views),
        name=str(place),
        views=views,
        labels=found.y,
        class_names=found.class_names,
        clusters=found.clusters,
        title=place.stem,
        source=f"{place.name}, brought by a person",
        licence="Not stated",
        note=found.note,
        affine=found.affine,
        feature_names=found.feature_names,
        train=None if found.training is None else np.flatnonzero(found.training),
        test=None if found.training is None else np.flatnonzero(~found.training),
    )
