"""The Runs page: list, search, open, resume, stop, delete after a second press; broken runs do not
break it.
"""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from app.runs import apart
from engine.events import Failed, Started
from engine.running.runner import prepare, run
from engine.store.store import Store
from tests.app.conftest import Desk, method, said

Opened = Callable[..., AppTest]


def cards(at: AppTest) -> list[str]:
    """The bold line of each run."""
    return [item.value for item in at.markdown if "· seed" in item.value]


def press(at: AppTest, label: str, key: str = "") -> AppTest:
    next(item for item in at.button if item.label == label and key in item.key).click()
    return at.run()


def test_an_empty_home_says_what_makes_runs(home: Any, opened: Opened) -> None:
    at = opened("runs")
    assert "No run is here yet" in said(at) or cards(at)  # the zoo's may be here


def test_the_list_names_every_run_with_its_score(trained_home: Store, opened: Opened) -> None:
    at = opened("runs")
    mine = {found.name: found for found in trained_home.all()}
    words = said(at)
    assert all(
        key[:8] in words and f"ACC {found.result()['acc']:.3f}" in words for key, found in mine.items()
    )
    links = {item.proto.query_string for item in at.get("page_link") if item.proto.label == "Open"}
    assert all(any(key in link for link in links) for key in mine)
    assert [item.proto.label for item in at.get("download_button")] == ["CSV", "LaTeX"]


def test_runs_that_differ_in_one_setting_do_not_look_alike(trained_home: Store, opened: Opened) -> None:
    spec = method(trained_home, "dec_star").spec
    settings = spec.settings["model_settings"] | {"interval": 5}
    other = trained_home.create(
        spec.model_copy(update={"settings": spec.settings | {"model_settings": settings}})
    )
    assert apart.names([spec, other.spec]) == [
        "DEC*, iterations between refreshes of P 10",
        "DEC*, iterations between refreshes of P 5",
    ]
    at = opened("runs")
    at.text_input(key="p_find").set_value("refreshes of p 5").run()
    assert len(cards(at)) == 1 and other.key[:8] in said(at)


def test_search_and_filters_narrow_it(trained_home: Store, opened: Opened) -> None:
    at = opened("runs")
    at.text_input(key="p_find").set_value("dec*").run()
    assert cards(at) and all(r"DEC\*** on" in line for line in cards(at))
    at.text_input(key="p_find").set_value("nothing of the kind").run()
    assert not cards(at) and "No run fits" in at.info[0].value


def test_delete_needs_a_second_press(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "dec_star").key
    at = opened("runs")
    assert key in [run.name for run in trained_home.all()]
    press(at, "Delete for good", key)
    assert key not in [run.name for run in trained_home.all()] and not at.exception
    assert not [link for link in at.get("page_link") if key in link.proto.query_string]


def test_a_broken_run_is_told_with_its_cure_and_can_be_deleted(trained_home: Store, opened: Opened) -> None:
    run = method(trained_home, "adec")
    (run.folder / "spec.json").write_text("{")
    half = trained_home.folder / "0123456789abcdef"
    half.mkdir()
    at = opened("runs")
    told = " ".join(item.value for item in at.error)
    assert "damaged" in told and "half-written" in told
    press(at, "Delete for good", half.name)
    assert not half.exists() and run.folder.exists() and len(at.error) == 1


def test_a_live_run_can_be_stopped_and_resumed(trained_home: Store, desk: Desk, opened: Opened) -> None:
    run = trained_home.create(method(trained_home, "dec_star").spec.model_copy(update={"seed": 5}))
    run.want("run")
    at = opened("runs")
    press(at, "Stop and keep", run.key)
    assert run.status() == "stopped"
    press(at, "Resume", run.key)
    assert run.status() == "queued" and desk.submitted == [run.key]


def test_a_failed_run_says_why(trained_home: Store, opened: Opened) -> None:
    run = trained_home.create(method(trained_home, "dec_star").spec.model_copy(update={"seed": 6}))
    run.append(Started(run=run.key))
    run.append(Failed(run=run.key, reason="The disk is full.", resumable=True))
    at = opened("runs")
    assert "The disk is full." in said(at) and any(item.label == "Resume" for item in at.button)


def test_a_run_that_is_deleted_elsewhere_leaves_the_list(trained_home: Store, opened: Opened) -> None:
    at, gone = opened("runs"), method(trained_home, "adec").key
    assert gone[:8] in said(at)
    trained_home.delete(gone)
    at.run()
    assert gone[:8] not in said(at) and not at.exception


def test_a_sweep_stands_in_the_list_though_it_has_no_single_size(trained_home: Store, opened: Opened) -> None:
    changes = {"epsilons": [0.1, 0.2], "attack_seeds": [0], "n": 10}
    spec = prepare("sweep", "fgsm", models={"model": method(trained_home, "adec").key}, changes=changes)
    assert list(run(spec))[-1].event == "finished"
    at = opened("runs")
    assert not at.exception and any("Sweep: FGSM" in line for line in cards(at))
