"""Commands at the foot of a page make the same runs; tests/engine/store holds every kind of them."""

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.runs import reproduce
from engine.asking import computing, questions
from engine.asking.questions import (
    AttackChoice,
    Axis,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
)
from engine.cli import one_sample
from engine.cli.choosing import typed
from engine.running.runner import prepare
from engine.store.store import ZOO, Store
from engine.store.wanted import Wanted
from tests.app.conftest import Desk, method


def test_a_command_makes_the_same_run_again(trained_home: Store, desk: Desk) -> None:
    run = method(trained_home, "adec")
    words = shlex.split(reproduce.lines(run.spec)["Command line"])
    assert words[:5] == ["python3", "-m", "engine", "train", "adec"]
    again = prepare(**vars(typed("train", words[4:]).wanted))
    assert again.key == run.key
    code = ast.parse(reproduce.lines(run.spec)["Python"])
    call = next(
        node for node in ast.walk(code) if isinstance(node, ast.Call) and ast.unparse(node.func) == "prepare"
    )
    arguments = [ast.literal_eval(value) for value in call.args]
    named = {str(part.arg): ast.literal_eval(part.value) for part in call.keywords}
    assert prepare(*arguments, **named).key == run.key


def test_several_runs_are_lines_one_after_the_other(trained_home: Store, desk: Desk) -> None:
    run = method(trained_home, "adec")
    wish = Wanted("attack", "pgd", changes={"n": 20}, models={"model": run.key})
    found = reproduce.lines(run.spec, wish)["Command line"].splitlines()
    assert found == [reproduce.command(run.spec), reproduce.command(wish)]
    assert found[1] == f"python3 -m engine attack pgd --model {run.key} --seed 0 --n 20"
    assert reproduce.lines() == {}


@pytest.mark.parametrize(
    "question",
    [
        LadderQuestion(model="m", sample=3),
        LadderQuestion(
            model="m",
            sample=0,
            attack=AttackChoice(name="mv_gan", fitted=("f",)),
            objective=ObjectiveChoice(name="go_to_cluster", settings={"cluster": 2}, lam=3.0),
            norm="l2",
            axis=Axis(name="lambda", levels=9),
            locked=(1,),
        ),
        EmbeddingLadderQuestion(model="m", sample=7),
    ],
)
def test_a_question_is_asked_again(question: LadderQuestion | EmbeddingLadderQuestion) -> None:
    code = ast.parse(reproduce.answer(question, 0.0)["Python"])
    calls = (node for node in ast.walk(code) if isinstance(node, ast.Call))
    call = next(node for node in calls if ast.unparse(node.func).endswith(".model_validate"))
    assert isinstance(call.func, ast.Attribute)
    owner = getattr(questions, ast.unparse(call.func.value))
    again = owner.model_validate(ast.literal_eval(call.args[0]))
    assert again == question and again.key() == question.key()


@pytest.mark.long
def test_what_is_printed_shows_the_level_that_was_looked_at(home: Path) -> None:
    question = LadderQuestion(
        model="digits/adec",
        sample=3,
        attack=AttackChoice(name="pgd", settings={"steps": 2}),
        axis=Axis(name="epsilon", top=0.1, levels=3),
    )
    code, found = reproduce.answer(question, 0.05)["Python"], computing.answer(question)
    *before, last = code.splitlines()
    drawn = "\n".join([*before, f"print(sorted(set({last}.convert('L').tobytes())))"])
    done = subprocess.run(
        [sys.executable, "-c", drawn], cwd=ZOO.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *table, greys = done.stdout.splitlines()
    assert len(table) < 20 and found.protocol in table[0] and len(greys.split(",")) > 5
    assert any(line.split() == ["ε", "0.05"] for line in table), table
    picture = np.asarray(one_sample.clean_and_attacked(found, 1))
    attacked = np.clip(found.clean + found.delta[1], 0, 1).reshape(8, 8)
    assert picture.shape == (8 * 32, 17 * 32)
    assert np.array_equal(picture[::32, : 8 * 32 : 32], np.rint(255 * found.clean.reshape(8, 8)))
    assert np.array_equal(picture[::32, 9 * 32 :: 32], np.rint(255 * attacked))
