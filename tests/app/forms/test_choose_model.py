"""A chosen model: its colours."""

from types import SimpleNamespace
from typing import Any

from app.forms.choose_model import Victim
from engine.store.run import Run


def chosen(run: Any, matched: tuple[int, ...], classes: tuple[str, ...]) -> Victim:
    overview: Any = SimpleNamespace(matched_class=matched, class_names=classes)
    return Victim("a model", run, overview)


def test_a_group_has_the_colour_of_its_class_and_no_two_have_one(tmp_path: Any) -> None:
    run = Run(tmp_path)
    assert chosen(run, (2, 0, 1), ("a", "b", "c")).colours == [2, 0, 1]
    assert chosen(run, (2, -1, 0, -1), ("a", "b", "c")).colours == [2, 3, 0, 4]
    assert chosen(run, (-1, -1, -1), ()).colours == [0, 1, 2], "without labels clusters have their own"
