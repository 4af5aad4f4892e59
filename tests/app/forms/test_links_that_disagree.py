"""What a link says twice, or says although nobody chose it: which of it is shown, and that this is told."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from app.address import links
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]
OTHER = {"data": "mnist_test", "model": "noisy_digits/comvc"}


def test_the_model_of_a_link_decides_over_its_data_and_the_page_says_so(opened: Opened) -> None:
    at = opened("multiview", **OTHER)
    assert at.selectbox(key="p_model").value == OTHER["model"] and at.query_params["data"] == "digits"
    told = [warning.value for warning in at.warning]
    assert len(told) == 1 and "it is shown, and pages begin with digits" in told[0], told
    at = opened("multiview", model=OTHER["model"])
    assert not at.warning and at.query_params["data"] == "digits"


def test_a_model_that_a_page_cannot_show_is_left_out_and_the_page_says_so(opened: Opened) -> None:
    at = opened("robust", **(OTHER | {"data": "digits"}))
    told = [warning.value for warning in at.warning]
    assert len(told) == 1 and "which this page cannot show" in told[0], told
    assert at.query_params["model"] != OTHER["model"] and not at.error, said(at)


def test_a_default_in_a_link_is_no_choice_on_another_axis(opened: Opened) -> None:
    usual = opened("attack", model="digits/adec", tab="lambda").query_params["lambda"]
    at = opened("attack", model="digits/adec", tab="epsilon", **{"lambda": "0"})
    at.segmented_control(key="p_tab").set_value("lambda").run()
    assert not at.exception and at.query_params["lambda"] == usual != "0"


def test_where_nobody_dragged_nu_no_other_tab_says_one(opened: Opened) -> None:
    at = opened("robust", tab="nu")
    assert float(at.query_params["nu"]) > 0, "where the picture stands"
    at.segmented_control(key="p_tab").set_value("acts").run()
    assert "nu" not in at.query_params
    at = opened("robust", tab="nu", nu="0.02")
    at.segmented_control(key="p_tab").set_value("acts").run()
    assert at.query_params["nu"] == "0.02", "what was chosen stays"


def test_what_was_chosen_on_another_page_and_does_not_fit_here_is_no_link(opened: Opened, desk: Desk) -> None:
    asked = {"model": "digits/dense_ae", "objective": "raise_reconstruction", "umap": "0"}
    at = AppTest.from_file(str(links.ROOT / "app" / "main.py"), default_timeout=240)
    at.run().switch_page("../pages/attack.py")
    for name, text in asked.items():
        at.query_params[name] = text
    assert at.run().selectbox(key="p_objective").value == asked["objective"], said(at)
    at.query_params.clear()  # as a browser does
    at.switch_page("../pages/compare.py").run()
    assert not at.exception and not at.warning, said(at)
    linked = opened("compare", objective=asked["objective"])
    assert "raise_reconstruction" in linked.warning[0].value
