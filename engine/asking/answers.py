"""What answers hold: one frozen class for each question, with named fields and named arrays whose shapes are
checked. Torch-free.

Sizes in the shapes: n samples, d numbers in a sample, k groups (what a model sorts into: its clusters, or the
classes it predicts), m numbers in an embedding, `levels` of a ladder, `views`. One name is one size within an
answer. What a model lacks the ability for is None.
"""

from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8, jaxtyped
from pydantic import BaseModel, ConfigDict

from engine.metrics.intervals import wilson
from engine.store.spec import Spec

Array = np.ndarray
NOISES = 20
"""Noises drawn at every level of a ladder; the first is the one that is drawn beside the attack."""
ControlKind = Literal["attack", "strongest", "noise", "other_delta", "fgsm", "unlimited"]
"""What is counted beside one another: the attack, the strongest of the house, noise of its size, the
perturbations of other samples, one step of the gradient, and the attack without a limit on ε, nor a penalty.
"""


class Answer(BaseModel):
    """The base of all answers: frozen; an array of another shape or kind than declared is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __init__(self, **fields: Any) -> None:
        with jaxtyped("context"):  # one name of a size means one number in the whole answer
            super().__init__(**fields)

    def split(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The fields as plain JSON values, and the arrays that are there."""
        arrays = {name: value for name, value in self if isinstance(value, np.ndarray)}
        return self.model_dump(mode="json", exclude=set(arrays)), arrays


class OverviewAnswer(Answer):
    """A model and its clean samples. `margin` is that between the two likeliest groups, in nats."""

    n: int
    size: int
    """Numbers in one sample, all views together."""
    views: int
    shape: tuple[int, ...]
    """(C, H, W) of the picture of a whole sample, or (d,)."""
    data: str
    title: str
    class_names: tuple[str, ...]
    grouping: Literal["cluster", "class"] | None
    """What the model sorts samples into, if anything."""
    group_names: tuple[str, ...] = ()
    matched_class: tuple[int, ...] = ()
    """The class that each group is matched to, for display only; -1: none."""
    sizes: tuple[int, ...] = ()
    """How many samples are in each group."""
    scores: dict[str, float | None] = {}
    """Name of a metric of models -> its value on the clean samples."""
    label: Int[Array, " n"] | None = None
    group: Int[Array, " n"] | None = None
    margin: Float[Array, " n"] | None = None
    confidence: Float[Array, " n"] | None = None
    xy: Float[Array, "n 2"] | None = None
    """Places on the first two principal axes of the embedding."""
    medoids: Int[Array, " k"] | None = None
    """The sample nearest to the mean of each group's embeddings; -1 for an empty group."""
    medoid_images: UInt8[Array, "k d"] | None = None
    centroid_xy: Float[Array, "k 2"] | None = None
    """Where the centroids lie, of a model that compares directions with them."""
    exemplars: Int[Array, "k near"] | None = None
    """The clean samples nearest to each of them."""
    feature_names: tuple[str, ...] = ()
    """Of the numbers of a sample that is a row of a table, where they have names."""
    low: Float[Array, " d"] | None = None
    span: Float[Array, " d"] | None = None
    """Of such a row brought into [0, 1]: the data have low + span · x."""


class UmapAnswer(Answer):
    """UMAP coordinates of the clean embedding, and `some` of its rows, by which it is known again."""

    some: Float[Array, "some m"]
    xy: Float[Array, "n 2"]


class PlaceOnUmapAnswer(Answer):
    """Where the levels of a ladder lie on the model's UMAP; arrows shorter than `xy_error` say nothing."""

    xy_clean: Float[Array, "2"]
    xy: Float[Array, "levels 2"]
    xy_error: float


class ImagesAnswer(Answer):
    """Pictures of samples, a row each, in the order in which they were asked for."""

    shape: tuple[int, ...]
    images: UInt8[Array, "n d"]


class SampleAnswer(Answer):
    """One clean sample; `near` are the clean samples nearest to it in the embedding, itself left out."""

    sample: int
    label: int | None
    group: int | None
    shape: tuple[int, ...]
    clean: Float[Array, " d"]
    recon: Float[Array, " d"] | None = None
    q: Float[Array, " k"] | None = None
    """Probabilities of the groups."""
    gradient: Float[Array, " d"] | None = None
    """Of the objective at the clean sample; None where it cannot be bound to the model or vanishes there."""
    near: Int[Array, " near"] | None = None
    near_distance: Float[Array, " near"] | None = None
    near_group: Int[Array, " near"] | None = None
    near_images: UInt8[Array, "near d"] | None = None


