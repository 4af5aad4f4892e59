"""A form's changes in the address: what is written is read again, and nonsense is told."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]
CHANGES = '{"step_size":0.05,"random_start":false,"restarts":3}'


def address(at: AppTest) -> dict[str, str]:
    """The parameters of a page's address."""
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


@pytest.mark.long
def test_an_attacks_own_settings_are_in_the_address_and_come_back(
    trained_home: Store, opened: Opened
) -> None:
    key = method(trained_home, "dec_star").key
    at = opened("attack", model=key, attack_settings=CHANGES)
    printed = next(code.value for code in at.code if "engine attack" in code.value)
    assert "--restarts 3" in printed and "--step_size 0.05" in printed and "--random_start false" in printed
    assert address(at)["attack_settings"] == CHANGES and not at.warning
    again = opened("attack", **address(at))
    assert [text.value for text in again.markdown] == [text.value for text in at.markdown]
    at.toggle(key="attack/pgd/None/random_start").set_value(True).run()
    assert "random_start" not in address(at)["attack_settings"]
    again = opened("inspect", model=key, n="40", attack_settings=address(at)["attack_settings"])
    assert "restarts 3" in said(again)


def test_an_attack_begins_with_its_defaults_and_a_preset_is_chosen(
    trained_home: Store, opened: Opened
) -> None:
    asked = {"model": method(trained_home, "adec").key, "attack": "minmax", "tab": "path", "steps": "1"}
    at = opened("attack", **asked)
    printed = next(code.value for code in at.code if "engine attack" in code.value)
    assert "--preset" not in printed and "--compress" not in printed and "preset" not in address(at), said(at)
    assert at.number_input(key="attack/minmax/None/compressed").value == 96
    visible = opened("attack", **asked, preset="visible")
    printed = next(code.value for code in visible.code if "engine attack" in code.value)
    assert "--preset visible" in printed and address(visible)["preset"] == "visible", said(visible)
    assert address(opened("attack", **address(visible))) == address(visible)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[" * 3900, "cannot be read"),
        ('{"restarts":"many"}', "restarts=many"),
        ('{"restarts":1e9}', "restarts"),
        ('{"restarts":0}', "at least 1"),
        ('{"wheels":4}', "no such setting"),
    ],
)
def test_settings_that_cannot_be_are_told_and_left_out(
    text: str, words: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("attack", model=method(trained_home, "dec_star").key, attack_settings=text)
    assert any(words in warning.value for warning in at.warning), said(at)
    assert "attack_settings" not in address(at)


def test_trainings_settings_outlive_a_reload(trained_home: Store, opened: Opened) -> None:
    at = opened("train", method="dec_star", preset="quick", settings='{"iterations":500}', seed="9")
    assert (at.selectbox(key="p_method").value, at.number_input(key="p_seed").value) == ("dec_star", 9)
    assert '"iterations":500' in address(at)["settings"] and address(at)["preset"] == "quick"
    again = opened("train", **address(at))
    assert address(again) == address(at)


def test_a_link_to_a_run_brings_what_it_was_trained_with(trained_home: Store, opened: Opened) -> None:
    run = method(trained_home, "dec_star")
    at = opened("train", run=run.key)
    assert address(at)["method"] == "dec_star" and '"iterations":40' in address(at)["settings"]
    assert at.number_input(key="p_seed").value == run.spec.seed
    shipped = opened("train", run="digits/adec")
    assert shipped.number_input(key="p_seed").value == 1, "seed 0 would only show what ships"
