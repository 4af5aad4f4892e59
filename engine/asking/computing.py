"""What the warm workers compute: one function a question. Every number is judged here in float32."""

from collections.abc import Callable, Mapping
from typing import Any

from engine import data, device
from engine.asking import (
    attacked,
    controls,
    embedding_ladder,
    keeping,
    ladder,
    maps,
    rest,
    several,
    silhouette,
    views,
)
from engine.asking import questions as asked
from engine.asking.answers import Answer, PrepareAnswer
from engine.errors import FeintError


def answer(question: asked.Question[asked.A]) -> asked.A:
    """The kept answer, or a computed one, which is kept from now on."""
    return keeping.kept_or(question, compute, device.of_answers)


def compute(question: asked.Question[asked.A]) -> asked.A:
    """The answer, computed anew."""
    return ANSWERED_BY[type(question)](question)  # type: ignore[return-value]


def warm_up() -> None:
    """Load what the first answers need."""
    data.load("digits").views.rows(slice(0, 1))


def prepare(question: asked.PrepareQuestion) -> PrepareAnswer:
    """Check a choice and make the run's spec; what is wrong comes back as a sentence."""
    from engine.running import runner  # the runner is heavy and only this question needs it

    chosen = question.model_dump(exclude={"ask"})
    try:
        return PrepareAnswer(spec=runner.prepare(**chosen))
    except FeintError as error:
        return PrepareAnswer(sentence=str(error))


ANSWERED_BY: Mapping[type[asked.Question[Any]], Callable[[Any], Answer]] = {
    asked.OverviewQuestion: rest.overview,
    asked.ImagesQuestion: rest.images,
    asked.SampleQuestion: rest.sample,
    asked.UmapQuestion: maps.umap,
    asked.PlaceOnUmapQuestion: maps.place_on_umap,
    asked.AttackedOnUmapQuestion: maps.attacked_on_umap,
    asked.LadderQuestion: ladder.ladder,
    asked.EmbeddingLadderQuestion: embedding_ladder.embedding_ladder,
    asked.ControlsQuestion: controls.controls,
    asked.OtherModelsQuestion: controls.other_models,
    asked.SeveralQuestion: several.several,
    asked.AttackedSamplesQuestion: attacked.attacked_samples,
    asked.AttackedSampleQuestion: embedding_ladder.attacked_sample,
    asked.ViewsQuestion: views.views,
    asked.SilhouetteQuestion: silhouette.silhouette,
    asked.PrepareQuestion: prepare,
}
"""Class of a question -> the function that answers it."""
