"""Keys of questions, and answers that are kept, shipped, damaged or pruned."""

import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from engine.asking import keeping, questions
from engine.asking.answers import (
    Answer,
    AttackedOnUmapAnswer,
    ControlsAnswer,
    ImagesAnswer,
    LadderAnswer,
    UmapAnswer,
)
from engine.asking.computing import ANSWERED_BY, answer
from engine.asking.questions import (
    AttackChoice,
    ImagesQuestion,
    LadderQuestion,
    PrepareQuestion,
    Question,
    UmapQuestion,
)
from engine.errors import SettingsError
from engine.store import catalogue
from engine.store.store import Store

ONE = LadderQuestion(model="0123456789abcdef", sample=3)
EVERY = [each for each in vars(questions).values() if isinstance(each, type) and issubclass(each, Question)]
DIGITS = ImagesQuestion.of(Store().zoo()["digits/adec"].spec, [0, 1])


@pytest.fixture(autouse=True)
def _versions(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], int]:
    """Versions that a test may raise."""
    found: dict[tuple[str, str], int] = {}
    monkeypatch.setattr(catalogue, "version", lambda kind, name: found.get((kind, name), 1))
    return found


def umap(n: int = 4) -> UmapAnswer:
    return UmapAnswer(some=np.ones((n, 3), np.float32), xy=np.zeros((n, 2), np.float32))


def test_every_question_has_a_function_and_a_class_of_answers() -> None:
    asked = {each for each in EVERY if "ask" in each.__annotations__ and each is not Question}
    asked = {
        each
        for each in asked
        if not hasattr(each, "__pydantic_generic_metadata__")
        or not (each.__pydantic_generic_metadata__["args"])
    }
    assert asked == set(ANSWERED_BY)
    assert all(issubclass(each.answer_class(), Answer) for each in asked)


def test_the_key_is_the_question() -> None:
    assert ONE.key() == LadderQuestion(sample=3, model="0123456789abcdef").key()
    assert ONE.key() != ONE.model_copy(update={"seed": 1}).key()
    assert len({each.key() for each in (ONE, UmapQuestion(model="0"), DIGITS)}) == 3


def test_the_key_holds_the_versions_of_the_methods(_versions: dict[tuple[str, str], int]) -> None:
    before, map_before = ONE.key(), UmapQuestion(model="0").key()
    for method in (("attack", "pgd"), ("objective", "leave_cluster"), ("attack", "noise")):
        _versions.clear()
        _versions[method] = 2
        assert ONE.key() != before, f"an answer of an older {method} must not be found"
    assert UmapQuestion(model="0").key() == map_before, "what does not use a method is kept"
    _versions.clear()
    _versions["attack", "mv_gan"] = 2
    assert ONE.key() == before


def test_controls_are_other_ones_when_the_strongest_attack_is(
    _versions: dict[tuple[str, str], int],
) -> None:
    controls = questions.ControlsQuestion(ladder=ONE, level=3)
    before, ladder_before = controls.key(), ONE.key()
    _versions["attack", "strongest"] = 2
    assert controls.key() != before and ONE.key() == ladder_before


def test_the_key_holds_the_version_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ONE.key()
    monkeypatch.setattr(LadderQuestion, "version", LadderQuestion.version + 1)
    assert ONE.key() != before


def test_maps_have_a_lane_of_their_own() -> None:
    assert UmapQuestion(model="0").lane == "map" and ONE.lane == "play"


