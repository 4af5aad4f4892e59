"""Abilities: asked for by their protocol, with one sentence where they lack; and all that a model says."""

import pytest
import torch
from torch import nn

from engine.errors import AbilityError
from engine.models.outputs import Outputs, outputs
from engine.models.protocols import Clusters, Encodes, abilities, require
from tests.engine.tiny import Tiny, TinyAutoencoder, TinyClassifier, TinyDecoding, TinyEncoder, images


def test_require_gives_the_model_back() -> None:
    model = Tiny()
    assert require(model, Clusters, "pairs") is model


def test_require_says_who_asks_what_is_missing_and_what_is_there() -> None:
    with pytest.raises(AbilityError) as found:
        require(TinyEncoder(), Clusters, "pairs")
    assert str(found.value) == (
        "pairs needs a model that clusters; this one (TinyEncoder) has: encodes. Choose another model."
    )
    with pytest.raises(AbilityError, match="has: no ability"):
        require(nn.Identity(), Encodes, "A map")


def test_abilities_are_those_of_the_protocols() -> None:
    assert abilities(TinyDecoding()) == ["encodes", "clusters", "reconstructs", "fuses", "decodes"]
    assert abilities(TinyClassifier()) == ["classifies"]


def test_outputs_asks_every_ability_and_no_other() -> None:
    model, x = Tiny(), images(5)
    said = outputs(model, x, torch.arange(5))
    assert torch.equal(said.x, x.flat())
    assert said.log_q is not None and torch.equal(said.log_q, model.log_assign(x))
    assert said.z is not None and torch.equal(said.z, model.encode(x))
    assert said.reconstruction is not None and torch.equal(said.reconstruction, model.reconstruct(x))
    assert said.logits is None and said.predicted is None
    assert said.labels is not None and said.labels.tolist() == [0, 1, 2, 3, 4]
    assert outputs(TinyEncoder(), x).groups is None
    assert outputs(TinyAutoencoder(), x).group is None


def test_outputs_in_blocks_are_those_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x = images(7)
    whole = outputs(Tiny(), x)
    monkeypatch.setattr("engine.models.outputs.BLOCK", 3)
    parts = outputs(Tiny(), x)
    assert whole.z is not None and parts.z is not None and parts.cluster is not None
    torch.testing.assert_close(parts.z, whole.z)
    assert torch.equal(parts.cluster, whole.cluster)


def test_groups_are_clusters_before_classes() -> None:
    log_q, logits = torch.tensor([[-0.1, -2.4]]), torch.tensor([[0.0, 1.0, 3.0]])
    both = Outputs(x=torch.zeros(1, 2), log_q=log_q, logits=logits)
    assert both.groups is log_q
    assert (both.group, both.predicted) == (torch.tensor([0]), torch.tensor([2]))
    classes = Outputs(x=torch.zeros(1, 2), logits=logits)
    assert classes.cluster is None and classes.groups is not None
    torch.testing.assert_close(classes.groups.exp().sum(1), torch.ones(1))
    assert classes.group == torch.tensor([2])


def test_rows_repeat_everything_that_is_said() -> None:
    said = outputs(Tiny(), images(3), torch.tensor([5, 6, 7]))
    twice = said.rows(torch.tensor([2, 2, 0]))
    assert twice.labels is not None and twice.labels.tolist() == [7, 7, 5]
    assert twice.log_q is not None and said.log_q is not None
    assert torch.equal(twice.log_q, said.log_q[[2, 2, 0]])
    assert twice.logits is None
