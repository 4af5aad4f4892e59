"""What a model says of samples, encoded once where that is enough: on every model of digits in the zoo."""

import pytest
import torch

from engine.asking.victims import victim_of
from engine.models.outputs import embedding_and_groups, outputs
from engine.models.protocols import Clusters, Encodes, Reconstructs
from engine.store.store import ZOO, Store

DIGITS = [
    name
    for name, run in Store(ZOO).zoo().items()
    if run.spec.action == "train" and run.spec.data in ("digits", "noisy_digits")
]


@pytest.mark.parametrize("name", DIGITS)
def test_samples_are_encoded_once_and_the_answers_are_those_of_each_ability(name: str) -> None:
    victim = victim_of(Store().find(name).key)
    model, some = victim.model, victim.rows(range(64))
    with torch.no_grad():
        z, log_q = embedding_and_groups(model, some)
        if isinstance(model, Encodes):
            assert z is not None and torch.equal(z, model.encode(some))
        if isinstance(model, Clusters):
            assert log_q is not None and torch.equal(log_q, model.log_assign(some))
        said = outputs(model, some).reconstruction
        if isinstance(model, Reconstructs):
            assert said is not None and torch.equal(said, model.reconstruct(some).float())
    whole, every = victim.outputs_at_rest(), victim.data.views.all()
    anew = victim.outputs_of(every, victim.labels_of(range(len(victim.data))))
    assert dict(whole.given()).keys() == dict(anew.given()).keys()
    for field, value in anew.given():
        assert torch.equal(dict(whole.given())[field], value), field


def test_a_model_of_several_views_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = victim_of(Store().find("noisy_digits/comvc").key).model, []
    some = victim_of(Store().find("noisy_digits/comvc").key).rows(range(8))
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda x: (calls.append(1), encode(x))[1])
    outputs(model, some)
    assert len(calls) == 1
