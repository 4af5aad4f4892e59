"""What ships with the zoo: the answers that first pictures need, and no more than fits."""

from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.asking import keeping, shipping
from engine.asking.computing import compute
from engine.asking.questions import (
    LOOKED_AT,
    SHOWN,
    AttackChoice,
    AttackedSampleQuestion,
    AttackedSamplesQuestion,
    ControlsQuestion,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    PlaceOnUmapQuestion,
    UmapQuestion,
    ViewsQuestion,
)
from engine.cli import zoo
from engine.errors import RunBroken
from engine.events import Failed
from engine.running import placing
from engine.store.store import Store

ZOO = Store().zoo()
MODELS = sorted(name for name, run in ZOO.items() if run.spec.action == "train")
CLUSTERING = [name for name in MODELS if "clusters" in registry.find("model", ZOO[name].spec.name).abilities]
WIDE = (
    "noisy_mnist/",
    "cifar10_jpeg_mini/",
    *(f"mnist_test/{name}" for name in ("conv_ae", "spherical", "ncp_acl", "deacl")),
)
"""Of these an embedding of all samples has too many numbers for a map that is made ready."""
DISRUPT = ObjectiveChoice(name="mv_disrupt")


@pytest.mark.parametrize("name", [name for name in ZOO if name.startswith(("digits/", "noisy_digits/"))])
def test_every_zoo_entry_ships_the_answers_that_its_recipe_makes_and_no_others(name: str) -> None:
    wanted = {question.key() for question in shipping.first_questions(ZOO[name])}
    assert {file.stem for file in (keeping.ZOO / name / "answers").glob("*")} == wanted


@pytest.mark.parametrize("name", MODELS)
def test_every_model_ships_what_the_first_pictures_need(name: str) -> None:
    run = ZOO[name]
    first = shipping.first_ladder(run)
    assert keeping.kept(OverviewQuestion(model=run.key)) is not None and keeping.kept(first) is not None
    if name.startswith("noisy_"):
        assert keeping.kept(ViewsQuestion(model=run.key)) is not None
        assert keeping.kept(first.model_copy(update={"objective": DISRUPT})) is not None
    if "/conv_ae" in name:
        size = 64 if name.startswith("digits/") else 784
        usual = EmbeddingLadderQuestion.usual(run.key, first.sample, size)
        assert keeping.kept(usual) is not None
    card = run.card()
    assert card["attacked"] and all("n" in score for score in card["attacked"])
    if name in CLUSTERING:
        assert all("noise_flip_rate" in score for score in card["attacked"])


@pytest.mark.parametrize("name", [name for name in CLUSTERING if not name.startswith("noisy_")])
def test_the_strongest_attack_stands_among_the_controls_that_ship(name: str) -> None:
    run = ZOO[name]
    first = shipping.first_ladder(run)
    often = "compares" not in registry.find("model", run.spec.name).abilities
    samples = LOOKED_AT[run.spec.data] if often and run.spec.data in LOOKED_AT else (first.sample,)
    ladders = [LadderQuestion(model=run.key, sample=sample) for sample in samples]
    if len(samples) > 1:
        ladders += [first.model_copy(update={"axis": axis}) for axis in shipping.other_axes(run)]
    for ladder in ladders:
        climbed = keeping.kept(ladder)
        assert climbed is not None
        found = keeping.kept(ControlsQuestion(ladder=ladder, level=climbed.start))
        assert found is not None
        reached = {row.kind: row.reached for row in found.rows}
        assert reached["strongest"] >= reached["attack"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MODELS
        if not name.startswith(("noisy_mnist/", "mnist_test/", "cifar10_jpeg_mini/"))
        or (name in CLUSTERING and not name.startswith(WIDE))
    ],
)
def test_every_model_of_ordinary_size_ships_its_umap(name: str) -> None:
    run = ZOO[name]
    first = shipping.first_ladder(run)
    placed = keeping.kept(PlaceOnUmapQuestion(ladder=first))
    umap = keeping.kept(UmapQuestion(model=run.key))
    assert placed is not None and umap is not None
    assert placed.xy_error < 0.25 * np.ptp(umap.xy, axis=0).max(), "a clean point lands near itself"