class LadderAnswer(Answer):
    """One sample at every level of a ladder, beside noise of the same size. `q` are probabilities of groups.

    Views of a sample stand side by side in `clean`, `delta` and `recon`; what is known of each alone is in
    the fields that begin with `view`.
    """

    axis: Literal["epsilon", "path", "lambda", "nu", "compressed"]
    levels: tuple[float, ...]
    """ε, the step, λ, ν or K of each level."""
    norm: str
    epsilon: float | None
    """The one ε of a ladder over anything else; None over ν, which nothing bounds."""
    sample: int
    label: int | None
    label_name: str
    data: str
    title: str
    model: str
    shape: tuple[int, ...]
    protocol: str
    map_name: str = "PCA of z"
    group_names: tuple[str, ...] = ()
    own_group: int | None
    target: int | None
    """The group that the attack was to reach, where it was to reach a certain one."""
    already: bool = False
    """Whether the sample is where the objective wants it before any attack, whatever the axis."""
    first_reached: int | None
    """The first level at which the objective was reached; None where it never was, or has no such notion."""
    epsilon_star: float | None
    """The smallest ε found at which it was reached: an upper bound."""
    noise_reached: int | None
    """In how many of `noise_n` draws noise of the same size reached it too, all levels together."""
    noise_n: int | None
    """How many noises were drawn, NOISES for every level of a size above 0; None where nothing is reached."""
    read_as: tuple[str, ...] | None
    """The class that 5 nearest neighbours on raw pixels see at each level; None without labels."""

    clean: Float[Array, " d"]
    delta: Float[Array, "levels d"]
    linf: Float[Array, " levels"]
    l2: Float[Array, " levels"]
    value: Float[Array, " levels"]
    """Of the objective, at each level."""
    traced: tuple[tuple[str, str], ...] = ()
    """What the attack traces beside that: symbol, and what it is."""
    traces: Float[Array, "traced levels"] | None = None
    """Their values; NaN where there is none."""
    noise_share: Float[Array, " levels"] | None = None
    """The share of those drawn at each level that reached it."""
    noise_value: Float[Array, " levels"] | None = None
    """The same under noise of the same size, where neither groups nor success tell what noise does."""
    reached: Bool[Array, " levels"] | None = None
    q: Float[Array, "levels k"] | None = None
    q_clean: Float[Array, " k"] | None = None
    noise_q: Float[Array, "levels k"] | None = None
    medoids: UInt8[Array, "k d"] | None = None
    z: Float[Array, "levels m"] | None = None
    z_clean: Float[Array, " m"] | None = None
    xy: Float[Array, "levels 2"] | None = None
    xy_clean: Float[Array, "2"] | None = None
    xy_error: float = 0.0
    near: Int[Array, "levels near"] | None = None
    near_clean: Int[Array, " near"] | None = None
    recon: UInt8[Array, "levels d"] | None = None
    recon_clean: UInt8[Array, " d"] | None = None

    views: int = 1
    view_q: Float[Array, "levels views k"] | None = None
    view_q_clean: Float[Array, "views k"] | None = None
    view_xy: Float[Array, "levels views 2"] | None = None
    view_xy_clean: Float[Array, "views 2"] | None = None
    view_linf: Float[Array, "levels views"] | None = None
    agreement: Float[Array, " levels"] | None = None
    """The cosine of the views' embeddings, mean over pairs of views."""
    agreement_clean: Float[Array, ""] | None = None

    def noise_at(self, level: int) -> tuple[int, int]:
        """How many noises of the size of a level reached it, and of how many that do not depend on each
        other: those of that level, as along ε each is one direction in all sizes, and as an attack that does
        not use its ε up has another size at each; where every level has the same size, all that were drawn.
        """
        if self.noise_share is None:
            return 0, 0
        if self.epsilon is not None and self.traces is not None:
            return round(float(self.noise_share[level]) * NOISES), NOISES if self.l2[level] > 0 else 0
        if self.epsilon is not None:
            return self.noise_reached or 0, self.noise_n or 0
        return round(float(self.noise_share[level]) * NOISES), NOISES if self.levels[level] > 0 else 0

    @property
    def noise_told(self) -> dict[str, Any]:
        """How often noise of the size of the level shown first reached it: `reached` of `n` draws, and the
        ends of its 95 % interval, `low` and `high`, in per cent as they are written.
        """
        reached, n = self.noise_at(self.start)
        low, high = (_percent(share) for share in wilson(reached, n))
        return {"reached": reached, "n": n, "low": low, "high": high}

    @property
    def start(self) -> int:
        """The level shown first: the first that reached the objective; over λ the last one (a larger weight
        gives the attack up); the end where none did, and of a path that is chosen from at its end.
        """
        if self.axis == "path" and self.traces is not None:
            return len(self.levels) - 1
        if self.axis != "lambda":
            return len(self.levels) - 1 if self.first_reached is None else self.first_reached
        there = np.flatnonzero(self.reached) if self.reached is not None else np.zeros(0, dtype=int)
        return int(there[-1]) if len(there) else 0


