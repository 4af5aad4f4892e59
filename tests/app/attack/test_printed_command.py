"""What Attack and Multi-view print for one sample is typed, and gives the numbers of the picture."""

import ast
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.attack import downloads
from engine.asking import computing, keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import EmbeddingLadderQuestion, LadderQuestion
from engine.cli.commands import main
from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]
PLACES = {
    "ε": {"tab": "epsilon", "eps": "0.15", "sample": "7", "seed": "2"},
    "beyond the usual": {"tab": "epsilon", "eps": "0.2", "top": "0.5"},
    "path": {"tab": "path", "eps": "0.12", "step": "6"},
    "λ": {"tab": "lambda", "eps": "0.2", "lambda": "40"},
    "L2, a target, own settings": {
        "norm": "l2",
        "eps": "1.5",
        "objective": "go_to_cluster",
        "target": "2",
        "steps": "8",
        "attack_settings": '{"restarts":2,"random_start":false}',
    },
}


def question_of(at: AppTest) -> LadderQuestion:
    """The question that the page's foot prints in Python."""
    code = next(item.value for item in at.code if "LadderQuestion" in item.value)
    return LadderQuestion.model_validate(asked(code))


def asked(code: str) -> dict[str, Any]:
    """What a question that is printed in Python asks."""
    return dict(ast.literal_eval(code.split("model_validate(")[1].split("))\n")[0]))


def typed(at: AppTest, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """What the printed command says."""
    line = next(item.value for item in at.code if "--sample" in item.value).splitlines()[0]
    assert line.startswith("python3 -m engine attack "), line
    capsys.readouterr()
    assert main([*shlex.split(line)[3:], "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def agrees(found: dict[str, object], answer: LadderAnswer, at: AppTest) -> None:
    """The numbers of the command are those of the page's answer, at the level of its address."""
    name = {"epsilon": "eps", "path": "step", "lambda": "lambda"}[answer.axis]
    (place,) = at.query_params[name] if isinstance(at.query_params[name], list) else [at.query_params[name]]
    level = min(range(len(answer.levels)), key=lambda number: abs(answer.levels[number] - float(place)))
    assert found[answer.axis] == pytest.approx(answer.levels[level], rel=1e-5)
    for field in ("linf", "l2", "value"):
        assert found[field] == pytest.approx(float(getattr(answer, field)[level]), rel=1e-4, abs=1e-6), field
    star = answer.epsilon_star  # only a ladder over ε looks for it
    assert found.get("epsilon_star") == (None if star is None else pytest.approx(star, rel=1e-5))
    assert answer.q is not None and found["group"] == answer.group_names[int(answer.q[level].argmax())]


@pytest.mark.parametrize("place", PLACES)
def test_the_printed_command_gives_the_numbers_of_the_picture(
    place: str, trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, **PLACES[place])
    assert "The link says" not in said(at)
    answer = keeping.kept(question_of(at))
    assert answer is not None, "the page has asked this very question"
    agrees(typed(at, capsys), answer, at)


@pytest.mark.parametrize("delta", ["for this sample", "one network"])
def test_so_does_that_along_nu(
    delta: str, trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    at = opened("robust", model="digits/conv_ae", tab="nu", delta=delta, nu="0.003")
    code = next(item.value for item in at.code if "EmbeddingLadderQuestion" in item.value)
    answer = computing.answer(EmbeddingLadderQuestion.model_validate(asked(code)))
    found, level = typed(at, capsys), answer.levels.index(0.003)
    for field in ("value", "ratio", "shift_mse"):
        assert found[field] == pytest.approx(float(getattr(answer, field)[level]), rel=1e-4), field
    assert found["nu"] == 0.003 and found["levels"] == len(answer.levels)


@pytest.mark.parametrize("attacker", ["pgd", "mv_gan"])
def test_so_does_that_of_several_views(
    attacker: str, trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker=attacker, eps="0.15")
    agrees(typed(at, capsys), computing.answer(question_of(at)), at)


def test_the_card_says_which_sample_and_what_computed_it(
    trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards, make = [], downloads._card
    monkeypatch.setattr(downloads, "_card", lambda *given: cards.append(make(*given)) or cards[-1])
    opened("attack", model=method(trained_home, "adec").key, sample="7", eps="0.15")
    card = json.loads(cards[-1])
    assert card["sample"] == 7 and "--sample 7" in card["command"]
    assert {"device", "precision", "threads", "torch", "python"} <= card["how"].keys()
    assert card["how"]["precision"] == "float32" and card["at"]["epsilon"] == pytest.approx(0.15)