@pytest.mark.parametrize(
    "name", sorted(name for name, run in ZOO.items() if run.spec.name == "latent_attack")
)
def test_attacks_on_the_embedding_ship_with_where_their_samples_went(name: str) -> None:
    run = ZOO[name]
    assert ZOO[name.rsplit(".", 1)[0]].key == run.spec.builds_on["model"]
    assert len(run.table()) == len(run.arrays("images")["z"]) == run.result()["n"] == 1000
    kept = keeping.kept(AttackedSamplesQuestion(run=run.key))
    assert (kept is not None) == (name.startswith("digits/") and not name.rsplit(".", 1)[1].startswith("nu"))
    if name.startswith("digits/"):
        sample = int(run.table()["id"].iloc[7])
        alone = compute(AttackedSampleQuestion(run=run.key, sample=sample))
        attacked = int(run.table()["cluster_attacked"].iloc[7])
        assert int(alone.q.argmax()) == attacked, "one sample goes where it went among all"
        assert np.allclose(alone.q.sum(), 1, atol=1e-5)


@pytest.mark.parametrize("name", sorted(name for name, run in ZOO.items() if run.spec.name == "mv_gan"))
def test_fitted_generators_ship_beside_their_model(name: str) -> None:
    run, model = ZOO[name], ZOO[name.split(".")[0]]
    assert run.spec.builds_on["model"] == model.key
    spread = {"strong": 0.02, "as_released": 1.0}[name.split(".")[1]]
    assert run.spec.settings["attack_settings"]["init_sd"] == spread
    attack = AttackChoice(name="mv_gan", fitted=(run.key,))
    sample = SHOWN[run.spec.data]
    found = keeping.kept(LadderQuestion(model=model.key, sample=sample, attack=attack, objective=DISRUPT))
    assert found is not None and found.linf[-1] <= 0.3 + 1e-6
    assert len(run.table()) == len(run.arrays("images")["id"]) == run.result()["n"] == 899


def test_only_answers_are_made_anew_and_a_map_is_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, folder = ZOO["digits/ae_kmeans"], tmp_path / "digits" / "ae_kmeans"
    (folder / "answers").mkdir(parents=True)
    (folder / "answers" / "of_old.npz").write_bytes(b"old")
    (folder / "card.json").write_text("{}")
    monkeypatch.setattr(placing, "place", lambda z, *_: (np.zeros((len(z), 2), np.float32), 0.0))
    assert len(list(zoo.answer(["digits/ae_kmeans"], tmp_path))) == 1
    wanted = {question.key() for question in shipping.first_questions(run)}
    assert {file.stem for file in (folder / "answers").iterdir()} == wanted
    assert (folder / "card.json").read_text() == "{}"
    umap = UmapQuestion(model=run.key)
    made = keeping.read(keeping.file_of(umap, folder / "answers"), umap)
    shipped = keeping.kept(umap)
    assert made is not None and shipped is not None and np.array_equal(made.xy, shipped.xy)


def test_a_score_that_was_not_finished_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Failed(run="0" * 16, reason="the disk is full", resumable=False)
    monkeypatch.setattr(zoo.runner, "run", lambda spec: iter([failed]))
    with pytest.raises(RunBroken, match="scores digits/adec did not finish: the disk is full"):
        zoo._score(ZOO["digits/adec"], zoo.ENTRIES["digits/adec"], 0.1)


def test_the_zoo_is_small() -> None:
    sizes = {
        file.relative_to(keeping.ZOO).parts: file.stat().st_size
        for file in keeping.ZOO.rglob("*")
        if file.is_file()
    }
    several = sum(size for parts, size in sizes.items() if parts[0].startswith("noisy_"))
    acts = sum(size for parts, size in sizes.items() if parts[1].startswith("conv_ae"))
    own = ("dense_ae", "sparse_ae", "plain_conv_ae", "adversarial_ae", "adversarial_cl", "classifier")
    copied = sum(size for parts, size in sizes.items() if parts[1].startswith(own))
    robust = ("simclr", "spherical", "ncp_acl", "deacl", "acl", "dynacl", "adversarial_probe")
    contrast = sum(size for parts, size in sizes.items() if parts[1].startswith(robust))
    assert several <= 30e6 and acts <= 18e6 and copied <= 15e6 and contrast <= 25e6
    assert sum(sizes.values()) - several - acts - copied - contrast <= 36e6
    assert max(sizes.values()) <= 5e6
