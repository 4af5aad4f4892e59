"""What the cards of Home show: pictures from answers that ship with Feint, or were computed before."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from app import gallery
from app.address import connection, house
from app.attack.levels import NAMES, adversarial
from app.forms.choose_model import DEFAULT_METHOD
from app.forms.choose_sample import first_sample
from app.papers.studies import judged, results, same_sample
from app.papers.studies.results import Result
from app.words import _
from engine.asking import keeping
from engine.asking.answers import LadderAnswer, OverviewAnswer
from engine.asking.questions import (
    LOOKED_AT,
    EmbeddingLadderQuestion,
    ImagesQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    Question,
)
from engine.asking.striking import striking
from engine.store.run import Run

Picture = tuple[np.ndarray | bytes, str]
"""An image and what stands under it."""
MOST = 12
"""Pictures on a card."""
TRIPLES = 4
"""Samples of the card of Attack, each clean, as it is moved, and attacked."""
SIZES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""ε of the card of Curves."""
COPIES = "dense_ae"
"""The model on the card of UAE."""
VIEWED = 3
"""Models on the card of Multi-view."""


def attack(data: str) -> Iterator[Picture]:
    """Samples as they are, as they are moved, and where that takes them."""
    run = _zoo().get(f"{data}/{DEFAULT_METHOD}")
    reached = [answer for answer in _ladders(run, data) if answer.first_reached is not None]
    for answer in reached[1 : TRIPLES + 1] or reached:  # the first one is the picture above the cards
        yield from triple(answer)


def inspect(data: str) -> Iterator[Picture]:
    """Samples that an attack sent elsewhere, one from each cluster and more."""
    attacked, model = _zoo().get(f"{data}/{DEFAULT_METHOD}.pgd"), _zoo().get(f"{data}/{DEFAULT_METHOD}")
    overview = None if model is None else keeping.kept(OverviewQuestion(model=model.key))
    if attacked is None or overview is None:
        return
    table, images = attacked.table(), attacked.arrays("images")["adversarial"]
    before, after = (table[name].to_numpy() for name in ("cluster_clean", "cluster_attacked"))
    gone = np.flatnonzero(before != after)
    names, groups = overview.group_names, np.unique(before[gone])
    firsts = [int(gone[before[gone] == group][0]) for group in groups]
    for row in list(dict.fromkeys([*firsts, *gone.tolist()]))[:MOST]:
        image = images[row].astype(np.float32).reshape(overview.shape)
        yield image, f"{names[before[row]]} → {names[after[row]]}"


def curves(data: str) -> Iterator[Picture]:
    """One sample at growing ε, with the share of many samples that leave their cluster there."""
    swept, model = _zoo().get(f"{data}/{DEFAULT_METHOD}.over_epsilon"), _zoo().get(f"{data}/{DEFAULT_METHOD}")
    answer = next(iter(_ladders(model, data)), None)
    if swept is None or answer is None:
        return
    cells = swept.result()["cells"]
    for size in SIZES:
        rates = [cell["metrics"]["flip_rate"] for cell in cells if np.isclose(cell["epsilon"], size)]
        if rates:
            yield (
                adversarial(answer, _level(answer, size)).reshape(answer.shape),
                _("ε {size:g}: {share:.0%} flip").format(size=size, share=np.mean(rates)),
            )


def multiview(data: str) -> Iterator[Picture]:
    """Two views side by side, as they are, as they are moved, and attacked, in models that this takes
    elsewhere: those of the data that pages begin with first.
    """
    runs = sorted(_of_family("multiview"), key=lambda run: run.spec.data != house.OF_VIEWS[data])
    answers = [keeping.kept(_question(run)) for run in runs]
    reached = [answer for answer in answers if answer is not None and answer.first_reached is not None]
    for answer in reached[:VIEWED]:
        yield from triple(answer)


def defend(data: str) -> Iterator[Picture]:
    """The sample of the page Defend, in the models and at the ε that it opens with."""
    found = defended(data)
    if found is not None:
        at = judged.telling(judged.verdicts(found)).epsilon
        for one in same_sample.pictures(found, at, keeping.kept):
            size = one.answer.levels[one.level]
            moved = _("{says} at ε = {size:.2g}").format(says=one.says, size=size)
            yield one.image, moved if one.level > 0 else one.says


def defended(data: str) -> Result | None:
    """The study that the page Defend opens with, for the data that pages begin with."""
    name = results.of_page("defend", "against_epsilon")[0]
    return next((results.result(name, size) for size in results.sizes(name, data)), None)


def robust(data: str) -> Iterator[Picture]:
    """What is decoded before and after the embedding is moved."""
    for run in _of_family("robust", only_example=True):
        answer = keeping.kept(_question(run)) if run.spec.data == data else None
        if answer is not None:
            yield from triple(answer)


