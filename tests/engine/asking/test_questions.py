"""Questions and answers: ladders judged here, controls, keys, what is kept and what is shipped."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.asking import answers, ladder, questions, victims
from engine.asking.answers import Answer, ladder_question
from engine.errors import FeintError, SettingsError
from engine.store.store import Store

MODEL = "digits/adec"


@pytest.fixture
def key() -> str:
    return Store().zoo()[MODEL].key


def test_a_ladder_over_epsilon_is_inside_its_balls_and_flips_once(key: str) -> None:
    found = questions.compute(ladder_question(key, 3, count=9))
    levels = np.array(found.json["levels"])
    assert (np.abs(found.arrays["delta"].astype(np.float32)).max(1) <= levels + 1e-3).all()
    assert not found.arrays["delta"][0].any(), "ε = 0 is the clean sample"
    away = found.arrays["q"].argmax(1) != found.json["cluster_own"]
    assert (np.diff(away.astype(int)) >= 0).all(), "once flipped, it stays flipped"
    assert found.json["flip"] == int(away.argmax())
    assert levels[found.json["flip"] - 1] < found.json["epsilon_star"] <= levels[found.json["flip"]]


def test_epsilon_star_is_an_upper_bound_that_really_flips(key: str) -> None:
    found = questions.compute(ladder_question(key, 3, count=9))
    it = victims.victim(key)
    clean = it.data.views.rows(torch.tensor([3]))
    moved = clean.flat() + torch.from_numpy(found.arrays["delta"][found.json["flip"]].astype(np.float32))
    assert int(it.log_q_of(clean.like(moved)).argmax()) != int(it.cluster[3])


def test_with_a_target_a_flip_is_an_arrival(key: str) -> None:
    names = questions.compute(ladder_question(key, 3, count=9)).json["cluster_names"]
    far = questions.compute(
        ladder_question(
            key,
            3,
            count=9,
            objective="go_to_cluster",
            objective_settings={"cluster": names.index("1")},
            top=0.4,
        )
    )
    winners, flip = far.arrays["q"].argmax(1), far.json["flip"]
    assert flip is not None and winners[flip] == names.index("1")
    assert (winners[:flip] != names.index("1")).all(), "elsewhere is not there"
    assert far.arrays["flipped"].tolist() == (winners == names.index("1")).tolist()
    own = far.json["cluster_own"]
    at_home = questions.compute(
        ladder_question(key, 3, count=9, objective="go_to_cluster", objective_settings={"cluster": own})
    )
    assert at_home.json["flip"] == 0 and at_home.json["target"] == own


@pytest.mark.parametrize("axis", ["path", "lambda"])
def test_other_axes_stay_inside_one_ball(key: str, axis: str) -> None:
    found = questions.compute(
        ladder_question(key, 3, axis=axis, epsilon=0.1, top=50.0, count=5, settings={"steps": 6})
    )
    assert np.abs(found.arrays["delta"].astype(np.float32)).max() <= 0.1 + 1e-3
    assert len(found.json["levels"]) == (7 if axis == "path" else 5)
    assert len(np.unique(found.arrays["noise_q"], axis=0)) == len(found.json["levels"]), (
        "as many noises as are counted"
    )
    if axis == "lambda":
        change = np.square(
            found.arrays["recon"].astype(float) - found.arrays["recon_clean"].astype(float)
        ).mean(1)
        assert change[-1] < change[0], "the more λ weighs, the more the reconstruction is kept"


def test_controls_carry_n_and_an_interval(key: str) -> None:
    climbed = ladder_question(key, 3, count=9)
    flip = questions.compute(climbed).json["flip"]
    before = questions.compute({"ask": "checks", "ladder": climbed, "level": flip - 1}).json["rows"]
    rows = {
        row["name"]: row
        for row in questions.compute({"ask": "checks", "ladder": climbed, "level": flip}).json["rows"]
    }
    assert before[0]["flipped"] == 0, "the control speaks of the very level that is shown"
    assert rows["this attack"]["flipped"] == 1 and rows["this attack, no limit on ε"]["flipped"] == 1
    assert rows["noise of the same size"]["n"] == ladder.DRAWS
    assert all(0 <= row["low"] <= row["flipped"] / row["n"] <= row["high"] <= 1 for row in rows.values())


@pytest.mark.parametrize(
    "change, words",
    [
        ({"sample": 99999}, "from 0 to 1796"),
        ({"axis": "sideways"}, "epsilon, path, lambda or nu"),
        ({"top": 8.0}, "did you mean 8/255"),
        ({"attack": "pdg"}, "pgd"),
        ({"axis": "path"}, "needs one ε"),
    ],
)
def test_a_wrong_question_is_told_in_a_sentence(key: str, change: dict[str, object], words: str) -> None:
    with pytest.raises(FeintError, match=words):
        questions.compute(ladder_question(key, 3) | change)


def test_nobody_answers_what_nobody_knows(key: str) -> None:
    with pytest.raises(SettingsError, match="known: "):
        questions.compute({"ask": "weather"})
    with pytest.raises(SettingsError, match="put wrongly"):
        questions.compute({"ask": "overview", "modle": key})


def test_answers_are_kept_without_objects_and_a_damaged_one_is_computed_again(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.npz"
    answers.write(file, Answer({"a": [1, None]}, {"x": np.arange(3)}))
    read = answers.read(file)
    assert read is not None and read.json == {"a": [1, None]} and read.arrays["x"].tolist() == [0, 1, 2]
    file.write_bytes(file.read_bytes()[:-20])
    assert answers.read(file) is None


def test_the_key_is_the_question_and_nothing_else() -> None:
    one = ladder_question("0123456789abcdef", 3)
    assert answers.key(one) == answers.key(dict(reversed(one.items())))
    assert answers.key(one) != answers.key(one | {"seed": 1})
    assert answers.lane({"ask": "umap"}) == "map" and answers.lane(one) == "play"


MODELS = sorted(name for name, entry in Store().zoo().items() if entry.spec.action == "train")


@pytest.mark.parametrize("name", MODELS)
def test_every_zoo_entry_ships_what_the_first_pictures_need(name: str) -> None:
    run = Store().zoo()[name]
    first = ladder_question(run.key, answers.SHOWN[run.spec.data])
    questions = [{"ask": "overview", "model": run.key}, first]
    if name.startswith("noisy_"):
        questions += [
            {"ask": "views", "model": run.key},
            ladder_question(run.key, answers.SHOWN[run.spec.data], objective="mv_disrupt"),
        ]
    for question in questions:
        assert answers.kept(question) is not None, question
    card = run.card()
    assert card["attacked"] and all("noise_flip_rate" in score and "n" in score for score in card["attacked"])


@pytest.mark.parametrize(
    "name", [name for name in MODELS if not name.startswith(("noisy_mnist/", "mnist_test/conv_ae"))]
)
def test_every_zoo_entry_of_ordinary_size_ships_its_umap(name: str) -> None:
    run = Store().zoo()[name]
    first = ladder_question(run.key, answers.SHOWN[run.spec.data])
    placed, umap = (
        answers.kept({"ask": "place", "model": run.key, "ladder": first}),
        answers.kept({"ask": "umap", "model": run.key, "seed": 0}),
    )
    assert placed is not None and umap is not None
    assert float(placed.arrays["xy_error"]) < 0.25 * np.ptp(umap.arrays["xy"], axis=0).max(), (
        "a clean point lands near itself"
    )


@pytest.mark.parametrize(
    "name", sorted(name for name, run in Store().zoo().items() if run.spec.name == "latent_attack")
)
def test_acts_ship_with_where_their_samples_went(name: str) -> None:
    run = Store().zoo()[name]
    assert Store().zoo()[name.rsplit(".", 1)[0]].key == run.spec.builds_on["model"]
    assert len(run.table()) == len(run.arrays("images")["z"]) == run.result()["n"] == 1000
    kept = answers.kept({"ask": "moved", "run": run.key})
    assert (kept is not None) == (name.startswith("digits/") and not name.rsplit(".", 1)[1].startswith("nu"))
    if name.startswith("digits/"):
        sample = int(run.table()["id"].iloc[7])
        alone = questions.compute({"ask": "moved_sample", "run": run.key, "sample": sample})
        assert int(alone.arrays["q"][0].argmax()) == int(run.table()["cluster_attacked"].iloc[7]), (
            "one sample goes where it went among all"
        )
        assert np.allclose(alone.arrays["q"].sum(), 1, atol=1e-5)


@pytest.mark.parametrize(
    "name", sorted(name for name, run in Store().zoo().items() if run.spec.name == "mv_gan")
)
def test_fitted_generators_ship_beside_their_model(name: str) -> None:
    run = Store().zoo()[name]
    model = Store().zoo()[name.split(".")[0]]
    assert run.spec.name == "mv_gan" and run.spec.builds_on["model"] == model.key
    assert (
        run.spec.settings["attack_settings"]["init_sd"]
        == {"strong": 0.02, "as_released": 1.0}[name.split(".")[1]]
    )
    first = ladder_question(
        model.key, answers.SHOWN[run.spec.data], attack="mv_gan", objective="mv_disrupt", fitted=run.key
    )
    found = answers.kept(first)
    assert found is not None and found.arrays["linf"][-1] <= 0.3 + 1e-6
    assert len(run.table()) == len(run.arrays("images")["id"]) == run.result()["n"] == 899


def test_the_zoo_is_small() -> None:
    sizes = {file: file.stat().st_size for file in answers.ZOO.rglob("*") if file.is_file()}
    several = sum(
        size for file, size in sizes.items() if file.relative_to(answers.ZOO).parts[0].startswith("noisy_")
    )
    acts = sum(
        size for file, size in sizes.items() if file.relative_to(answers.ZOO).parts[1].startswith("conv_ae")
    )
    assert (
        several <= 30e6
        and acts <= 15e6
        and sum(sizes.values()) - several - acts <= 25e6
        and max(sizes.values()) <= 5e6
    )
