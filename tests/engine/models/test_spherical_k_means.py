"""Spherical k-means on a frozen encoder: it encodes, clusters and compares, for any number of clusters."""

import pytest
import torch
import torch.nn.functional as F

from engine.errors import AbilityError, DataError, FeintError, SettingsError
from engine.models.protocols import abilities
from engine.models.spherical_k_means import FrozenDirected, SphericalKMeans
from engine.models.state import State
from tests.engine.models.small import BASE, DATA, how, rng
from tests.engine.tiny import TinySorter

ENCODER = {"encoder": "acai", "encoder_settings": BASE | {"hidden": (16,)}, "encoder_clusters": 3}


def begun(clusters: int, seed: int = 0) -> tuple[SphericalKMeans, State]:
    """A state on an encoder with random weights."""
    settings = SphericalKMeans(**ENCODER)
    state = settings.skeleton(DATA.views, clusters, rng(seed), how())
    base = settings.reads().network(DATA.views.shapes, 3)
    for weight in base.parameters():
        with torch.no_grad():
            weight.normal_(generator=rng(7))
    settings.adopt(state, {"base": base})
    return settings, state


@pytest.mark.parametrize("clusters", [2, 9])
def test_it_sorts_by_direction_and_leaves_the_encoder_as_it_is(clusters: int) -> None:
    settings, state = begun(clusters)
    before = {name: value.clone() for name, value in state.model.encoder.state_dict().items()}
    (event,) = settings.train(state, DATA.views)
    model, x = state.model.eval(), DATA.views.all()
    assert isinstance(model, FrozenDirected) and abilities(model) == ["encodes", "clusters", "compares"]
    assert all(torch.equal(before[name], value) for name, value in model.encoder.state_dict().items())
    assert torch.allclose(model.centroids().norm(dim=1), torch.ones(clusters), atol=1e-5)
    cosines = F.cosine_similarity(model.encode(x)[:, None], model.centroids()[None], dim=2)
    log_q = model.log_assign(x)
    assert torch.allclose(log_q, (cosines / 0.1).log_softmax(1), atol=1e-4)
    assert torch.equal(log_q.argmax(1).bincount(minlength=clusters) > 0, torch.ones(clusters).bool())
    assert event.values["cosine"] == pytest.approx(float(cosines.amax(1).mean()), abs=1e-5)
    assert list(settings.train(state, DATA.views)) == [], "there is nothing to resume"


def test_wrong_choices_get_a_sentence() -> None:
    settings, state = begun(3)
    with pytest.raises(DataError, match="no more than there are samples, here 48; got 49"):
        list(settings.train(begun(49)[1], DATA.views))
    with pytest.raises(SettingsError, match="Say its own number as encoder_clusters"):
        settings.adopt(state, {"base": settings.reads().network(DATA.views.shapes, 5)})
    with pytest.raises(FeintError, match="No model is called 'nobody'"):
        SphericalKMeans(encoder="nobody")
    with pytest.raises(AbilityError, match="needs a model that encodes"):
        FrozenDirected(TinySorter(), 4, 3).encode(DATA.views.all())
