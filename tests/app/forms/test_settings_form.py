"""A form made from a catalogue entry: widgets with limits, presets, changes, and the way back."""

import textwrap
from typing import Any, ClassVar, Literal

import pytest
from streamlit.testing.v1 import AppTest

from app.forms import fields, settings_form
from engine.registry import describe
from engine.settings import Settings, knob


class Base(Settings):
    """Something that a toy builds on."""

    name: ClassVar[str] = "base"
    iterations: int = knob(4000, "Iterations", log=True, ge=1, le=130_000, multiple_of=2)
    hidden: tuple[int, ...] = knob((8,), "Widths")
    rate: float = knob(1e-3, "Learning rate", symbol="η", log=True, gt=0, le=1)


class Toy(Settings):
    """One field of each kind that a form knows."""

    kind: ClassVar[str] = "model"
    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy"
    source: ClassVar[str] = "nobody, 2026"
    presets: ClassVar = {"quick": {"steps": 30, "base": {"iterations": 100, "hidden": (16, 16)}}, "slow": {}}
    gamma: float = knob(0.1, "Weight of the clustering", "Multiplies KL.", symbol="γ", source="eq. 3", ge=0)
    share: float = knob(0.5, "Share", ge=0, le=1)
    tol: float = knob(0.001, "Tolerance", ge=0, le=1, advanced=True)
    steps: int = knob(20, "Steps", symbol="T", unit="iterations", ge=1, le=100)
    limit: int | None = knob(None, "Limit", ge=1)
    fold: bool = knob(True, "Fold α")
    form: Literal["saturating", "nonsaturating"] = knob("saturating", "Form of the loss")
    widths: tuple[int, ...] = knob((500, 2000), "Widths", advanced=True)
    parts: tuple[tuple[float, str], ...] = knob((), "Parts")
    base: Base = knob(Base(), "The base run", "Shared by all arms.")


ENTRY = describe(Toy)
BY_PATH = {knob.path: knob for knob in fields.leaves(fields.knobs(ENTRY))}
SCRIPT = textwrap.dedent("""
    import streamlit as st
    from app.forms import settings_form
    from tests.app.forms.test_settings_form import ENTRY
    st.session_state["choice"] = settings_form.choose(ENTRY, key="t", about={"quick": "about 1 min here"})
""")


@pytest.fixture
def form() -> AppTest:
    at = AppTest.from_string(SCRIPT, default_timeout=240).run()
    assert not at.exception
    return at


def choice(at: AppTest) -> dict[str, Any]:
    return at.session_state["choice"]


def widget(at: AppTest, kind: str, path: str) -> Any:
    return next(item for item in getattr(at, kind) if item.key.endswith(f"/{path}"))


def test_every_kind_of_field_is_known() -> None:
    kinds = {path: found.kind for path, found in BY_PATH.items()}
    assert kinds == {
        "gamma": "number",
        "share": "number",
        "tol": "number",
        "steps": "integer",
        "limit": "integer",
        "fold": "boolean",
        "form": "choice",
        "widths": "numbers",
        "base.iterations": "integer",
        "base.hidden": "numbers",
        "base.rate": "number",
    }
    assert (
        BY_PATH["gamma"].label == "Weight of the clustering, γ"
        and BY_PATH["steps"].label == "Steps, T (iterations)"
    )
    assert "eq. 3" in str(BY_PATH["gamma"].tooltip) and BY_PATH["limit"].optional and BY_PATH["tol"].advanced


def test_an_untouched_form_is_its_preset(form: AppTest) -> None:
    chosen = choice(form)
    assert chosen["preset"] == "quick" and chosen["changes"] == {} and chosen["sentence"] is None
    assert Toy(**chosen["values"]) == Toy.preset("quick")


