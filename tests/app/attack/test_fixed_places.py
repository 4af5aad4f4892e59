"""What an attack may not change, on the Attack page and typed."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from engine.asking import keeping
from engine.cli.commands import main
from engine.data.fixed import text_of
from engine.store.store import Store
from tests.app.attack.test_printed_command import question_of, typed
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]
LEFT = np.arange(64).reshape(8, 8) % 8 < 4


def test_a_link_fixes_pixels_and_its_command_says_so(
    trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = method(trained_home, "adec").key
    opened("attack", model=key, eps="0.15")
    at = opened("attack", model=key, eps="0.15", fixed=text_of(LEFT))
    answer = keeping.kept(question_of(at))
    assert answer is not None and not answer.delta[:, LEFT.ravel()].any() and answer.delta.any()
    assert "32 of 64 pixels fixed" in answer.protocol and "With nothing fixed: " in said(at)
    found = typed(at, capsys)
    assert found["l2"] == pytest.approx(float(answer.l2[np.argmin(np.abs(np.array(answer.levels) - 0.15))]))
    Image.fromarray(LEFT.astype(np.uint8) * 255).save(tmp_path / "left.png")
    line = next(code.value for code in at.code if "--fixed" in code.value).splitlines()[0]
    words = [str(tmp_path / "left.png") if word == text_of(LEFT) else word for word in shlex.split(line)[3:]]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found


def test_marks_that_fit_no_sample_or_leave_nothing_are_told(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "adec").key
    for text, words in ((text_of(np.ones((8, 8))), "leaves nothing to attack"), ("AAAA", "marks no sample")):
        at = opened("attack", model=key, fixed=text)
        assert any(words in warning.value for warning in at.warning), said(at)
        assert any("noise of the same size" in text.value for text in at.markdown)
