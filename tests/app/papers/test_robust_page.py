"""The page Robust clustering, on the acts that ship with Feint; and Inspect on embeddings that were moved."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers import acts, stage
from app.papers.studies import results, verdicts
from app.runs import wanted
from engine.events import Row
from engine.running.runner import prepare
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]


def told(at: AppTest) -> str:
    return "\n".join([*(text.value for text in at.markdown), *(text.value for text in at.caption)])


@pytest.mark.parametrize("model", ["digits/conv_ae", "digits/conv_ae_mie", "digits/conv_ae_graph"])
def test_three_acts_stand_beside_one_another(model: str, trained_home: Store, opened: Opened) -> None:
    at = opened("robust", model=model)
    assert not at.error and not at.warning, said(at)
    assert [title.value for title in at.subheader] == list(stage.NAMES.values())
    assert sum(metric.label == "Flips" for metric in at.metric) == 3
    assert "against the attack it has seen (flips" in told(at) and "A random direction as long flips" in told(
        at
    )
    assert len(at.get("plotly_chart")) == 9, "bars, arrows and flows of three acts"
    rows = list(at.dataframe[0].value[""])
    assert {"D, absolute", "D, relative", "‖δ‖/‖z‖", "Active coordinates"} <= set(rows)


@pytest.mark.parametrize(
    "model", ["digits/conv_ae", "digits/conv_ae_mie", "digits/conv_ae_graph", "mnist_test/conv_ae"]
)
def test_every_act_ships(model: str, trained_home: Store, desk: Desk) -> None:
    zoo = connection.store().zoo()
    told = acts.story(zoo[model], zoo[f"{model}.attack"], zoo[f"{model}.defended"], list(zoo.values()))
    assert None not in told.acts().values() and told.same is not None and told.attack is not None
    assert told.same.spec.builds_on["fitted"] == told.attack.key and told.defended is not None
    assert told.defended.spec.builds_on["base"] == zoo[model].key


def test_the_sentence_follows_the_numbers() -> None:
    class Told:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def result(self) -> dict[str, float]:
            return {"flip_rate": self.rate, "noise_flip_rate": 0.09}

    def sentence(*rates: float) -> str:
        first, same, again = (Told(rate) for rate in rates)
        return str(acts.sentence(acts.Story(None, first, None, same, again)))  # type: ignore[arg-type]

    assert "holds against the attack it has seen" in sentence(0.5, 0.1, 0.45) and "wins again" in sentence(
        0.5, 0.1, 0.45
    )
    assert "does not hold even" in sentence(0.5, 0.4, 0.5) and "and against a fresh one" in sentence(
        0.5, 0.1, 0.1
    )
    assert "no more than a random direction of that length: 9.0%" in sentence(
        0.5, 0.1, 0.45
    ) and "no more" not in sentence(0.5, 0.2, 0.45)
    assert "takes something" in sentence(0.5, 0.1, 0.35)


def test_nu_is_dragged_for_a_sample_alone_and_over_fitted_networks(
    trained_home: Store, opened: Opened
) -> None:
    at = opened("robust", tab="nu", model="digits/conv_ae")
    assert "a random direction of the same length leaves it at" in told(at) and "its own error is" in told(
        at
    ), said(at)
    at.session_state["nu/kind"] = "one network"
    at.run()
    assert not at.exception and not at.error
    assert [run.result()["nu"] for run in acts.over_nu(connection.store().zoo()["digits/conv_ae"])] == [
        0.001,
        0.003,
        0.005,
        0.01,
    ]


def test_what_is_missing_is_made_from_the_page(
    trained_home: Store, opened: Opened, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo = connection.store().zoo()
    base = zoo["digits/conv_ae"]
    monkeypatch.setattr(acts, "_done", lambda: [base])
    monkeypatch.setattr(wanted.choices, "found", lambda *_: None)  # though the zoo has them
    at = opened("robust", model="digits/conv_ae")
    button = next(one for one in at.button if one.label == "Fit the attack")
    button.click()
    at.run()
    assert not at.exception, at.exception
    assert desk.submitted == [] or Store().find(desk.submitted[0]).spec.name == "latent_attack"
    nothing = acts.story(base, zoo["digits/conv_ae.attack"], None, [])
    overview = connection.ask({"ask": "overview", "model": base.key})
    after = acts._next(acts.Victim("digits/conv_ae", base, overview), nothing)
    assert after is not None
    wish, words = after
    assert words == "Train the defence" and wish.changes["module"] == "conv_ae"
    assert prepare(**vars(wish)).builds_on["base"] == base.key


def test_the_next_act_is_the_one_that_ships(trained_home: Store) -> None:
    zoo = trained_home.zoo()
    base, attack = zoo["digits/conv_ae"], zoo["digits/conv_ae.attack"]
    defended, same = zoo["digits/conv_ae.defended"], zoo["digits/conv_ae.defended.same"]
    again = zoo["digits/conv_ae.defended.reattack"]
    wishes = {
        attack: acts.attack_on(base, base),
        defended: acts.defence_of(base),
        same: acts.same_attack(defended, attack),
        again: acts.attack_on(defended, base, attack),
    }
    assert {run: wanted.found(wish) for run, wish in wishes.items()} == {run: run for run in wishes}


@pytest.mark.parametrize("tab", ["strength", "pixels"])
def test_figures_say_whether_the_defence_helps(tab: str, trained_home: Store, opened: Opened) -> None:
    at = opened("robust", tab=tab)
    assert "as many steps without the defence" in told(at), said(at)
    assert len(at.get("plotly_chart")) == (3 if tab == "strength" else 2)
    if tab == "strength":
        arms = results.declared("robust.table3")["arms"]
        assert set(at.dataframe[-1].value["network"]) == set(arms.values()) - {arms["base"]}


def test_helping_needs_more_than_the_spread() -> None:
    def row(arm: str, mean: float, spread: float) -> Row:
        measured = {"flip_rate": {"mean": mean, "spread": spread}}
        return Row(step=1, total=1, model="conv_ae", arm=arm, about={"nu": 0.01}, measured=measured)

    def said(*rows: Row) -> str:
        found = results.Result("robust.drop_against_nu", "quick", list(rows), "", 3, "")
        return verdicts.beside_the_control(found, "conv_ae", "nu")

    assert "**fewer** samples at ν = 0.01 (10%, control 40%)" in said(
        row("defended", 0.1, 0.02), row("control", 0.4, 0.02)
    )
    assert "neither fewer nor more" in said(row("defended", 0.1, 0.3), row("control", 0.3, 0.2))


def test_tables_show_published_beside_measured(trained_home: Store, opened: Opened) -> None:
    at = opened("robust", tab="tables")
    assert {"acc published", "acc here", "d_tab published", "published for", "Flip rate, noise"} <= set(
        at.dataframe[0].value.columns
    ), said(at)


def test_an_act_is_trained_from_the_page(trained_home: Store, opened: Opened, desk: Desk) -> None:
    at = opened("robust", tab="train", data="digits", seed="5")
    at.selectbox(key="robust/method").set_value("latent_defence")
    at.run()
    next(button for button in at.button if button.label == "Train").click()
    at.run()
    assert not at.exception and len(desk.submitted) == 1
    spec = Store().find(desk.submitted[0]).spec
    assert (spec.name, spec.data, spec.seed, set(spec.builds_on)) == (
        "latent_defence",
        "digits",
        5,
        {"base", "attack"},
    )


def test_an_attack_of_ones_own_is_fitted_from_the_page(
    trained_home: Store, opened: Opened, desk: Desk
) -> None:
    at = opened("robust", tab="train")
    at.selectbox(key="robust/method").set_value("latent_attack")
    at.run()
    labels = [button.label for button in at.button]
    assert "Fit" not in labels and "flips" in at.subheader[0].value  # what ships is shown at once
    at.selectbox(key="fit/model").set_value("digits/conv_ae.defended")
    at.selectbox(key="fit/kind").set_value("ReLU")
    at.number_input(key="fit/nu").set_value(0.02).run()
    next(button for button in at.button if button.label == "Fit").click()
    at.run()
    assert not at.exception and len(desk.submitted) == 1
    spec = Store().find(desk.submitted[0]).spec
    assert (
        spec.settings["objective_settings"] == {"nu": 0.02}
        and spec.settings["attack_settings"]["activation"] == "relu"
    )
    assert spec.builds_on["model"] == connection.store().zoo()[
        "digits/conv_ae.defended"
    ].key and spec.settings["attack_settings"]["hidden"] == [128, 64]


def test_inspect_opens_moved_embeddings(trained_home: Store, opened: Opened) -> None:
    key = connection.store().zoo()["digits/conv_ae.attack"].name
    at = opened("inspect", run=key)
    assert not at.error, said(at)
    assert any("moved the embedding, not the pixels" in info.value for info in at.info)
    assert "ν = 0.01" in told(at) and "‖δ‖/‖z‖" in told(at)
