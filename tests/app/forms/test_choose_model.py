"""A model is chosen by its data and its method, with its score; its groups have the colours of classes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from streamlit.testing.v1 import AppTest

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


def test_models_stand_by_data_and_method_with_their_scores(opened: Callable[..., AppTest]) -> None:
    at = opened("attack", model="digits/adec", umap="0")
    data, model = at.selectbox(key="model_data"), at.selectbox(key="p_model")
    assert data.options[:2] == ["MNIST test", "Digits (tiny, fast)"] and data.value == "digits"
    assert "ADEC · ACC 0.934" in model.options and not any("/" in option for option in model.options)
    scores = (" · ACC 0.", " · Accuracy, test 0.", " · Reconstruction error, test 0.")
    without = [one for one in model.options if not any(score in one for score in scores)]
    assert all(one.startswith("SimCLR") for one in without), without
    assert model.options.index("DEC* · ACC 0.920") < model.options.index("ConvAE · ACC 0.763"), "by family"
    data.select("noisy_digits").run()
    assert not at.exception and at.selectbox(key="p_model").value.startswith("noisy_digits/")
    assert at.session_state["p_model"].startswith("noisy_digits/")
