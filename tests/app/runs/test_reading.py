"""Runs as pages read them."""

import pytest

from app.runs import reading


@pytest.mark.parametrize(
    ("lived", "lives", "reruns"), [(True, False, 1), (False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_the_page_is_drawn_once_more_when_a_run_ends_or_goes_on(
    lived: bool, lives: bool, reruns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(reading.st, "rerun", lambda: seen.append(1))
    reading.drawn_once_more(lived, lives)
    assert len(seen) == reruns
