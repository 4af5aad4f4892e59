"""Fixtures of the data tests."""

import os

import pytest

GIVEN = os.environ.get("FEINT_DATA")
"""What was set when the tests were started, before the suite hides it."""


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data files of this machine, where it has some: `FEINT_DATA`, else the folder beside the
    checkout.
    """
    if GIVEN:
        monkeypatch.setenv("FEINT_DATA", GIVEN)
    else:
        monkeypatch.delenv("FEINT_DATA", raising=False)
