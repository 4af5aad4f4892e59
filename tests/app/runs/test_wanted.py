"""A run that a page wants: a button, its progress, why it failed, and the run; for a second viewer too."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.runs import wanted
from engine.events import Failed, Finished, Progress, Started, Stopped
from engine.store import lock
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, method, said

Viewer = Callable[..., AppTest]


def page() -> None:
    """A page that wants a training of DEC* with one changed seed, and says which it got."""
    import streamlit as st

    from app.address import connection
    from app.runs import wanted as wishes
    from engine.store.wanted import Wanted

    settings = next(run for run in connection.store().all() if run.spec.name == "dec_star").spec.settings
    wish = Wanted(
        "train",
        "dec_star",
        "digits",
        st.session_state["seed"],
        None,
        {"model_settings": settings["model_settings"]},
    )
    options = st.session_state.get("options", {})
    got = wishes.wanted_or_button(wish, "Train it", **options)
    st.session_state["got"] = None if got is None else got.key


@pytest.fixture
def viewer(trained_home: Store, desk: Desk) -> Viewer:
    """`viewer(seed=7, at_once=True)`: a new browser on the page."""

    def opened(seed: int = 7, **options: object) -> AppTest:
        at = AppTest.from_function(page, default_timeout=240)
        at.session_state["seed"] = seed
        at.session_state["options"] = options
        at.run()
        assert not at.exception, at.exception
        return at

    return opened


def queued(store: Store) -> Run:
    return next(run for run in store.all() if run.spec.seed == 7)


def press(at: AppTest, label: str) -> AppTest:
    next(item for item in at.button if item.label == label).click()
    at.run()
    assert not at.exception, at.exception
    return at


def test_a_finished_run_is_given_at_once(trained_home: Store, viewer: Viewer) -> None:
    at = viewer(seed=0)
    assert at.session_state["got"] == method(trained_home, "dec_star").key and not at.button


def test_a_button_begins_it_and_a_second_viewer_sees_it(
    trained_home: Store, desk: Desk, viewer: Viewer
) -> None:
    first, second = viewer(), viewer()
    assert [item.label for item in first.button] == ["Train it"] and desk.submitted == []
    press(first, "Train it")
    run = queued(trained_home)
    assert desk.submitted == [run.key] and first.session_state["got"] is None
    assert "Train it" not in [item.label for item in first.button] and "Starting…" in progress(first)
    second.run()
    assert "Starting…" in progress(second)  # read from the store, though it pressed nothing
    assert "Starting…" in progress(viewer())  # and so does a reload


def progress(at: AppTest) -> str:
    return " ".join(item.proto.text for item in at.get("progress"))


def test_a_second_press_from_a_page_that_is_old_begins_nothing_new(
    trained_home: Store, desk: Desk, viewer: Viewer
) -> None:
    first, second = viewer(), viewer()
    press(first, "Train it")
    count = len(trained_home.all())
    press(second, "Train it")
    assert len(trained_home.all()) == count and queued(trained_home).status() == "queued"


def test_at_once_needs_no_button(trained_home: Store, desk: Desk, viewer: Viewer) -> None:
    at = viewer(at_once=True)
    assert desk.submitted == [queued(trained_home).key] and "Starting" in progress(at)
    at.run()
    assert len(desk.submitted) == 1


def test_a_short_run_is_waited_for(trained_home: Store, desk: Desk, viewer: Viewer) -> None:
    def done(run: Run) -> None:
        run.want("run")
        run.append(Started(run=run.key))
        run.append(Finished(run=run.key))
        write_json(run.folder / "result.json", {"acc": 1.0})

    desk.submit = done  # type: ignore[method-assign]
    at = viewer(at_once=True, wait=5.0)
    assert at.session_state["got"] == queued(trained_home).key and not at.button


def test_a_run_that_goes_on_shows_how_far_it_is(trained_home: Store, desk: Desk, viewer: Viewer) -> None:
    at = press(viewer(), "Train it")
    run = queued(trained_home)
    with lock.hold(run.folder):
        run.append(Started(run=run.key))
        run.append(Progress(step=3, total=12, phase="clustering"))
        at.run()
        assert "Train it: Clustering: 3 of 12" in progress(at)


def test_a_failed_run_says_why_and_is_tried_again(trained_home: Store, desk: Desk, viewer: Viewer) -> None:
    at = press(viewer(), "Train it")
    run = queued(trained_home)
    run.append(Started(run=run.key))
    run.append(Failed(run=run.key, reason="The disk is full."))
    at = viewer()
    assert "Train it did not finish: The disk is full." in said(at)
    press(at, "Resume")
    assert desk.submitted == [run.key] * 2 and run.status() == "queued"


def test_a_run_that_was_paused_goes_on_when_it_is_asked_to(
    trained_home: Store, desk: Desk, viewer: Viewer
) -> None:
    press(viewer(), "Train it")
    run = queued(trained_home)
    run.append(Started(run=run.key))
    run.append(Stopped(run=run.key, step=3, paused=True))
    at = viewer(at_once=True)
    assert "paused" in said(at) and len(desk.submitted) == 1  # a person paused it: it is not begun again
    press(at, "Resume")
    assert len(desk.submitted) == 2


def test_a_refused_choice_is_a_sentence(trained_home: Store, desk: Desk, viewer: Viewer) -> None:
    at = viewer(seed=-1)
    press(at, "Train it")
    assert "seed must be a whole number" in said(at) and desk.submitted == []


def test_a_run_that_cannot_be_recognised_is_kept_in_mind(
    trained_home: Store, desk: Desk, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted.choices, "found", lambda *_: None)
    at = press(viewer(), "Train it")
    at.run()
    assert "Starting" in progress(at) and len(desk.submitted) == 1
