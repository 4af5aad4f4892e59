"""The answers that ship with a zoo entry: all that the first picture of every page needs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine import device, registry
from engine.asking import computing, keeping, maps
from engine.asking import questions as asked
from engine.asking.answers import Answer, UmapAnswer
from engine.asking.questions import AttackChoice, LadderQuestion, ObjectiveChoice, Question
from engine.asking.striking import striking
from engine.asking.victims import victim_of
from engine.attacks.protocols import AttackSettings
from engine.home import home
from engine.models.protocols import ModelSettings
from engine.store.run import Run

LARGE = 500_000
"""Numbers in an embedding of all samples from which no UMAP is made ready: it would take minutes."""
SMALL = 200
"""Numbers in a sample below which the pictures of an attack on the embedding come with it; of larger ones
they would take megabytes, and are decoded when asked for.
"""
INSPECTED = 40
"""Samples of an attack of which all that is known of one ships: those that it changed most, a page of the
grid.
"""
OTHER_AXES = (asked.Axis.of_path(0.1), asked.Axis.of_lambda(0.1))
"""Axes of a page's first sample that it may be turned to, at the ε that is offered first."""
SAME = 1e-4
"""Largest difference of two embeddings that are taken for one: a map of the first is one of the second."""


def first_questions(run: Run) -> Iterator[Question[Any]]:
    """What pages ask about a zoo entry before anybody has chosen anything."""
    if run.spec.action == "train":
        yield from _of_a_model(run)
    elif run.spec.action == "attack":
        yield from _of_an_attack(run)
    elif run.spec.action == "pairs":
        yield asked.ImagesQuestion.around(run.spec, run.table()["id"].tolist(), None)


def ship(run: Run, folder: Path) -> None:
    """Write an entry's answers, computed anew, into its folder `answers`, and nothing else.

    A UMAP is kept where the embedding is still the same: fitted on another machine it would turn out
    differently, and links and pictures would change with it.
    """
    questions = list(first_questions(run))
    maps = {question.key(): keeping.kept(question) for question in questions if question.lane == "map"}
    shutil.rmtree(folder / "answers", ignore_errors=True)
    for question in questions:
        found = _still_right(question, maps.get(question.key())) or computing.compute(question)
        for place in (home() / "answers", folder / "answers"):  # where later questions find it, and its own
            keeping.write(keeping.file_of(question, place), found, device.of_answers())


def _still_right(question: Question[Any], found: Answer | None) -> Answer | None:
    if not isinstance(question, asked.UmapQuestion) or not isinstance(found, UmapAnswer):
        return None
    z = victim_of(question.model).z
    some = None if z is None else maps.some_of(z.cpu().numpy())
    if some is None or found.some.shape != some.shape:
        return None
    return found if np.abs(found.some - some).max() <= SAME else None


def _of_a_model(run: Run) -> Iterator[Question[Any]]:
    settings, model = registry.find("model", run.spec.name), run.key
    first, victim = first_ladder(run), victim_of(model)
    sample = first.sample
    yield asked.OverviewQuestion(model=model)
    if run.spec.data in asked.LOOKED_AT:
        yield asked.ImagesQuestion.of(run.spec, asked.LOOKED_AT[run.spec.data])
    yield first
    if "fuses" in settings.abilities:
        yield asked.ViewsQuestion(model=model)
        disrupted = LadderQuestion(model=model, sample=sample, objective=ObjectiveChoice(name="mv_disrupt"))
        yield disrupted
        if victim.data.views.size < SMALL:
            views = range(len(victim.data.views.shapes))
            yield from (disrupted.model_copy(update={"locked": (view,)}) for view in views)
    if _is_defended(run.spec.name):
        yield asked.EmbeddingLadderQuestion.usual(model, sample, victim.data.views.size)
    if "compares" in settings.abilities:
        yield from _compared(run, first)
    if "classifies" in settings.abilities:
        yield asked.SeveralQuestion(model=model, objective=first.objective, epsilon=asked.COMPARED_AT)
    often = "clusters" in settings.abilities and "compares" not in settings.abilities
    ladders = [first, *(_looked_at(run, first) if often else ())]
    yield from ladders[1:]
    if "clusters" in settings.abilities and "fuses" not in settings.abilities:
        for ladder in ladders:
            yield from _beside(run, ladder)
    if victim.z is not None and victim.z.numel() < LARGE:
        yield asked.UmapQuestion(model=model)
        yield from (asked.PlaceOnUmapQuestion(ladder=ladder) for ladder in ladders)


def _compared(run: Run, first: LadderQuestion) -> Iterator[Question[Any]]:
    """Of an encoder with centroids: the first sample on its way to the neighbour, who is near, and which K
    would suit.
    """
    wanted = ObjectiveChoice(name=registry.find("model", run.spec.name).family.objective)
    ladder = first.model_copy(update={"objective": wanted})
    yield ladder
    yield asked.SeveralQuestion(model=run.key, epsilon=asked.COMPARED_AT)
    answer = keeping.kept_or(ladder, computing.compute)
    assert answer.near is not None and answer.near_clean is not None, "an encoder knows who is near"
    yield asked.ImagesQuestion.around(run.spec, answer.near_clean.tolist(), answer.near)
    exemplars = victim_of(run.key).exemplars
    assert exemplars is not None, "its centroids have samples near them"
    yield asked.ImagesQuestion.of(run.spec, exemplars.unique().tolist())
    yield asked.SilhouetteQuestion.of(run)


