"""Every question about one sample that a page can put is answered: each model with each objective, attack,
axis and norm that the catalogue allows it, with λ and without.
"""

from collections.abc import Iterator

import pytest

from app.address import connection
from app.forms import possible
from app.forms.threat import NORMS
from engine.asking import computing
from engine.asking.questions import (
    AttackChoice,
    Axis,
    ControlsQuestion,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OtherModelsQuestion,
    Question,
    SampleQuestion,
    ViewsQuestion,
)
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.store import ZOO, Store

HERE = {
    name: run
    for name, run in Store(ZOO).zoo().items()
    if run.spec.action == "train" and "mnist" not in run.spec.data
}
"""Models that ship with Feint whose data come with it too."""
QUICK = ("digits/adec", "digits/conv_ae")
"""Those asked about whenever tests run; all of them under the mark `slow`."""
FEW: dict[str, Axis] = {
    "epsilon": Axis(levels=3),
    "path": Axis.of_path(0.1),
    "lambda": Axis.of_lambda(0.1, levels=3),
    "compressed": Axis.of_compressed(0.1),
}
SAMPLE, TARGET, LAM = 3, 1, 20.0


def objectives(run: Run) -> Iterator[ObjectiveChoice]:
    """What an attacker may want of a model, with a weight on the reconstruction where it has a meaning."""
    for name in possible.objectives(run.spec.name):
        settings = {"cluster": TARGET} if possible.entry("objective", name).get("targeted") else {}
        yield ObjectiveChoice(name=name, settings=settings)
        if possible.weighs(run.spec.name, name):
            yield ObjectiveChoice(name=name, settings=settings, lam=LAM)


def ladders(run: Run) -> Iterator[LadderQuestion]:
    """Every ladder on pixels, of few levels and few steps."""
    for wanted in objectives(run):
        for attack in ("pgd",) if wanted.lam else possible.attacks(run.spec.name, wanted.name):
            few = {"steps": 2} if "steps" in possible.entry("attack", attack)["defaults"] else {}
            for axis in possible.axes(run.spec.name, attack, wanted.name):
                if axis == "lambda" and wanted.lam:
                    continue
                yield LadderQuestion(
                    model=run.key,
                    sample=SAMPLE,
                    attack=AttackChoice(name=attack, settings=few),
                    objective=wanted,
                    axis=FEW[axis],
                    norm="l2" if wanted.lam else "linf",
                )


def beside(run: Run) -> Iterator[Question]:
    """What a page asks beside a ladder."""
    abilities = possible.abilities(run.spec.name)
    for wanted in objectives(run):
        ladder = LadderQuestion(model=run.key, sample=SAMPLE, objective=wanted, axis=FEW["epsilon"])
        if wanted.lam:
            continue
        yield SampleQuestion(model=run.key, sample=SAMPLE, objective=wanted)
        if possible.has_success(wanted.name):
            yield ControlsQuestion(ladder=ladder, level=2)
            yield OtherModelsQuestion(models=(run.key,), sample=SAMPLE, objective=wanted)
    if "decodes" in abilities:
        yield EmbeddingLadderQuestion(model=run.key, sample=SAMPLE, levels=3)
    if "fuses" in abilities:
        yield ViewsQuestion(model=run.key)
        for locked in ((0,), (1,)):
            yield LadderQuestion(model=run.key, sample=SAMPLE, axis=FEW["epsilon"], locked=locked)


@pytest.mark.long
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in HERE]
)
def test_every_question_about_a_sample_is_answered(name: str) -> None:
    assert name in connection.models()
    for question in (*ladders(HERE[name]), *beside(HERE[name])):
        try:
            computing.compute(question)
        except Exception as error:  # named with its question, whatever it is
            kind = "a sentence" if isinstance(error, FeintError) else type(error).__name__
            pytest.fail(f"{question!r} ended in {kind}: {error}")


@pytest.mark.usefixtures("desk")
def test_both_norms_and_all_axes_are_asked() -> None:
    asked = [question for run in HERE.values() for question in ladders(run)]
    assert {question.norm for question in asked} == set(NORMS)
    assert {question.axis.name for question in asked} == set(FEW)
