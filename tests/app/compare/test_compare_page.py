"""The Compare page: slots in the address, a table of paired measures, where one holds and another flips."""

import shlex
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.compare import first
from engine.asking import keeping
from engine.asking.computing import compute
from engine.asking.questions import (
    COMPARED_AT,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    SeveralQuestion,
)
from engine.cli.commands import main
from engine.store import pictures
from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]


def two(store: Store) -> str:
    return "|".join(f"{method(store, name).key}~pgd~5" for name in ("adec", "dec_star"))


def test_slots_are_counted_on_the_same_samples(
    trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    at = opened("compare", slots=two(trained_home), eps="0.15", sample="7")
    table = at.table[0].value
    assert [name[0] for name in table.columns] == ["A", "B"]
    assert table.loc["… minus A, the same samples"].iloc[0] == ""
    key = method(trained_home, "adec").key
    epsilon = next(float(part) for code in at.code for part in [_after(code.value, "--epsilon")] if part)
    found = compute(
        SeveralQuestion.model_validate(
            {"model": key, "attack": {"name": "pgd", "settings": {"steps": 5}}, "epsilon": epsilon}
        )
    )
    share = found.reached[found.counted].mean()
    reached = next(row for row in table.index if row.startswith("Attack succeeds at"))
    assert table.loc[reached].iloc[0].startswith(f"{100 * share:.0f} % (")
    assert any("holds, " in text.value and "the other way round" in text.value for text in at.markdown)
    lines = next(code.value for code in at.code if "--half test" in code.value).splitlines()
    assert len(lines) == 4 and all(line.startswith("python3 -m engine attack pgd") for line in lines)
    assert main([*shlex.split(lines[0])[3:], "--json"]) == 0, "a sample"
    assert '"sample": 7' in capsys.readouterr().out


def test_a_picture_of_ones_own_is_held_against_every_slot(
    trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    key = pictures.keep(np.pad(np.full((12, 4), 255, dtype=np.uint8), 8))
    at = opened("compare", slots=two(trained_home), own=key, eps="0.15")
    assert not at.exception and at.query_params["own"] == key
    assert at.table[0].value.loc["Your picture alone"].str.startswith("ε*").all()
    lines = next(code.value for code in at.code if "--picture" in code.value).splitlines()
    alone = [line for line in lines if "--picture" in line]
    assert len(alone) == 2 and len(set(alone)) == 2, "a sample of its own in each slot"
    assert main([*shlex.split(alone[0])[3:], "--json"]) == 0
    assert '"sample": -1' in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("data", ["mnist_test", "digits"])
def test_the_first_view_holds_a_defence_against_its_like_on_a_sample_that_both_sort_rightly(
    data: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("compare", data=data)
    slots, number = _in_address(at, "slots"), _in_address(at, "sample")
    models = [Store().zoo()[part.split("~")[0]] for part in slots.split("|")]
    assert [first.defended(run) for run in models] == [False, True], slots
    stars = []
    for run in models:
        wanted = ObjectiveChoice(name=at.session_state["p_objective"])
        ladder = keeping.kept(LadderQuestion(model=run.key, sample=int(number), objective=wanted))
        overview = keeping.kept(OverviewQuestion(model=run.key))
        many = keeping.kept(SeveralQuestion(model=run.key, objective=wanted, epsilon=COMPARED_AT))
        assert ladder is not None and overview is not None and many is not None, "its first view ships"
        assert ladder.own_group is not None and overview.matched_class[ladder.own_group] == ladder.label
        stars.append(ladder.epsilon_star)
    assert stars[1] > 2 * stars[0]
    again = opened("compare", slots=slots, sample=number)
    assert _in_address(again, "slots") == slots and not again.warning


def test_other_slots_begin_with_a_sample_that_they_sort_rightly(trained_home: Store, opened: Opened) -> None:
    at = opened("compare", slots="digits/spherical_k_means~pgd~5|digits/ncp_acl~pgd~5")
    number = int(_in_address(at, "sample"))
    for part in ("spherical_k_means", "ncp_acl"):
        overview = keeping.kept(OverviewQuestion(model=Store().zoo()[f"digits/{part}"].key))
        assert overview is not None and overview.label is not None and overview.group is not None
        assert overview.matched_class[overview.group[number]] == overview.label[number]


def _in_address(at: AppTest, name: str) -> str:
    found = at.query_params[name]
    return found if isinstance(found, str) else found[0]


def _after(text: str, flag: str) -> str:
    words = shlex.split(text) if flag in text else []
    return words[words.index(flag) + 1] if flag in words else ""


def test_slots_are_added_changed_and_removed(trained_home: Store, opened: Opened) -> None:
    at = opened("compare", slots=two(trained_home))
    next(button for button in at.button if button.label == "Add a slot").click().run()
    assert len(at.table[0].value.columns) == 3
    at.selectbox(key="slot_attack_2").set_value("fgsm").run()
    (text,) = (
        [at.query_params["slots"]] if isinstance(at.query_params["slots"], str) else at.query_params["slots"]
    )
    assert text.split("|")[2] == f"{method(trained_home, 'dec_star').key}~fgsm~5"
    assert "FGSM" in at.table[0].value.columns[2]
    next(button for button in at.button if button.label == "Remove A").click().run()
    assert len(at.table[0].value.columns) == 2 and not at.exception


def test_models_of_different_abilities_are_told(trained_home: Store, opened: Opened) -> None:
    at = opened("compare", slots="digits/adec~fgsm~1|digits/dense_ae~fgsm~1")
    assert "no objective in common" in said(at) or "slots=" in said(at)
    assert at.table or at.warning


def test_slots_that_are_not_here_are_told_and_replaced(trained_home: Store, opened: Opened) -> None:
    at = opened("compare", slots="nobody~pgd~5|<b>~~|digits/adec~pgd~5")
    assert any("slots=nobody" in warning.value for warning in at.warning)
    assert len(at.table[0].value.columns) == 2


VIEWS = "noisy_digits/comvc~noisy_digits/comvc.strong~20|noisy_digits/ar_dmvc_am~pgd~5"


def test_an_attack_that_was_trained_on_a_model_stands_in_its_slot(
    trained_home: Store, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    address = {"data": "noisy_digits", "objective": "mv_disrupt", "eps": "0.15"}
    at = opened("compare", slots=VIEWS, **address)
    assert not at.error and not at.warning, said(at)
    first, second = at.table[0].value.columns
    assert "GAN, a generator a view" in first and "PGD, T = 5" in second
    assert "at ε = 0.3, and clamped" in said(at) and "has its own page" in said(at)
    reached = next(row for row in at.table[0].value.index if row.startswith("Attack succeeds at"))
    zoo = Store().zoo()
    found = compute(
        SeveralQuestion.model_validate(
            {
                "model": zoo["noisy_digits/comvc"].key,
                "attack": {"name": "mv_gan", "fitted": [zoo["noisy_digits/comvc.strong"].key]},
                "objective": {"name": "mv_disrupt"},
                "epsilon": next(
                    float(part) for code in at.code for part in [_after(code.value, "--epsilon")] if part
                ),
            }
        )
    )
    share = found.reached[found.counted].mean()
    assert at.table[0].value.loc[reached].iloc[0].startswith(f"{100 * share:.0f} % (")
    lines = next(code.value for code in at.code if "--half test" in code.value).splitlines()
    assert main([*shlex.split(lines[0])[3:], "--json"]) == 0, lines[0]
    assert f'"sample": {at.query_params["sample"][0]}' in capsys.readouterr().out
    at.selectbox(key="slot_model_0").set_value("noisy_digits/simvc").run()
    assert at.selectbox(key="slot_attack_0").value == "noisy_digits/simvc.strong", "the same on that model"
    at.selectbox(key="p_objective").set_value("leave_cluster").run()
    box = at.selectbox(key="slot_attack_0")
    assert box.value == "pgd" and not any("GAN" in option for option in box.options), "trained for another"


def test_models_whose_attack_moves_the_embedding_lead_to_its_page(
    trained_home: Store, opened: Opened
) -> None:
    at = opened("compare", slots="digits/conv_ae~pgd~5|digits/conv_ae.defended~pgd~5")
    assert "has its own page" in said(at)
    at = opened("compare", slots=two(trained_home))
    assert "has its own page" not in said(at)
