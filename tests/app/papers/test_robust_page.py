"""The page Robust clustering, on the acts that ship with Feint; and Inspect on embeddings that were moved."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers.robust import columns, rounds
from app.papers.studies import results, verdicts
from engine.asking.questions import PrepareQuestion
from engine.errors import RunError
from engine.events import Row
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, employ, said

Opened = Callable[..., AppTest]
STAGES = ("warm_steps", "head_steps", "joint_steps")


def told(at: AppTest) -> str:
    return "\n".join([*(text.value for text in at.markdown), *(text.value for text in at.caption)])


@pytest.mark.parametrize("model", ["digits/conv_ae", "digits/conv_ae_mie", "digits/conv_ae_graph"])
def test_three_rounds_stand_beside_one_another(model: str, trained_home: Store, opened: Opened) -> None:
    at = opened("robust", model=model)
    assert not at.error and not at.warning, said(at)
    assert [title.value for title in at.subheader] == list(columns.TITLES.values())
    assert sum(metric.label == "Flips" for metric in at.metric) == 3
    assert "against the attack it has seen (flips" in told(at) and "A random direction as long flips" in told(
        at
    )
    assert len(at.get("plotly_chart")) == 9, "bars, arrows and flows of three rounds"
    labels = [item.proto.label for item in at.get("download_button")]
    assert labels.count("LaTeX") >= 9, "and each with its table"
    (rows,) = (list(frame.value[""]) for frame in at.dataframe if "" in frame.value)
    assert {"D, absolute", "D, relative", "‖δ‖/‖z‖", "Active coordinates"} <= set(rows)


@pytest.mark.parametrize(
    "model", ["digits/conv_ae", "digits/conv_ae_mie", "digits/conv_ae_graph", "mnist_test/conv_ae"]
)
def test_every_round_ships(model: str, trained_home: Store, desk: Desk) -> None:
    zoo = connection.store().zoo()
    found = rounds.of(zoo[model], zoo[f"{model}.attack"], zoo[f"{model}.defended"], list(zoo.values()))
    assert len(found.runs()) == 5 and found.same is not None and found.attack is not None
    assert found.same.spec.builds_on["fitted"] == found.attack.key and found.defended is not None
    assert found.defended.spec.builds_on["base"] == zoo[model].key
    assert rounds.next_of(found) is None


def test_the_sentence_follows_the_numbers() -> None:
    class Told:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def result(self) -> dict[str, float]:
            return {"flip_rate": self.rate, "noise_flip_rate": 0.09}

    def sentence(*rates: float) -> str:
        first, same, again = (Told(rate) for rate in rates)
        return str(rounds.sentence(rounds.Rounds(None, first, None, same, again)))  # type: ignore[arg-type]

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
    assert "a random direction of the same length leaves it in" in told(at) and "its own error is" in told(
        at
    ), said(at)
    at.session_state["p_delta"] = "one network"
    at.run()
    assert not at.exception and not at.error
    assert [run.result()["nu"] for run in rounds.over_nu(connection.store().zoo()["digits/conv_ae"])] == [
        0.001,
        0.003,
        0.005,
        0.01,
    ]


@pytest.fixture
def base(trained_home: Store) -> Run:
    """A small base network of one's own, which nobody has attacked."""
    tiny = {"embedding": 4, "hidden": [8], "head": [8]} | dict.fromkeys(STAGES, 20) | {"starts": 1}
    *_, trained = run(prepare("train", "conv_ae", "digits", preset="quick", changes=tiny))
    return trained_home.find(trained.run)


def test_what_is_missing_is_made_from_the_page(base: Run, opened: Opened, desk: Desk) -> None:
    at = opened("robust", model=base.key)
    next(one for one in at.button if one.label == "Fit the attack").click().run()
    assert not at.exception and len(desk.submitted) == 1
    begun = Store().find(desk.submitted[0])
    assert (begun.spec.name, begun.spec.builds_on) == ("latent_attack", {"model": base.key})
    assert begun.status() == "queued" and at.get("progress")
    assert "Fit the attack" not in [one.label for one in at.button], "pressed once, it is under way"


