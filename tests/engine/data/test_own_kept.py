"""Data of one's own that are kept: told in plain words first, then used under their name, then removed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import cli, data
from engine.data import own_kept
from engine.data.report import SHOWN, examine
from engine.errors import DataError, DataMissing
from tests.engine.data.test_own import pack, png  # noqa: F401  a fixture

RNG = np.random.default_rng(1)
KINDS = ("leaf", "stone", "twig")


def pictures(folder: Path, count: int = 20) -> Path:
    """A folder of colour pictures, `count` of each of three classes."""
    for kind, name in enumerate(KINDS):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            x = RNG.integers(0, 120, (16, 16, 3), dtype=np.uint8)
            x[..., kind] += 120
            Image.fromarray(x).save(folder / name / f"{number:02}.png")
    return folder


def table(folder: Path) -> Path:
    """A .csv with names of features, classes and parts."""
    lines = ["width,height,label,split"]
    lines += [f"{i},{i * i % 7},{'ab'[i % 2]},{'test' if i % 3 else 'train'}" for i in range(30)]
    (folder / "own.csv").write_text("\n".join(lines))
    return folder / "own.csv"


def views(folder: Path) -> Path:
    """An .npz of two views, one of them of another size."""
    x = RNG.integers(0, 256, (30, 6, 5), dtype=np.uint8)
    np.savez(folder / "own.npz", x1=x, x2=x[:, :, :4], y=np.arange(30) % 3)
    return folder / "own.npz"


def gappy(folder: Path) -> Path:
    """A table with empty cells."""
    file = table(folder)
    file.write_text(file.read_text().replace("\n8,", "\n,").replace("\n9,", "\n,"))
    return file


def keep(path: Path, name: str) -> int:
    return cli.main(["data", "keep", str(path), "--name", name])


def test_empty_cells_are_told_before_and_on_the_card(tmp_path, capsys) -> None:
    file = gappy(tmp_path)
    assert cli.main(["data", "check", str(file)]) == 0
    told = capsys.readouterr().out
    assert "2 of 60 values are missing, in 2 of 30 samples and 1 of 2 features (width: 2)." in told
    assert "replaced by the median of its feature over the training samples" in told
    assert re.search(r"Samples by row: \d+( \(\w+\))?(, \d+( \(\w+\))?){11}; --json has their numbers", told)
    assert keep(file, "gappy") == 0
    card = own_kept.cards()["gappy"]
    assert "replaced by the median" in card["note"] and any("2 of 60" in fact for fact in card["facts"])


def test_a_folder_of_pictures_is_told_in_plain_words(tmp_path, capsys) -> None:
    assert cli.main(["data", "check", str(pictures(tmp_path / "walk")), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["report"]
    assert said["shapes"] == [[3, 16, 16]] and said["classes"] == dict.fromkeys(KINDS, 20)
    assert len(said["seen"]) == SHOWN and np.shape(said["seen"][0][0]) == (16, 16, 3)
    assert sorted(said["labels"]) == sorted(KINDS * 4), "of every class as many"
    whole = data.load(str(tmp_path / "walk"))
    np.testing.assert_allclose(
        np.array([sample[0] for sample in said["seen"]]).transpose(0, 3, 1, 2),
        whole.views.all()[0].numpy()[said["rows"]],
        atol=6e-4,
    )
    assert said["fingerprint"] == whole.fingerprint and not own_kept.cards()


@pytest.mark.parametrize("make", [pictures, table, views, gappy])
def test_what_is_kept_is_what_was_brought(tmp_path, make, capsys) -> None:
    brought = tmp_path / "it"
    brought.mkdir()
    path = make(brought)
    first = data.load(str(path))
    assert keep(path, "My leaves, 2") == 0
    found = data.load("my-leaves-2")
    assert (found.fingerprint, found.class_names) == (first.fingerprint, first.class_names)
    assert (found.clusters, found.feature_names) == (first.clusters, first.feature_names)
    assert found.rows("train").tolist() == first.rows("train").tolist()
    card = own_kept.cards()["my-leaves-2"]
    assert card["title"] == "My leaves, 2" and card["samples"] == len(first) and card["here"]
    assert card["shape"] == list(first.views.shapes[0]) and sum(card["counts"]) == len(first)
    assert keep(path, "another") == 0 and list(own_kept.cards()) == ["my-leaves-2"], "kept once"


def test_what_is_removed_is_missed_in_one_sentence(tmp_path) -> None:
    path = table(tmp_path)
    keep(path, "Numbers")
    fingerprint = data.load("numbers").fingerprint
    assert data.load("gone", fingerprint=fingerprint).name == "numbers", "found under any name"
    assert cli.main(["data", "remove", "numbers"]) == 0 and not own_kept.cards()
    with pytest.raises(DataMissing, match="The data numbers of this run are not here"):
        data.load("numbers", fingerprint=fingerprint)
    assert cli.main(["data", "remove", "numbers"]) == 2


@pytest.mark.parametrize("name", ["mnist", "MNIST", "<b>x</b>", "", " ", "x" * 61, "a/b", "[x](http://y)"])
def test_a_name_that_cannot_be(tmp_path, name) -> None:
    with pytest.raises(DataError):
        found = examine(str(table(tmp_path)))
        own_kept.keep(found.data, found.raws, name, {})
    assert not own_kept.cards()


def test_names_of_classes_are_no_markup(tmp_path) -> None:
    x, names = RNG.random((30, 3)), ["![x](http://y/z)", "*a*", "a", "_b_ c", "C&A"]
    np.savez(tmp_path / "own.npz", x=x, y=np.arange(30) % 5, class_names=np.array(names))
    said = data.load(str(tmp_path / "own.npz")).class_names
    assert said == ("! x (http //y/z)", "a", "a (2)", "b c", "C A")


@pytest.mark.parametrize("kind", ["encrypted", "huge picture", "lying head"])
def test_an_odd_archive_is_one_sentence(pack, kind, capsys) -> None:  # noqa: F811
    path = Path(pack(("a/1.png", png(RNG.integers(0, 256, (9, 9), dtype=np.uint8))), ("b/2.png", b"x" * 900)))
    content = bytearray(path.read_bytes())
    heads = [at for at in range(len(content)) if content[at : at + 4] in (b"PK\x01\x02", b"PK\x03\x04")]
    for at in heads:
        central = content[at + 2] == 1
        if kind == "encrypted":
            content[at + (8 if central else 6)] |= 1
        if kind == "huge picture" and central:
            content[at + 24 : at + 28] = (70 << 20).to_bytes(4, "little")
        if kind == "lying head" and central:
            content[at + 10] = 99  # packed in a way that nothing here knows
    path.write_bytes(content)
    assert cli.main(["data", "check", str(path)]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said and said.startswith("feint: a/1.png"), said


def test_links_in_a_folder_are_not_followed(tmp_path) -> None:
    folder = pictures(tmp_path / "walk", 4)
    pictures(tmp_path / "secret", 2)
    (folder / "other").symlink_to(tmp_path / "secret")
    (folder / "leaf" / "link.png").symlink_to(tmp_path / "secret" / "leaf" / "00.png")
    assert len(data.load(str(folder))) == 12
