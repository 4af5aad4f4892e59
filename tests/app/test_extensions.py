"""A person's own model, attack, objective, data and metric on the pages, and the sentence on a bad file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import registry
from engine.running.runner import prepare, run
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, said
from tests.engine.extended import SMALL, examples, extended_by

Opened = Callable[..., AppTest]


@pytest.fixture
def extended(home: Path, tmp_path: Path, desk: Desk) -> Iterator[Path]:
    """The examples beside a file that does not load, and the catalogue that knows both."""
    folder = examples(tmp_path / "examples")
    (folder / "wrong.py").write_text("def")
    with extended_by(folder):
        catalogue.write(registry.catalogue())
        yield folder


@pytest.fixture
def trained(extended: Path) -> Run:
    """The example model on the example data."""
    return finished(prepare("train", "dcn", "bars", changes=SMALL))


def finished(spec: Any) -> Run:
    """The run of a spec, made here."""
    assert list(run(spec))[-1].event == "finished"
    return Store().find(spec.key)


def options(at: AppTest) -> str:
    """Everything that can be chosen on a page."""
    return "\n".join(
        str(option)
        for kind in ("selectbox", "radio", "button_group")
        for item in at.get(kind)
        for option in item.options
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "page", ["home", "train", "attack", "inspect", "curves", "runs", "multiview", "defend", "robust"]
)
def test_every_page_opens_and_names_the_file_that_did_not_load(
    trained: Run, opened: Opened, page: str
) -> None:
    at = opened(page)
    assert any("wrong.py was not loaded: SyntaxError" in warning.value for warning in at.warning), said(at)


def test_train_offers_model_and_data_and_draws_its_own_losses(trained: Run, opened: Opened) -> None:
    at = opened("train", run=trained.key)
    assert "DCN" in options(at) and "Bars" in options(at)
    drawn = "\n".join(chart.proto.spec for chart in at.get("plotly_chart"))
    assert "copying, " in drawn and "k-means, " in drawn
    assert "python3 -m engine train dcn --data bars" in said(at)


def test_attack_offers_attack_and_objective_and_draws_the_ladder(trained: Run, opened: Opened) -> None:
    at = opened(
        "attack", model=trained.key, attack="mi_fgsm", objective="raise_entropy", eps="0.2", steps="5"
    )
    assert "MI-FGSM" in options(at) and "Raise the entropy" in options(at) and not at.error
    assert "raises the entropy to" in said(at)
    assert f"engine attack mi_fgsm --model {trained.key}" in said(at)


def test_inspect_shows_the_attack_and_its_metric(trained: Run, opened: Opened) -> None:
    attacked = finished(
        prepare(
            "attack",
            "mi_fgsm",
            models={"model": trained.key},
            changes={"objective": "raise_entropy", "epsilon": 0.2, "n": 40},
        )
    )
    at = opened("inspect", run=attacked.key)
    assert not at.error
    assert "RMS change" in said(at) + "\n".join(str(frame.value) for frame in at.dataframe)


def test_curves_draws_its_sweep(trained: Run, opened: Opened) -> None:
    swept = finished(
        prepare("sweep", "mi_fgsm", models={"model": trained.key}, changes={"epsilons": [0.0, 0.2], "n": 20})
    )
    at = opened("curves", run=swept.key)
    assert not at.error and at.get("plotly_chart")
