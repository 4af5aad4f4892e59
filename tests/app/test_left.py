"""A page that was left before the callback of one of its widgets came: a slow page, a hand that is faster."""

from collections.abc import Callable
from functools import partial

import pytest
import streamlit as st

from app.address import house
from app.attack import subject
from app.forms import exact
from app.inspect import matrices
from app.train import choose


@pytest.mark.parametrize(
    "callback",
    [
        choose._other_data,
        house._chosen,
        subject._brought,
        partial(house.follow_model, {}, "p_model"),
        partial(exact._take, "p_eps", lambda _: None),
        partial(matrices._boxed, "matrix", "1"),
    ],
)
def test_it_changes_nothing(callback: Callable[[], None]) -> None:
    before = st.session_state.to_dict()
    callback()
    assert st.session_state.to_dict() == before
