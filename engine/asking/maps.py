"""Questions that need UMAP, whose first use compiles for half a minute: they have a lane of their own."""

import numpy as np

from engine import device
from engine.asking import keeping
from engine.asking.answers import AttackedOnUmapAnswer, PlaceOnUmapAnswer, UmapAnswer
from engine.asking.attacked import attacked_rows, attacked_samples
from engine.asking.ladder import ladder
from engine.asking.questions import (
    AttackedOnUmapQuestion,
    AttackedSamplesQuestion,
    PlaceOnUmapQuestion,
    UmapQuestion,
)
from engine.asking.victims import victim_of
from engine.models.protocols import Encodes, require
from engine.running import placing


def umap(question: UmapQuestion) -> UmapAnswer:
    """UMAP coordinates of the clean embedding. Raises AbilityError for a model that does not encode."""
    require(victim_of(question.model).model, Encodes, "A map")
    z = _embedding(question.model)
    return UmapAnswer(some=some_of(z), xy=placing.fit_map(z, question.seed))


def some_of(z: np.ndarray) -> np.ndarray:
    """Every sixteenth row of an embedding, by which it is known again: (n, m) -> (n / 16, m)."""
    return z[::16].copy()


def place_on_umap(question: PlaceOnUmapQuestion) -> PlaceOnUmapAnswer:
    """A ladder's embeddings and its clean sample on the model's UMAP."""
    mapped = keeping.kept_or(question.umap, umap, device.of_answers)
    climbed = keeping.kept_or(question.ladder, ladder, device.of_answers)
    assert climbed.z_clean is not None and climbed.z is not None, "a mapped model encodes"
    z = np.concatenate([climbed.z_clean[None], climbed.z])
    xy, error = placing.place(z, _embedding(question.umap.model), mapped.xy)
    return PlaceOnUmapAnswer(xy_clean=xy[0], xy=xy[1:], xy_error=error)


def attacked_on_umap(question: AttackedOnUmapQuestion) -> AttackedOnUmapAnswer:
    """The samples of a finished attack, clean and attacked, on the model's UMAP."""
    rows = attacked_rows(question.run)
    mapped = keeping.kept_or(UmapQuestion(model=rows.victim.run.key), umap, device.of_answers)
    attacked = keeping.kept_or(AttackedSamplesQuestion(run=question.run), attacked_samples, device.of_answers)
    assert attacked.z is not None, "a mapped model encodes"
    xy, error = placing.place(attacked.z, _embedding(rows.victim.run.key), mapped.xy)
    return AttackedOnUmapAnswer(error=error, xy_clean=mapped.xy[rows.index.cpu().numpy()], xy=xy)


def _embedding(model: str) -> np.ndarray:
    """Of all samples: (n, m)."""
    z = victim_of(model).z
    assert z is not None, "a model that encodes has an embedding"
    return z.cpu().numpy()
