"""Attack, defence and re-attack on the embedding as runs: what they build on, what they leave, what is asked
about them; on real digits.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import data, registry
from engine.asking import victims
from engine.asking.computing import compute
from engine.asking.questions import (
    AttackChoice,
    AttackedSampleQuestion,
    AttackedSamplesQuestion,
    EmbeddingLadderQuestion,
)
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, Iterate
from engine.cli.zoo import ENTRIES
from engine.data.sets.stl10_resnet50 import STL10ResNet50
from engine.defences.latent_defence import LatentDefence
from engine.errors import AbilityError, DataError, DataMissing, SettingsError
from engine.events import Evaluate, Event, Picture, Row
from engine.metrics import clustering
from engine.objectives.protocols import LatentObjective, Objective, on_embedding
from engine.running.models import load_model
from engine.running.runner import prepare, resume, run
from engine.settings import knob
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store
from engine.studies.protocols import Attacking, Training
from engine.studies.robust import RobustStudy

TINY: dict[str, Any] = {
    "embedding": 4,
    "form": "dense",
    "hidden": [16],
    "head": [8],
    "warm_steps": 20,
    "head_steps": 5,
    "joint_steps": 10,
    "batch": 64,
    "evaluate_every": 5,
}
ATTACK: dict[str, Any] = {"hidden": [8], "steps": 20, "batch": 64}
DEFENCE: dict[str, Any] = (
    {f"base.{name}": value for name, value in TINY.items()}
    | {f"attack.{name}": value for name, value in ATTACK.items()}
    | {"steps": 8, "batch": 64, "evaluate_every": 4}
)
AIM = {"objective": "flip_and_keep", "n": 1_000_000}
Made = dict[str, tuple[Run, list[Event]]]


def done(action: str, name: str, **options: Any) -> tuple[Run, list[Event]]:
    spec = prepare(action, name, **options)
    events = list(run(spec))
    assert events[-1].event == "finished", events[-1]
    return Store().find(spec.key), events


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    home = tmp_path_factory.mktemp("latent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        defended = done("train", "latent_defence", data="digits", changes=DEFENCE)
        builds_on = defended[0].spec.builds_on
        attack = done("attack", "latent_attack", models={"model": builds_on["base"]}, changes=ATTACK | AIM)
        same = done(
            "attack",
            "latent_attack",
            models={"model": defended[0].key, "fitted": attack[0].key},
            changes={"n": 300},
        )
        again = done("attack", "latent_attack", models={"model": defended[0].key}, changes=ATTACK | AIM)
    return home, {"defended": defended, "attack": attack, "same": same, "again": again}


@pytest.fixture
def runs(made: tuple[Path, Made], monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setenv("FEINT_HOME", str(made[0]))
    victims.victim_of.cache_clear()
    return made[1]


def test_the_defence_makes_its_base_and_its_attack_first(runs: Made) -> None:
    builds_on = runs["defended"][0].spec.builds_on
    base, attack = (Store().find(builds_on[role]) for role in ("base", "attack"))
    assert (base.spec.name, attack.spec.name, attack.spec.builds_on["model"]) == (
        "conv_ae",
        "latent_attack",
        base.key,
    )
    assert attack.key == runs["attack"][0].key, "the same attack asked for by hand is found by its key"
    told = [event for event in runs["defended"][1] if isinstance(event, Evaluate)]
    assert len(told) == 2 and all(
        {"acc", "acc_attacked", "flip_rate", "noise_flip_rate"} <= event.metrics.keys() for event in told
    )
    assert all(
        event.values["critic_accuracy"] is not None and event.values["head_gap"] >= 0 for event in told
    )  # type: ignore[operator]


def test_pixels_are_absent_and_the_embedding_is_measured(runs: Made) -> None:
    found = runs["attack"][0].result()
    assert not {"linf_max", "linf_mean", "l2_mean", "l0_mean", "knn_acc_clean", "knn_acc_attacked"} & set(
        found
    )
    assert (
        found["d_tab"] == pytest.approx(50 * found["d_rel"])
        and found["d_abs"] > 0
        and found["nu"] == 0.01
        and found["n"] == 1797
    )
    assert 0 <= found["agreement_mean"] <= found["agreement_clean_mean"] <= 1
    table, stored = runs["attack"][0].table(), runs["attack"][0].arrays("images")
    assert stored["z"].shape == (1797, 4) and set(stored) == {"id", "z"}
    model: Any = load_model(Store().find(runs["attack"][0].spec.builds_on["model"]))
    with torch.no_grad():
        clusters = model.log_assign_embedding(torch.from_numpy(stored["z"])).argmax(1).numpy()
    assert np.array_equal(clusters, table["cluster_attacked"]) and found["flip_rate"] == pytest.approx(
        table["flipped"].mean()
    )
    assert clustering.accuracy(table["label"].to_numpy(), clusters) == pytest.approx(found["acc_attacked"])
    assert any(isinstance(event, Picture) and event.picture == "decoded" for event in runs["attack"][1])


def test_the_same_attack_is_the_same_shift_and_a_fresh_one_is_not(runs: Made) -> None:
    first, same, again = (runs[name][0] for name in ("attack", "same", "again"))
    assert (
        same.spec.builds_on["fitted"] == first.key
        and same.spec.settings["attack_settings"] == first.spec.settings["attack_settings"]
    )
    tables = {run.key: run.table().set_index("id")["delta"] for run in (first, same, again)}
    ids = tables[same.key].index
    assert len(ids) == 300 and np.allclose(tables[first.key][ids], tables[same.key], atol=1e-5), (
        "δ depends on the sample alone"
    )
    assert not np.allclose(tables[first.key][ids], tables[again.key][ids], atol=1e-3)
    with pytest.raises(SettingsError, match="taken as it is; got objective_settings.nu too"):
        prepare(
            "attack",
            "latent_attack",
            models={"model": runs["defended"][0].key, "fitted": first.key},
            changes={"objective_settings.nu": 0.04},
        )
    with pytest.raises(SettingsError, match="in which latent_attack was fitted"):
        prepare(
            "attack",
            "latent_attack",
            models={"model": same.spec.builds_on["model"], "fitted": same.spec.builds_on["model"]},
            changes=AIM,
        )


def test_samples_that_moved_are_decoded_where_they_are_asked_for(runs: Made) -> None:
    gone = compute(AttackedSamplesQuestion(run=runs["same"][0].key))
    assert gone.recon is not None and gone.recon_clean is not None and gone.xy is not None
    assert gone.recon.shape == gone.recon_clean.shape == (300, 64) and gone.xy.shape == (300, 2)
    assert gone.q is not None and np.allclose(gone.q.sum(1), 1, atol=1e-5)
    assert np.array_equal(gone.q.argmax(1), runs["same"][0].table()["cluster_attacked"])


class Push(AttackSettings):
    """Another attack on the embedding: every δ is the same; or, for one sample, twice as long."""

    name: ClassVar[str] = "push"
    title: ClassVar[str] = "Push"
    source: ClassVar[str] = "this test"
    space: ClassVar[str] = "embedding"
    needs: ClassVar[tuple[str, ...]] = ("encodes", "decodes")
    searches: ClassVar[bool] = False
    by: float = knob(0.5, "δ", "Of each number.")

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        moved = on_embedding(objective).z + self.by
        yield Iterate(moved, objective(moved), 0)

    def per_sample(self, objective: LatentObjective) -> Iterator[Iterate]:
        moved = objective.z + 2 * self.by
        yield Iterate(moved, objective(moved), 0)

    def per_sample_in_words(self) -> str:
        return "twice as long"


def test_another_attack_on_the_embedding_is_asked_about(runs: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._settings, ("attack", "push"), Push)
    monkeypatch.setattr(catalogue, "version", lambda kind, name: 1)
    model = runs["attack"][0].spec.builds_on["model"]
    changes = {"objective": "flip_and_keep", "n": 40, "by": 0.25}
    run, _ = done("attack", "push", models={"model": model}, changes=changes)
    assert run.result()["d_abs"] == pytest.approx(0.25, abs=1e-6)
    sample = int(run.table()["id"][0])
    one = compute(AttackedSampleQuestion(run=run.key, sample=sample))
    every = compute(AttackedSamplesQuestion(run=run.key))
    assert every.xy is not None and np.allclose(one.xy, every.xy[0], atol=1e-5)
    assert not np.allclose(one.xy, one.xy_clean, atol=1e-3)
    choice = AttackChoice(name="push", settings={"by": 0.25})
    alone = compute(EmbeddingLadderQuestion(model=model, sample=sample, attack=choice, levels=3))
    assert alone.z is not None and alone.z_clean is not None
    assert np.allclose(alone.z, alone.z_clean + 0.5, atol=1e-5) and "Push" in alone.protocol
    assert "δ for this sample alone, twice as long" in alone.protocol
    with pytest.raises(SettingsError, match="pgd finds no δ for one sample"):
        compute(EmbeddingLadderQuestion(model=model, sample=sample, attack=AttackChoice(name="pgd")))


def test_a_ladder_over_nu_begins_at_rest(runs: Made) -> None:
    model = runs["attack"][0].spec.builds_on["model"]
    found = compute(EmbeddingLadderQuestion.usual(model, 5, 64))
    assert found.axis == "nu" and found.levels[0] == 0 and found.levels[-1] == pytest.approx(0.04)
    assert found.reached is not None and not found.reached[0]
    assert float(np.abs(found.delta[0]).max()) < 0.02 and found.ratio[0] < 0.05
    assert found.ratio[-1] > found.ratio[0]
    amortised = compute(EmbeddingLadderQuestion.usual(model, 5, 64, [runs["attack"][0].key]))
    assert amortised.levels == (0.0, 0.01) and amortised.z is not None and amortised.z_clean is not None
    row = runs["attack"][0].table().set_index("id").loc[5]
    moved = np.linalg.norm(amortised.z[1] - amortised.z_clean)
    assert moved == pytest.approx(row["delta"], rel=1e-3)
    with pytest.raises(SettingsError, match="holds no latent_attack"):
        compute(EmbeddingLadderQuestion.usual(runs["defended"][0].key, 5, 64, [runs["attack"][0].key]))


def test_pgd_attacks_any_of_the_acts_and_the_embedding_attack_other_autoencoders(runs: Made) -> None:
    for model in (runs["attack"][0].spec.builds_on["model"], runs["defended"][0].key):
        found = done(
            "attack",
            "pgd",
            models={"model": model},
            changes={"objective": "leave_cluster", "epsilon": 0.2, "n": 50, "steps": 3},
        )[0].result()
        assert found["linf_max"] <= 0.2 + 1e-6
    other = done(
        "attack",
        "latent_attack",
        models={"model": "digits/adec"},
        changes=ATTACK | {"objective": "flip_and_keep", "n": 50},
    )[0].result()
    assert other["nu"] == 0.01 and other["d_abs"] > 0
    with pytest.raises(AbilityError, match="needs a model that decodes; noisy_digits/comvc"):
        prepare("attack", "latent_attack", models={"model": "noisy_digits/comvc"}, changes=ATTACK | AIM)


def test_a_defence_that_was_stopped_goes_on_bit_by_bit(runs: Made) -> None:
    whole = load_model(runs["defended"][0]).state_dict()
    spec = prepare("train", "latent_defence", data="digits", changes=DEFENCE | {"steps": 12})
    steps = run(spec)
    for event in steps:
        if isinstance(event, Evaluate):
            break
    steps.close()  # type: ignore[attr-defined]
    assert list(resume(spec.key))[-1].event == "finished"
    broken = load_model(Store().find(spec.key)).state_dict()
    Store().delete(spec.key)
    assert list(run(spec))[-1].event == "finished"
    unbroken = load_model(Store().find(spec.key)).state_dict()
    assert all(torch.equal(value, unbroken[name]) for name, value in broken.items())
    assert not all(torch.equal(value, whole[name]) for name, value in broken.items())


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        RobustStudy,
        "trained",
        lambda self, module, data, dimension: Training(module, data, None, TINY | {"embedding": 4}),
    )
    monkeypatch.setattr(
        RobustStudy,
        "defended",
        lambda self, module, data, dimension, arm="defended": Training(
            "latent_defence",
            data,
            None,
            DEFENCE
            | {
                "module": module,
                "variant": "control" if arm == "control" else "information",
            },
        ),
    )
    monkeypatch.setattr(
        RobustStudy,
        "attack",
        lambda self, data, nu=None, **changes: Attacking(
            "latent_attack",
            None,
            ATTACK | AIM | ({} if nu is None else {"objective_settings": {"nu": nu}}) | changes,
        ),
    )
    monkeypatch.setattr(
        RobustStudy, "same", lambda self, data: Attacking("latent_attack", None, AIM, fitted="attack")
    )


def test_a_study_uses_the_attack_that_the_defence_was_made_against(
    tiny: None, runs: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = prepare("study", "robust.table2", "digits", changes={"seeds": 1})
    steps, rows = run(spec), []
    for event in steps:
        if isinstance(event, Row):
            rows.append(event)
        if len(rows) == 4:
            break
    steps.close()  # type: ignore[attr-defined]
    assert [(row.arm, row.treatment) for row in rows] == [
        ("defended", "clean"),
        ("defended", "same_attack"),
        ("control", "clean"),
        ("control", "same_attack"),
    ]
    attacked = rows[1]
    assert (
        attacked.published == {"acc": 0.876, "nmi": 0.863}
        and attacked.about["published_for"] == "stl10, d = 64"
    )
    behind = Store().find(attacked.runs["attack"][0])
    assert behind.spec.builds_on["fitted"] == Store().find(attacked.runs["model"][0]).spec.builds_on["attack"]


def test_a_study_asks_for_what_it_lacks_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    monkeypatch.setenv("FEINT_HOME", str(tmp_path / "home"))
    with pytest.raises(DataMissing, match="Put newsgroups4_10k.npz into"):
        prepare("study", "robust.table1", "digits", changes={"size": "mini"})
    assert (
        prepare("study", "robust.table1", "digits", changes={"size": "mini", "sets": ["mnist_test"]}).name
        == "robust.table1"
    )
    with pytest.raises(SettingsError, match="robust.table1.sets must name data of the size quick"):
        prepare("study", "robust.table1", "digits", changes={"sets": ["mnist_test"]})


def test_vectors_of_ones_own_are_asked_for_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    monkeypatch.setenv("FEINT_HOME", str(tmp_path / "home"))
    with pytest.raises(DataMissing, match="numpy.savez as stl10_resnet50.npz"):
        data.load("stl10_resnet50")
    draw = np.random.default_rng(0)
    x, y = draw.normal(3, 2, size=(40, 2048)).astype(np.float32), draw.integers(0, 10, 40)
    np.savez(tmp_path / "stl10_resnet50.npz", x=x, y=y)
    loaded = data.load("stl10_resnet50")
    view = loaded.views.all().flat().numpy()
    assert loaded.affine is not None and view.min() >= 0 and view.max() <= 1
    assert np.allclose(loaded.affine[0] + loaded.affine[1] * view, x, atol=1e-4) and loaded.clusters == 10
    for wrong, said in (
        ({"x": x[:, :9], "y": y}, r"\(n, 2048\)"),
        ({"x": x, "y": y + 10}, "from 0 to 9"),
        ({"x": x * np.nan, "y": y}, "finite"),
    ):
        np.savez(tmp_path / "stl10_resnet50.npz", **wrong)  # type: ignore[arg-type]
        with pytest.raises(DataError, match=said):
            STL10ResNet50().load()


def test_every_entry_of_the_zoo_finds_what_it_builds_on_before_it() -> None:
    names = list(ENTRIES)
    for place, (name, made) in enumerate(ENTRIES.items()):
        for needed in (made.on, made.fitted, made.appended):
            assert not needed or names.index(needed) < place, name


def test_settings_of_a_module_are_its_own() -> None:
    chosen = LatentDefence(module="conv_ae_graph", graph={"weight": 0.5})
    assert chosen.started().name == "conv_ae_graph" and chosen.started().graph.weight == 0.5
    assert LatentDefence(module="conv_ae_mie").started().name == "conv_ae_mie"
    with pytest.raises(SettingsError):
        LatentDefence(module="dec_star")  # type: ignore[arg-type]
