"""A model leaves as files and comes back elsewhere as it was; what was changed on the way is refused."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from engine import cli
from engine.errors import RunBroken, RunError
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.running.taking_in import take_in
from engine.store import portable
from engine.store.run import Run
from engine.store.store import Store

SMALL = {"hidden": [8], "iterations": 10, "evaluate_every": 10, "batch": 32, "starts": 1}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the .zip of a trained model lies beside the home that it came from."""
    home = tmp_path_factory.mktemp("left")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        *_, last = run(prepare("train", "ae_kmeans", "digits", changes=SMALL))
        portable.export(Store().find(last.run), home / "model.zip")
        portable.export(Store().find(last.run), home / "model")
    return home


@pytest.mark.parametrize("what", ["model", "model.zip"])
def test_it_comes_back_as_it_was(left: Path, what: str, home: Path) -> None:
    [there] = Store(left).all()
    here, new = take_in(left / what)
    assert new and here.status() == "finished" and here.key == there.key
    assert here.result() == there.result() and here.card()["imported"]
    ours, theirs = (load_model(one).state_dict() for one in (here, there))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert take_in(left / what) == (here, False), "once"
    *_, last = run(prepare("attack", "pgd", models={"model": here.key}, changes={"n": 16, "steps": 2}))
    assert last.event == "finished"


@pytest.mark.parametrize("name", [portable.MANIFEST, *portable.LARGEST])
def test_a_changed_byte_is_one_sentence(left: Path, name: str, tmp_path: Path, capsys) -> None:
    shutil.copytree(left / "model", tmp_path / "model")
    file = tmp_path / "model" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert cli.main(["import", str(tmp_path / "model")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said and "model" in said and not Store().all()


def sealed(folder: Path, **changed: object) -> Path:
    """A folder of a model in which somebody changed JSON values and made the hashes fit again."""
    found = {name: (folder / name).read_bytes() for name in portable.LARGEST}
    for name, values in changed.items():
        file = f"{name}.json"
        found[file] = json.dumps(json.loads(found[file]) | values).encode()
    key = changed.get("key") or json.loads((folder / portable.MANIFEST).read_text())["key"]
    said = {"feint": 1, "key": key, "files": {name: portable._seal(one) for name, one in found.items()}}
    found[portable.MANIFEST] = portable._json(said | {"sha256": portable._hash(portable._json(said))})
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "changed",
    [
        {"spec": {"seed": 5}},
        {"spec": {"action": "attack"}},
        {"spec": {"fingerprint": "../../../etc"}},
        {"spec": {"name": "nothing", "settings": {"model": "nothing", "model_settings": {}}}},
    ],
)
def test_what_is_no_such_model_is_refused(left: Path, changed: dict[str, object], tmp_path: Path) -> None:
    shutil.copytree(left / "model", tmp_path / "model")
    with pytest.raises(RunBroken):
        take_in(sealed(tmp_path / "model", **changed))
    assert not Store().all()


def test_weights_of_another_network_are_refused(left: Path, tmp_path: Path) -> None:
    from engine.store.spec import Spec

    shutil.copytree(left / "model", tmp_path / "model")
    spec = json.loads((tmp_path / "model" / "spec.json").read_text())
    spec["settings"]["model_settings"]["hidden"] = [9_000_000]
    (tmp_path / "model" / "spec.json").write_text(json.dumps(spec))
    manifest = tmp_path / "model" / portable.MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"key": Spec(**spec).key}))
    with pytest.raises(RunBroken, match="its weights are not those of ae_kmeans"):
        take_in(sealed(tmp_path / "model"))


def test_words_of_strangers_are_not_kept(left: Path, tmp_path: Path) -> None:
    shutil.copytree(left / "model", tmp_path / "model")
    evil = "![x](http://y)"
    card = {"how": {"device": evil, "torch": "2.1"}, "watched": evil, "metrics": {"acc": evil}}
    here, _ = take_in(
        sealed(tmp_path / "model", card=card, result={"acc": 0.5, "doubts": [evil]}, spec={"data": evil})
    )
    assert "http" not in json.dumps([here.card(), here.result(), here.spec.data])
    assert here.card()["how"] == {"torch": "2.1"} and here.result()["acc"] == 0.5


def test_no_path_escapes_a_zip_and_nothing_too_large_is_read(left: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for name in (portable.MANIFEST, *portable.LARGEST):
            archive.write(left / "model" / name, f"../../{name}")
    here, _ = take_in(tmp_path / "odd.zip")
    assert Run(Store().folder / here.key).status() == "finished"
    assert not list(tmp_path.parent.glob("spec.json")), "nothing is unpacked by its name"
    content = bytearray((left / "model.zip").read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "large.zip").write_bytes(content)
    with pytest.raises(RunBroken, match="at most 537 MB are taken in"):
        take_in(tmp_path / "large.zip")


def test_only_a_finished_training_leaves(left: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is there already"):
        portable.export(Store(left).all()[0], left / "model")
    with pytest.raises(RunError, match="Only a finished training can leave"):
        portable.export(Store().find("digits/adec.pgd"), tmp_path / "x")
    with pytest.raises(RunBroken, match="is no model that left Feint"):
        take_in(tmp_path / "nothing.zip")
