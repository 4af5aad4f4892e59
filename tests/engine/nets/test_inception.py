"""Inception v3: as large as published, the same twice, read from a person's file; and other files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.errors import DataError, DataMissing, SettingsError
from engine.metrics.frechet import fid
from engine.nets.inception import MIXED, Inception, Paths, inception_of
from engine.running import launching
from engine.running.attacking import Attack
from engine.studies.uae_table5 import Table5
from tests.engine.tiny import Desk, blobs, centred, done


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the well-known names: random weights, of a size that lets numbers through."""
    with torch.device("meta"):
        empty = Inception().state_dict()
    rng, state = torch.Generator().manual_seed(0), {}
    for name, own in empty.items():
        if name.endswith("conv.weight"):
            scale = (2 / own[0].numel()) ** 0.5
            state[name] = scale * torch.empty(own.shape).uniform_(-1.7, 1.7, generator=rng)
        elif not name.endswith("num_batches_tracked"):
            state[name] = torch.zeros(own.shape) if name.endswith(("bias", "mean")) else torch.ones(own.shape)
    state |= {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}  # what is left out
    path = tmp_path_factory.mktemp("data") / "inception_v3.safetensors"
    save_file(state, path)
    return path


def test_it_is_as_large_as_published_and_its_maps_are_as_many() -> None:
    with torch.device("meta"):
        network = Inception()
    own = sum(weight.numel() for weight in network.parameters())
    assert own + 1000 * 2048 + 1000 == 23_834_568, "with the classifier of 1,000 classes, and no second one"
    blocks = [block for block in (getattr(network, name) for name in MIXED) if isinstance(block, Paths)]
    joined = [256, 288, 288, 768, 768, 768, 768, 768, 1280, 2048, 2048]
    assert [block.filters for block in blocks] == joined
    assert len([layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]) == 94


def test_sides_are_those_of_the_paper_and_features_the_same_twice(weights: Path) -> None:
    network, sides = inception_of(weights), []
    for name in ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5b", "Mixed_6a", "Mixed_7a"):
        block = network.get_submodule(name)
        block.register_forward_hook(lambda _, __, maps: sides.append(maps.shape[-1]))
    grey = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    features = network(grey)
    assert sides == [149, 147, 71, 35, 17, 8] and features.shape == (2, 2048)
    assert not network.training and float(features.std()) > 1e-3
    alone: Tensor = network(grey[1:].expand(-1, 3, -1, -1))
    torch.testing.assert_close(alone[0], features[1], rtol=1e-4, atol=1e-5)


def test_an_attack_tells_its_distances_beside_the_weights(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = blobs(6)
    desk = Desk(tmp_path, centred(data), data)
    monkeypatch.setattr(launching, "REFERENCE", 3)
    monkeypatch.setenv("FEINT_DATA", str(weights.parent))
    chosen = Attack(epsilon=0.3, n=2, doubts=False, features="inception")
    chosen.suits(data)
    metrics, events = done(chosen.work(desk))
    told = [
        metrics[f"{kind}_inception_{which}"] for kind in ("fid", "kid") for which in ("attacked", "clean")
    ]
    assert np.isfinite(told).all() and min(told[:2]) > 0 and len(metrics["inception_weights"]) == 12
    assert "fid_attacked" not in metrics, "the victim is no classifier"
    network, adversarial = inception_of(weights), torch.from_numpy(desk.arrays["images"]["adversarial"])
    rows = [network(pictures).numpy() for pictures in (adversarial.view(2, 1, 3, 4), _trained_on(desk))]
    assert fid(*rows) == pytest.approx(told[0], rel=1e-3)


def _trained_on(desk: Desk) -> Tensor:
    judge = launching.Judge(desk.model(), desk.data, "cpu")
    return judge.clean(judge.choose(3, 0, "train"))[0]


def test_who_has_no_weights_or_others_is_told_in_a_sentence(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    wanted, data = Attack(features="inception"), blobs(6)
    with pytest.raises(DataMissing, match="there is no inception_v3.safetensors in .* timm/inception_v3"):
        wanted.suits(data)
    other = tmp_path / "other.safetensors"
    for state, words in (
        ({"fc.weight": torch.zeros(2)}, "it lacks Conv2d_1a_3x3.conv.weight"),
        (
            {"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 1, 3, 3)},
            r"\(32, 1, 3, 3\) in place of \(32, 3, 3, 3\)",
        ),
    ):
        save_file(state, other)
        with pytest.raises(DataError, match=words):
            Attack(features="inception", inception=str(other)).suits(data)
    other.write_bytes(b"no such thing")
    with pytest.raises(DataError, match="it cannot be read as such"):
        inception_of(other)
    with pytest.raises(SettingsError, match="are of pictures"):
        Attack(features="inception", inception=str(weights)).suits(blobs(6, shape=(12,)))


def test_runs_without_them_keep_their_keys_and_a_study_names_its_features() -> None:
    assert not {"features", "inception"} & (Attack().values() | Table5().values()).keys()
    study = Table5(features="inception")
    assert "features of Inception v3" in study.protocol_in_full
    first = study.cases()[0]
    assert set(first.measured) == {"fid_inception_attacked", "kid_inception_attacked"}
    assert first.attacking is not None and first.attacking.changes["features"] == "inception"