def test_only_changed_fields_are_changes_and_they_can_be_taken_back(form: AppTest) -> None:
    widget(form, "slider", "steps").set_value(31)
    widget(form, "toggle", "fold").set_value(False)
    widget(form, "select_slider", "base.iterations").set_value(2000)
    widget(form, "number_input", "limit").set_value(7)
    widget(form, "text_input", "widths").set_value("64, 10")
    form.run()
    assert choice(form)["changes"] == {
        "steps": 31,
        "fold": False,
        "limit": 7,
        "widths": [64, 10],
        "base.iterations": 2000,
    }
    chosen = choice(form)
    assert Toy(**chosen["values"]) == Toy.preset(chosen["preset"], **chosen["changes"])
    widget(form, "button", "reset").click().run()
    assert choice(form)["changes"] == {}
    assert widget(form, "slider", "steps").value == 30 and widget(form, "number_input", "limit").value is None


def test_a_number_between_the_stops_is_written_beside_the_slider(form: AppTest) -> None:
    widget(form, "number_input", "base.iterations/exact").set_value(1234).run()
    assert choice(form)["changes"] == {"base.iterations": 1234}
    assert widget(form, "select_slider", "base.iterations").value == 1234
    for wrong, words in ((1235, "Iterations must be a multiple of 2"), (0, "Iterations must be at least 1")):
        widget(form, "number_input", "base.iterations/exact").set_value(wrong).run()
        assert choice(form)["changes"] == {"base.iterations": 1234} and words in form.toast[0].value
        assert widget(form, "number_input", "base.iterations/exact").value == 1234


def test_another_preset_brings_its_own_values(form: AppTest) -> None:
    form.session_state["t/toy/preset/None"] = "slow"
    form.run()
    chosen = choice(form)
    assert (
        chosen["preset"] == "slow"
        and chosen["values"]["steps"] == 20
        and chosen["values"]["base"]["iterations"] == 4000
    )


def test_nonsense_is_one_sentence_at_the_form(form: AppTest) -> None:
    widget(form, "text_input", "widths").set_value("64, ten").run()
    assert choice(form)["sentence"] == form.error[0].value
    assert form.error[0].value.startswith(
        "toy.widths must be numbers with commas between them, such as 500, 2000; got '64, ten'"
    )


def test_open_limits_are_judged() -> None:
    rate = BY_PATH["base.rate"]
    assert fields.complaint("toy", rate, 0.0) == "toy.base.rate must be greater than 0; got 0."
    assert fields.complaint("toy", rate, 2.0) == "toy.base.rate must be at most 1; got 2."
    assert (
        fields.complaint("toy", rate, 1.0) is None and fields.complaint("toy", BY_PATH["limit"], None) is None
    )
    assert (
        fields.complaint("toy", rate, None)
        == "toy.base.rate must be a number; it is empty. Its default is 0.001."
    )


def test_logarithmic_stops_hold_limits_and_values() -> None:
    assert fields.ladder(10, 1000, (130,), whole=True) == [10, 20, 50, 100, 130, 200, 500, 1000]
    stops = fields.ladder(0, 1, (0.003,), whole=False)
    rates = settings_form._stops(BY_PATH["base.rate"], (1e-3,))
    assert rates[0] > 0 and 1 in rates and 5 not in settings_form._stops(BY_PATH["base.iterations"], (100,))
    assert stops[0] == 0 and stops[-1] == 1 and 0.003 in stops and stops == sorted(stops)


def test_nesting_and_flattening_are_inverse() -> None:
    values = {"a": 1, "b": {"c": 2, "d": {"e": [3]}}}
    assert fields.nested(dict(fields.flat(values))) == values
    assert fields.merged(values, {"b": {"c": 5}}) == {"a": 1, "b": {"c": 5, "d": {"e": [3]}}}
    assert values["b"]["c"] == 2


def test_a_form_may_be_cut_down() -> None:
    at = AppTest.from_string(SCRIPT.replace('key="t"', 'key="t", only=("gamma",)'), default_timeout=240).run()
    assert len(at.number_input) == 1 and not at.slider and choice(at)["values"]["steps"] == 30
