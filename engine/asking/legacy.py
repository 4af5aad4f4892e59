"""Questions as plain mappings, as pages still put them; it goes when none does."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.asking import keeping
from engine.asking import questions as asked
from engine.asking.answers import Answer, Plain
from engine.asking.questions import (
    NU_TOP,
    SHOWN,
    SMALL_NU_TOP,
    SMALL_SIZE,
    TOP,
    AttackChoice,
    Axis,
    ObjectiveChoice,
    Question,
)

__all__ = [
    "SHOWN",
    "TOP",
    "Answer",
    "key",
    "kept",
    "ladder_question",
    "nu_question",
    "plain",
    "typed",
]


def typed(question: Mapping[str, Any] | Question[Any]) -> Question[Any]:
    """The same question as one of the classes."""
    if isinstance(question, Question):
        return question
    rest = {name: value for name, value in question.items() if name != "ask"}
    match question["ask"]:
        case "ladder":
            return _ladder(**rest)
        case "checks":
            return asked.ControlsQuestion(ladder=typed(rest.pop("ladder")), **rest)  # type: ignore[arg-type]
        case "place":
            return asked.PlaceOnUmapQuestion(ladder=typed(rest["ladder"]))  # type: ignore[arg-type]
        case "images":
            return asked.ImagesQuestion(data=rest["data"], ids=tuple(rest["ids"]), fingerprint="any")
        case "fate":
            attack = AttackChoice(name=rest.pop("attack"), settings=rest.pop("settings"))
            models = tuple(rest.pop("models"))
            return asked.OtherModelsQuestion(attack=attack, models=models, **rest)
    return NAMES[question["ask"]](**rest)


NAMES: dict[str, type[Question[Any]]] = {
    "overview": asked.OverviewQuestion,
    "umap": asked.UmapQuestion,
    "sample": asked.SampleQuestion,
    "moved": asked.AttackedSamplesQuestion,
    "moved_sample": asked.AttackedSampleQuestion,
    "moved_umap": asked.AttackedOnUmapQuestion,
    "views": asked.ViewsQuestion,
    "prepare": asked.PrepareQuestion,
}


def _ladder(**given: Any) -> Question[Any]:
    fitted = tuple(key for key in given.get("fitted", "").split(",") if key)
    attack = AttackChoice(name=given["attack"], settings=given["settings"], fitted=fitted)
    objective = ObjectiveChoice(
        name=given["objective"], settings=given["objective_settings"], lam=given["lam"]
    )
    same = {"model": given["model"], "sample": given["sample"], "attack": attack, "objective": objective}
    if given["axis"] == "nu":
        return asked.EmbeddingLadderQuestion(
            **same, top=given["top"], levels=given["count"], seed=given["seed"]
        )
    top, epsilon = given["top"], given["epsilon"]
    axis = {
        "epsilon": lambda: Axis(top=top, levels=given["count"]),
        "path": lambda: Axis(name="path", epsilon=epsilon),
        "lambda": lambda: Axis(name="lambda", top=top, levels=given["count"], epsilon=epsilon),
    }[given["axis"]]()
    return asked.LadderQuestion(
        **same, norm=given["norm"], axis=axis, locked=tuple(given.get("locked", ())), seed=given["seed"]
    )


def plain(said: dict[str, Any], arrays: dict[str, Any]) -> Answer:
    """An answer put together by a page."""
    return Plain(said=said, values=arrays)


def key(question: Mapping[str, Any] | Question[Any]) -> str:
    """The key of a question."""
    return typed(question).key()


def kept(question: Mapping[str, Any] | Question[Any]) -> Any:
    """The kept answer."""
    return keeping.kept(typed(question))


def ladder_question(model: str, sample: int, **given: Any) -> dict[str, Any]:
    """The question of one ladder."""
    norm = given.get("norm", "linf")
    defaults: dict[str, Any] = {
        "attack": "pgd",
        "settings": {},
        "objective": "leave_cluster",
        "objective_settings": {},
        "lam": 0.0,
        "norm": norm,
        "axis": "epsilon",
        "top": TOP.get(norm),
        "count": 65,
        "seed": 0,
        "epsilon": None,
        "locked": (),
        "fitted": "",
    }
    given = {name: value for name, value in given.items() if value is not None or name == "epsilon"}
    return {"ask": "ladder", "model": model, "sample": int(sample)} | defaults | given


def nu_question(model: str, sample: int, size: int, fitted: Sequence[str] = ()) -> dict[str, Any]:
    """The question of a ladder over ν."""
    return ladder_question(
        model,
        sample,
        attack="latent_attack",
        objective="flip_and_keep",
        norm="embedding",
        axis="nu",
        top=SMALL_NU_TOP if size < SMALL_SIZE else NU_TOP,
        count=41,
        fitted=",".join(fitted),
    )