def uae(data: str) -> Iterator[Picture]:
    """Samples and what was found for them: less like them, and copied better."""
    found = _zoo().get(f"{data}/{COPIES}.uae")
    if found is None:
        return
    table = found.table()
    places = striking(table, farthest=True)
    ids = table["id"].to_numpy()[places].tolist()
    clean, images = keeping.kept(ImagesQuestion.of(found.spec, ids)), found.arrays("images")["adversarial"]
    if clean is None:
        return
    for place, original in list(zip(places, clean.images, strict=True))[: MOST // 2]:
        before, after = (table[f"reconstruction_error_{name}"][place] for name in ("clean", "attacked"))
        yield original.reshape(clean.shape), _("error {size:.4f}").format(size=before)
        yield images[place].astype(np.float32).reshape(clean.shape), _("error {size:.4f}").format(size=after)


def contrastive(data: str) -> Iterator[Picture]:
    """A sample on its way to the neighbouring cluster, and who is near to it there."""
    for run in _of_family("contrastive", only_example=True):
        answer = keeping.kept(_question(run)) if run.spec.data == data else None
        if answer is None or answer.near is None or answer.near_clean is None:
            continue
        yield from triple(answer)
        every = ImagesQuestion.around(run.spec, answer.near_clean.tolist(), answer.near)
        images = keeping.kept(every)
        if images is not None:
            for number in answer.near[answer.start][:3]:
                picture = images.images[int(np.searchsorted(every.ids, number))]
                yield picture.reshape(images.shape), _("near to it there")


def train(data: str) -> Iterator[Picture]:
    """What a training came to: the sample in the middle of each cluster."""
    for image, group, overview in _middles(data):
        told = _("{n:,} in “{group}”").format(n=overview.sizes[group], group=overview.group_names[group])
        yield image, told


OF_PAGE: Mapping[str, Callable[[str], Iterator[Picture]]] = {
    "attack": attack,
    "inspect": inspect,
    "curves": curves,
    "multiview": multiview,
    "defend": defend,
    "robust": robust,
    "uae": uae,
    "contrastive": contrastive,
    "train": train,
}
"""Page -> its pictures, for the data that pages begin with."""


def leads(page: str, data: str) -> dict[str, str]:
    """What the page of a card is told, so that it shows what is on the card."""
    found = defended(data) if page == "defend" else None
    return {} if found is None else {"tab": "holds", "size": found.size}


def classes(data: str) -> Iterator[Picture]:
    """What a classifier is shown in training: samples with their labels."""
    for image, group, overview in _middles(data):
        if overview.label is not None and overview.medoids is not None:
            label = overview.class_names[overview.label[overview.medoids[group]]]
            yield image, _("labelled “{label}”").format(label=label)


def triple(answer: LadderAnswer) -> Iterator[Picture]:
    """A sample, what is done to it, and how it is taken then, at the first level that reaches the objective,
    else at the last.
    """
    if answer.q is None or answer.own_group is None:
        return
    level, shape = answer.start, answer.shape
    delta = answer.delta[level].astype(np.float32)
    gain = 0.5 / max(float(np.abs(delta).max()), 1e-9)
    gained = gallery.gain_text(gain)
    what = _("difference {gain}") if answer.axis == "nu" else _("perturbation {gain}")
    own, taken = answer.own_group, int(answer.q[level].argmax())
    yield answer.clean.reshape(shape), _("cluster {name}").format(name=answer.group_names[own])
    yield gallery.signed_png(delta.reshape(shape), gain), what.format(gain=gained)
    said = _("cluster {name} at {axis} {size:.3f}").format(
        name=answer.group_names[taken], axis=_(NAMES[answer.axis]), size=answer.levels[level]
    )
    yield adversarial(answer, level).reshape(shape), said


def _middles(data: str) -> Iterator[tuple[np.ndarray, int, OverviewAnswer]]:
    """The sample in the middle of each cluster of the model that pages begin with, in the order of their
    classes: its picture, the number of its cluster, and all that is known of the clean samples.
    """
    run = _zoo().get(f"{data}/{DEFAULT_METHOD}")
    found = None if run is None else keeping.kept(OverviewQuestion(model=run.key))
    if found is None or found.medoid_images is None:
        return
    for group in np.argsort([number if number >= 0 else 99 for number in found.matched_class])[:MOST]:
        yield found.medoid_images[group].reshape(found.shape), int(group), found


def _level(answer: LadderAnswer, size: float) -> int:
    """The level of a ladder that is nearest to a size."""
    return int(np.abs(np.array(answer.levels) - size).argmin())


def _zoo() -> dict[str, Run]:
    return connection.store().zoo()


def _ladders(run: Run | None, data: str) -> Iterator[LadderAnswer]:
    """The ladders of a model that are here, that of the sample shown first before the others."""
    first = first_sample(data)
    for sample in dict.fromkeys((first, *LOOKED_AT.get(data, ()))):
        answer = None if run is None else keeping.kept(LadderQuestion(model=run.key, sample=sample))
        if answer is not None:
            yield answer


def _of_family(page: str, only_example: bool = False) -> Iterator[Run]:
    """The models of the zoo whose family has this page; of each data set its example alone, if asked."""
    known = connection.catalogue()["model"]
    for run in connection.models().values():
        family: dict[str, Any] = known.get(run.spec.name, {}).get("family", {})
        if (
            run.zoo
            and family.get("page") == page
            and (not only_example or run.spec.name == family["example"])
        ):
            yield run


def _question(run: Run) -> Question[Any]:
    """The ladder behind the picture of a model."""
    catalogue, sample = connection.catalogue(), first_sample(run.spec.data)
    family = catalogue["model"][run.spec.name]["family"]
    if "nu" in catalogue["attack"][family["attack"]]["axes"]:
        size = int(np.prod(catalogue["data"][run.spec.data]["shape"]))
        return EmbeddingLadderQuestion.usual(run.key, sample, size)
    objective = ObjectiveChoice(name=family["objective"])
    return LadderQuestion(model=run.key, sample=sample, objective=objective)