def _looked_at(run: Run, first: LadderQuestion) -> Iterator[LadderQuestion]:
    """Of models that Attack begins with, on data that must be fetched: further samples, and the first along
    the other axes.
    """
    samples = asked.LOOKED_AT.get(run.spec.data, ())
    yield from (first.model_copy(update={"sample": sample}) for sample in samples if sample != first.sample)
    if samples:
        yield from (first.model_copy(update={"axis": axis}) for axis in other_axes(run))


def other_axes(run: Run) -> list[asked.Axis]:
    """Those of OTHER_AXES that a model has: λ weighs the change of a reconstruction."""
    reconstructs = "reconstructs" in registry.find("model", run.spec.name).abilities
    return [axis for axis in OTHER_AXES if reconstructs or axis.name != "lambda"]


def _beside(run: Run, ladder: LadderQuestion) -> Iterator[Question[Any]]:
    """The controls of a ladder at the level that a page shows first, and pictures of who is near at any."""
    answer = keeping.kept_or(ladder, computing.compute)
    yield asked.ControlsQuestion(ladder=ladder, level=answer.start)
    if answer.near is not None and answer.near_clean is not None:
        yield asked.ImagesQuestion.around(run.spec, answer.near_clean.tolist(), answer.near)


def first_ladder(run: Run) -> LadderQuestion:
    """The ladder of a model that pages show before anybody has chosen anything."""
    wanted = ObjectiveChoice(name=_usual(registry.find("model", run.spec.name)))
    return LadderQuestion(model=run.key, sample=asked.SHOWN.get(run.spec.data, 0), objective=wanted)


def _usual(owner: type[ModelSettings]) -> str:
    """The objective with which pages begin for a model: to leave its cluster, else one with a mark of
    success, else one that knows it.
    """
    able = set(owner.abilities)
    known = [registry.find("objective", name) for name in registry.names("objective")]
    possible = [one for one in known if one.space == "pixels" and one.needs and set(one.needs) <= able]
    usual = [one for one in possible if one.name == ObjectiveChoice().name]
    marked = [one for one in possible if one.reached_above is not None]
    reaching = [one for one in possible if one.describe_more()["has_goal"]]
    return next(one.name for one in (*usual, *marked, *reaching, *possible))


def _is_defended(name: str) -> bool:
    """Whether a model is one whose embedding is attacked and defended: a defence of it is there, or it is
    one.
    """
    models = {known: registry.find("model", known) for known in registry.names("model")}
    return bool(models[name].begins_from) or any(name in model.begins_from for model in models.values())


def _of_an_attack(run: Run) -> Iterator[Question[Any]]:
    """A fitted attack's ladder on pixels; all that Inspect shows of another one on pixels; or where the
    samples of one on small embeddings went, unless its ν is one of several: those are levels of a ladder.
    """
    model, sample = run.spec.builds_on["model"], asked.SHOWN.get(run.spec.data, 0)
    attack = registry.find("attack", run.spec.name)
    if not attack.fills:
        yield from _striking(run, attack)
    elif attack.space == "pixels" and not attack.fitted:
        yield from _inspected(run)
    elif attack.space == "pixels":
        yield LadderQuestion(
            model=model,
            sample=sample,
            attack=AttackChoice(name=run.spec.name, fitted=(run.key,)),
            objective=ObjectiveChoice(name=run.spec.settings["objective"]),
        )
    elif not run.spec.settings["objective_settings"].get("nu") and victim_of(model).data.views.size < SMALL:
        yield asked.AttackedSamplesQuestion(run=run.key)


def _striking(run: Run, attack: type[AttackSettings]) -> Iterator[Question[Any]]:
    """The samples of an attack that a page shows first, where all went, and the first of them along every
    axis.
    """
    yield asked.AttackedSamplesQuestion(run=run.key)
    table, said = run.table(), run.spec.settings
    usual = attack().values()
    settings = {name: value for name, value in said["attack_settings"].items() if value != usual[name]}
    ids = table["id"].to_numpy()[striking(table, farthest=settings.get("direction", -1) == -1)].tolist()
    yield asked.ImagesQuestion.of(run.spec, ids)
    for axis in (
        asked.Axis.of_path(said["epsilon"]),
        asked.Axis.of_epsilon(said["norm"], 1.0, asked.FEW_LEVELS),
        asked.Axis.of_compressed(said["epsilon"]),
    ):
        yield LadderQuestion(
            model=run.spec.builds_on["model"],
            sample=ids[0],
            attack=AttackChoice(name=run.spec.name, settings=settings),
            objective=ObjectiveChoice(name=said["objective"]),
            axis=axis,
        )


def _inspected(run: Run) -> Iterator[Question[Any]]:
    """Where the samples of an attack went, their pictures, and the first ones alone."""
    where = asked.AttackedSamplesQuestion(run=run.key)
    yield where
    yield asked.AttackedOnUmapQuestion(run=run.key)
    table, near = run.table(), keeping.kept_or(where, computing.compute).near
    yield asked.ImagesQuestion.around(run.spec, table["id"].tolist(), near)
    objective = ObjectiveChoice(name=run.spec.settings["objective"])
    ranked = table.sort_values("margin_attacked", kind="stable")["id"].tolist()
    first = [*ranked[:INSPECTED], *(number for number in ranked[INSPECTED:] if number in _first(run))]
    for number in first:
        yield asked.SampleQuestion(model=run.spec.builds_on["model"], sample=number, objective=objective)


def _first(run: Run) -> tuple[int, ...]:
    """Samples that other pages show first."""
    shown = asked.SHOWN.get(run.spec.data, 0)
    return (shown, *asked.LOOKED_AT.get(run.spec.data, ()))