def test_answers_are_kept_typed_without_objects_and_a_damaged_one_is_computed_again(tmp_path: Path) -> None:
    question, file = UmapQuestion(model="0"), tmp_path / "one.npz"
    keeping.write(file, umap())
    with np.load(file, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
    read = keeping.read(file, question)
    assert isinstance(read, UmapAnswer) and np.array_equal(read.some, umap().some)
    file.write_bytes(file.read_bytes()[:-20])
    assert keeping.read(file, question) is None


def test_the_answer_to_another_question_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "one.npz"
    keeping.write(file, ImagesAnswer(shape=(8,), images=np.zeros((1, 8), np.uint8)))
    assert keeping.read(file, UmapQuestion(model="0")) is None


@pytest.mark.parametrize(
    ("clean", "xy"),
    [
        (np.ones((4, 2), np.float32), np.zeros((5, 2), np.float32)),
        (np.ones((4, 2), np.float32), np.zeros((4, 3), np.float32)),
        (np.ones(4, np.float32), np.zeros((4, 2), np.float32)),
        (np.ones((4, 2), np.int64), np.zeros((4, 2), np.float32)),
    ],
)
def test_an_array_of_another_shape_or_kind_is_an_error(clean: np.ndarray, xy: np.ndarray) -> None:
    with pytest.raises(ValidationError):
        AttackedOnUmapAnswer(error=0.0, xy_clean=clean, xy=xy)


def test_answers_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        umap().some = np.zeros((4, 3), np.float32)  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        ONE.sample = 4  # type: ignore[misc]


def test_an_answer_is_computed_once_and_then_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(DIGITS)
    assert found.images.shape == (2, 64) and len(list((home / "answers").glob("*.npz"))) == 1
    monkeypatch.setitem(ANSWERED_BY, ImagesQuestion, None)  # type: ignore[arg-type]
    assert np.array_equal(answer(DIGITS).images, found.images)


def test_pictures_of_other_numbers_with_the_same_name_are_refused(home: Path) -> None:
    with pytest.raises(SettingsError, match="other numbers"):
        answer(DIGITS.model_copy(update={"fingerprint": "0" * 16}))


def test_what_depends_on_the_store_is_not_kept(home: Path) -> None:
    wrong = PrepareQuestion(action="train", name="nothing_of_the_kind", data="digits")
    assert "nothing_of_the_kind" in (answer(wrong).sentence or "")
    assert keeping.kept(wrong) is None and not (home / "answers").exists()


def test_answers_that_were_not_read_for_long_make_room(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.npz" for name in ("old", "read", "new")]
    for age, file in enumerate(files):
        keeping.write(file, umap())
        os.utime(file, (age, age))
    os.utime(files[1], (9, 9))
    size = files[0].stat().st_size
    keeping.prune(tmp_path, limit=3 * size)
    assert all(file.exists() for file in files)
    keeping.prune(tmp_path, limit=size)
    assert [file.exists() for file in files] == [False, True, False]


def test_a_kept_answer_that_is_read_stays_young(home: Path) -> None:
    answer(DIGITS)
    file = next((home / "answers").glob("*.npz"))
    os.utime(file, (1, 1))
    assert keeping.kept(DIGITS) is not None and file.stat().st_mtime > 1


def test_parts_are_values() -> None:
    assert AttackChoice() == AttackChoice(name="pgd", settings={}, fitted=())
    assert ControlsAnswer(epsilon=0.1, rows=()).split() == ({"epsilon": 0.1, "rows": []}, {})
    assert issubclass(questions.EmbeddingLadderQuestion.answer_class(), LadderAnswer)


def test_the_key_holds_the_versions_of_the_questions_it_builds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    built = [
        (questions.ControlsQuestion(ladder=ONE, level=3), LadderQuestion),
        (questions.PlaceOnUmapQuestion(ladder=ONE), UmapQuestion),
        (questions.OtherModelsQuestion(models=("0",), sample=1), LadderQuestion),
        (questions.AttackedOnUmapQuestion(run="0"), questions.AttackedSamplesQuestion),
    ]
    for question, below in built:
        before = question.key()
        with monkeypatch.context() as patch:
            patch.setattr(below, "version", below.version + 1)
            assert question.key() != before, f"{question.ask} is made of answers of another version"
        assert question.key() == before


def test_the_key_holds_the_versions_of_the_parts_of_a_sum(_versions: dict[tuple[str, str], int]) -> None:
    parts = ((1.0, {"name": "leave_cluster"}), (-2.0, {"name": "move_embedding"}))
    wanted = questions.ObjectiveChoice(name="weighted_sum", settings={"parts": parts})
    question = ONE.model_copy(update={"objective": wanted})
    before = question.key()
    _versions["objective", "move_embedding"] = 2
    assert question.key() != before