def _percent(share: float) -> str:
    """Hundredths, and tenths of one below 10."""
    return f"{100 * share:.{0 if share in (0.0, 1.0) or share > 0.0995 else 1}f}"


class EmbeddingLadderAnswer(LadderAnswer):
    """A ladder over ν: `clean` is decoded from the clean embedding, `delta` what is decoded differently."""

    ratio: Float[Array, " levels"]
    """‖δ‖/‖z‖ of the embedding."""
    shift_mse: Float[Array, " levels"]
    """Mean square by which the decoded picture changes."""
    error_mse: float
    """That by which the picture decoded from the clean embedding differs from the sample."""
    original: UInt8[Array, " d"]
    """The sample itself."""


class Control(BaseModel):
    """How often something reached the objective: a share of n tries, with its 95 % Wilson interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ControlKind
    title: str
    reached: int
    n: int
    low: float
    high: float


class ControlsAnswer(Answer):
    """One level of a ladder beside what must not be credited to the attack; none where nothing is reached."""

    epsilon: float
    rows: tuple[Control, ...]


class OtherModel(BaseModel):
    """A sample in another model: its group there, and the smallest ε found that reaches the objective."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    group: int | None
    name: str
    first_reached: int | None
    epsilon_star: float | None


class OtherModelsAnswer(Answer):
    """One sample against several models, in the order in which they were given."""

    sample: int
    norm: str
    top: float
    rows: tuple[OtherModel, ...]


class SeveralAnswer(Answer):
    """Several samples under an attack at one ε. `counted` are those that were not where the objective wants
    them before any attack; `legible` those still read as their label by neighbours on raw pixels.
    """

    ids: Int[Array, " n"]
    counted: Bool[Array, " n"]
    reached: Bool[Array, " n"]
    noise: Bool[Array, " n"]
    """Whether one noise of the same size reached it too."""
    group_clean: Int[Array, " n"] | None = None
    group: Int[Array, " n"] | None = None
    legible: Bool[Array, " n"] | None = None


class AttackedSamplesAnswer(Answer):
    """The samples of a finished attack, in its table's order, clean and attacked.

    `uncertain` marks those that left the data: farther in z than `far` from every clean sample, which is what
    99 of 100 clean ones are from theirs.
    """

    n: int
    far: float | None = None
    uncertain: Bool[Array, " n"] | None = None
    xy_clean: Float[Array, "n 2"] | None = None
    xy: Float[Array, "n 2"] | None = None
    z: Float[Array, "n m"] | None = None
    near: Int[Array, "n near"] | None = None
    near_distance: Float[Array, " n"] | None = None
    q_clean: Float[Array, "n k"] | None = None
    q: Float[Array, "n k"] | None = None
    recon: UInt8[Array, "n d"] | None = None
    recon_clean: UInt8[Array, "n d"] | None = None


class AttackedSampleAnswer(Answer):
    """One sample under an attack on the embedding, whether its run chose that sample or not."""

    sample: int
    xy_clean: Float[Array, "2"]
    xy: Float[Array, "2"]
    q_clean: Float[Array, " k"]
    q: Float[Array, " k"]
    recon_clean: UInt8[Array, " d"]
    recon: UInt8[Array, " d"]


class AttackedOnUmapAnswer(Answer):
    """The samples of a finished attack on the model's UMAP; `error` is how far a clean one lands from
    itself.
    """

    error: float
    xy_clean: Float[Array, "n 2"]
    xy: Float[Array, "n 2"]


class ViewsAnswer(Answer):
    """The views of a multi-view model, one by one."""

    weights: tuple[float, ...]
    """Of the fusion."""
    alone: tuple[float, ...]
    """The share of clean samples on which the head, asked about one view, agrees with the fusion."""
    agreement: float
    """The cosine of a sample's views, mean over pairs of views and over samples."""
    agreement_of_strangers: float
    """The same between views of different samples."""
    contrast: tuple[float, ...]
    """How far dark and bright lie apart in an ordinary image of each view."""
    xy: Float[Array, "views n 2"]


class SilhouetteAnswer(Answer):
    """How well an encoder's directions fall into K clusters, for several K."""

    clusters: tuple[int, ...]
    silhouette: Float[Array, " ks"]
    """Mean cosine silhouette, -1 to 1."""
    purity: Float[Array, " ks"] | None = None
    """The share of samples whose label is their cluster's commonest; None without labels."""
    chosen: int
    """The K with the largest silhouette."""


class PrepareAnswer(Answer):
    """The checked spec of a run, or the sentence that says what is wrong with the choice."""

    spec: Spec | None = None
    sentence: str | None = None