def test_what_the_engine_refuses_stays_on_the_page(
    base: Run, opened: Opened, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(Desk):
        def submit(self, run: Run) -> None:
            raise RunError("The disk is full: free some space.")

    employ(monkeypatch, Full())
    at = opened("robust", model=base.key)
    next(one for one in at.button if one.label == "Fit the attack").click().run()
    assert not at.exception and [error.value for error in at.error] == ["The disk is full: free some space."]


def test_what_comes_next_is_made_of_this_base(trained_home: Store, desk: Desk) -> None:
    zoo = connection.store().zoo()
    base, attack = zoo["digits/conv_ae"], zoo["digits/conv_ae.attack"]
    following = rounds.next_of(rounds.of(base, attack, None, []))
    assert following is not None and following[1] == "Train the defence"
    wish = following[0]
    assert wish.changes["module"] == "conv_ae"
    answer = connection.ask(PrepareQuestion(**vars(wish)))
    assert answer.sentence is None and answer.spec is not None
    assert answer.spec.builds_on["base"] == base.key
    defended = zoo["digits/conv_ae.defended"]
    for done, shipped in (([], "same"), ([zoo["digits/conv_ae.defended.same"]], "reattack")):
        following = rounds.next_of(rounds.of(base, attack, defended, done))
        assert following is not None
        spec = connection.ask(PrepareQuestion(**vars(following[0]))).spec
        assert spec is not None and spec.key == zoo[f"digits/conv_ae.defended.{shipped}"].key


@pytest.mark.parametrize("tab", ["strength", "pixels"])
def test_figures_say_whether_the_defence_helps(tab: str, trained_home: Store, opened: Opened) -> None:
    at = opened("robust", tab=tab)
    assert "as many steps without the defence" in told(at), said(at)
    assert len(at.get("plotly_chart")) == 3
    if tab == "pixels":
        assert "The strongest attack judges." in said(at)
    else:
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
    within = said(row("defended", 0.1, 0.3), row("control", 0.3, 0.2))
    assert "neither fewer nor more" in within and "counts from 5 points on" in within


def test_tables_show_published_beside_measured(trained_home: Store, opened: Opened) -> None:
    at = opened("robust", tab="tables")
    assert {
        "ACC, published",
        "ACC, here",
        "D, as the tables seem to have it, published",
        "published for",
        "Flip rate, noise",
    } <= set(at.dataframe[0].value.columns), said(at)


def test_an_attack_of_ones_own_is_fitted_from_the_page(
    trained_home: Store, opened: Opened, desk: Desk
) -> None:
    at = opened("robust", tab="fit")
    at.selectbox(key="fit/model").set_value("digits/conv_ae.defended")
    next(one for one in at.segmented_control if one.key.endswith("/activation")).set_value("relu")
    next(one for one in at.number_input if one.key.endswith("/nu")).set_value(0.02)
    at.run()
    next(button for button in at.button if button.label == "Fit").click()
    at.run()
    assert not at.exception and len(desk.submitted) == 1
    spec = Store().find(desk.submitted[0]).spec
    assert (
        spec.settings["objective_settings"] == {"nu": 0.02}
        and spec.settings["attack_settings"]["activation"] == "relu"
    )
    assert spec.builds_on["model"] == connection.store().zoo()["digits/conv_ae.defended"].key
    assert spec.settings["attack_settings"]["hidden"] == [128, 64]


def test_inspect_opens_moved_embeddings(trained_home: Store, opened: Opened) -> None:
    key = connection.store().zoo()["digits/conv_ae.attack"].name
    at = opened("inspect", run=key)
    assert not at.error, said(at)
    assert any("moved the embedding, not the pixels" in info.value for info in at.info)
    assert "ν = 0.01" in told(at) and "‖δ‖/‖z‖" in told(at)
