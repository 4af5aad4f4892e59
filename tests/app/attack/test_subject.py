"""A picture of one's own on the Attack page."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from engine.asking import keeping
from engine.asking.questions import OWN, ControlsQuestion, LadderQuestion, OwnPicture
from engine.cli.commands import main
from engine.store import pictures
from engine.store.store import Store
from tests.app.attack.test_printed_command import question_of
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]


def four() -> np.ndarray:
    """A 4, dark on bright."""
    paper = np.full((80, 80), 250, dtype=np.uint8)
    paper[10:45, 15:22] = paper[38:45, 15:65] = paper[20:75, 48:55] = 10
    return paper


def test_a_link_shows_the_same_picture_and_its_command_the_same_numbers(
    trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, own=pictures.keep(four()), eps="0.15")
    told = said(at)
    assert "Inverted, since its background is bright." in told and "The model puts it into cluster" in told
    assert "Its nearest training pictures in the embedding" in told
    assert "Nearest training pictures in the embedding, adversarial" in told
    line = next(code.value for code in at.code if "--picture" in code.value).splitlines()[0]
    capsys.readouterr()
    assert main([*shlex.split(line)[3:], "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    question = question_of(at)
    answer = keeping.kept(question)
    assert answer is not None and question.own is not None
    assert found["sample"] == -1 and found["epsilon_star"] == pytest.approx(answer.epsilon_star, rel=1e-5)
    assert "own" in at.query_params and not at.exception


def test_what_knows_labels_asks_what_it_is(trained_home: Store, opened: Opened) -> None:
    address = {"model": "digits/classifier", "objective": "misclassify", "own": pictures.keep(four())}
    at = opened("attack", **address)
    assert any("say it at “What is it?”" in info.value for info in at.info)
    at = opened("attack", **address, label="9")  # as it is taken for
    assert any("95 % interval" in text.value for text in at.markdown), said(at)


def test_a_picture_that_is_not_here_is_told_and_a_sample_is_shown(
    trained_home: Store, opened: Opened
) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, own="0123456789ab")
    assert any("not kept on this machine" in warning.value for warning in at.warning)
    assert any("noise of the same size" in text.value for text in at.markdown)


def test_a_model_of_two_views_takes_no_picture_and_says_why(
    trained_home: Store, opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "this one needs 2 views of each sample, and a picture is only one of them"
    at = opened("attack", model="noisy_digits/comvc", own=pictures.keep(four()))
    assert sentence in said(at) and not [group for group in at.button_group if group.key == "own_way"]
    assert "own" not in at.query_params and at.number_input(key="p_sample").value is not None
    assert sentence not in said(opened("attack", model="digits/adec"))
    file = tmp_path / "four.png"
    Image.fromarray(four()).save(file)
    capsys.readouterr()
    assert main(["attack", "pgd", "--model", "noisy_digits/comvc", "--picture", str(file)]) != 0
    assert "samples of noisy_digits have 2 views. Choose one with --sample" in capsys.readouterr().err


def test_a_file_is_brought_and_nonsense_is_a_sentence(
    trained_home: Store, opened: Opened, tmp_path: Path
) -> None:
    at = opened("attack", model=method(trained_home, "adec").key)
    next(group for group in at.button_group if group.key == "own_way").set_value("bring").run()
    assert any("Bring a picture, at the left" in info.value for info in at.info)
    file = tmp_path / "four.png"
    Image.fromarray(four()).save(file)
    at.file_uploader(key="own_file").upload("four.png", file.read_bytes(), "image/png").run()
    assert "The model puts it into cluster" in said(at), said(at)
    at.file_uploader(key="own_file").upload("four.png", b"no picture", "image/png").run()
    assert any("no picture that can be read" in warning.value for warning in at.warning)


def test_a_key_depends_on_the_pixels_and_older_questions_keep_theirs(trained_home: Store) -> None:
    key = Store().zoo()["digits/adec"].key

    def own(seed: int) -> LadderQuestion:
        image = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
        return LadderQuestion(model=key, sample=OWN, own=OwnPicture(picture=pictures.keep(image)))

    assert own(3).key() != own(4).key() == own(4).key()
    plain = LadderQuestion(model=key, sample=3)
    inside = ControlsQuestion(ladder=plain, level=0).model_dump()["ladder"]
    assert not {"own", "fixed"} & (plain.model_dump().keys() | inside.keys())
    assert keeping.kept(plain) is not None, "shipped before there were pictures"
