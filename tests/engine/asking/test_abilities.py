"""Every question about a model that can do but one thing is answered with what there is."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.asking import attacked, case, controls, embedding_ladder, keeping, maps, rest, victims, views
from engine.asking.answers import LadderAnswer, OverviewAnswer
from engine.asking.computing import compute
from engine.asking.questions import (
    Axis,
    ControlsQuestion,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    SampleQuestion,
    UmapQuestion,
    ViewsQuestion,
)
from engine.asking.victims import Victim
from engine.data.views import Views
from engine.errors import AbilityError
from engine.store import catalogue
from tests.engine.tiny import (
    Tiny,
    TinyAutoencoder,
    TinyClassifier,
    TinyEncoder,
    TinySorter,
    blobs,
    centred,
)

WRONG_CLASS = ObjectiveChoice(name="misclassify")
MOVE = ObjectiveChoice(name="move_embedding")
BLUR = ObjectiveChoice(name="raise_reconstruction")
LEAVE = ObjectiveChoice(name="leave_cluster")


@dataclass(frozen=True)
class Kind:
    """A model of one ability, an objective that it can be attacked for, and whether that can be reached."""

    model: nn.Module
    objective: ObjectiveChoice
    reachable: bool
    groups: bool
    encodes: bool = False
    reconstructs: bool = False


KINDS = {
    "classifies": Kind(TinyClassifier(), WRONG_CLASS, True, True),
    "clusters": Kind(TinySorter(), LEAVE, True, True),
    "encodes": Kind(TinyEncoder(), MOVE, False, False, encodes=True),
    "reconstructs": Kind(TinyAutoencoder(), BLUR, False, False, reconstructs=True),
    "all but classifying": Kind(centred(blobs()), LEAVE, True, True, encodes=True, reconstructs=True),
}


def victim(model: nn.Module, labelled: bool = True) -> Victim:
    """That model with the blobs."""
    run: Any = SimpleNamespace(key="0" * 16, name="tiny", spec=SimpleNamespace(name="linear_probe"))
    data = blobs(labelled=labelled)
    with torch.no_grad():
        z, log_groups = victims._at_rest(model, data.views.all())
    return Victim(run, model, data, "cpu", z, log_groups)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind of model, which every question is about."""
    found: Kind = request.param
    use(found.model, monkeypatch)
    return found


def use(model: nn.Module, monkeypatch: pytest.MonkeyPatch, labelled: bool = True) -> None:
    """Let every question be about a model."""
    there = victim(model, labelled)
    for module in (attacked, case, embedding_ladder, maps, rest, views):
        monkeypatch.setattr(module, "victim_of", lambda key: there)
    monkeypatch.setattr(catalogue, "version", lambda kind, name: 1)
    views.seen.cache_clear()


def ladder(kind: Kind, axis: Axis | None = None) -> LadderQuestion:
    return LadderQuestion(model="0", sample=4, objective=kind.objective, axis=axis or Axis(levels=5))


def there(answer: LadderAnswer | OverviewAnswer, *names: str) -> set[bool]:
    return {getattr(answer, name) is not None for name in names}


def test_a_model_at_rest_is_what_it_can_do(kind: Kind) -> None:
    found = compute(OverviewQuestion(model="0"))
    assert found.n == 60 and found.label is not None
    assert there(found, "group", "margin", "confidence", "grouping") == {kind.groups}
    assert (len(found.group_names), sum(found.sizes)) == ((3, 60) if kind.groups else (0, 0))
    assert there(found, "xy") == {kind.encodes}
    assert there(found, "medoids", "medoid_images") == {kind.groups and kind.encodes}


def test_a_classifier_has_its_classes_and_an_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    use(TinyClassifier(), monkeypatch)
    found = compute(OverviewQuestion(model="0"))
    assert found.grouping == "class" and found.group_names == ("a", "b", "c")
    assert found.matched_class == (0, 1, 2) and found.group is not None
    right = found.group == found.label
    for part in ("train", "test"):
        assert found.scores[f"accuracy_{part}"] == pytest.approx(float(right[blobs().rows(part)].mean()))
    assert "acc" not in found.scores


def test_what_sorts_without_labels_and_embedding_numbers_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    use(TinySorter(), monkeypatch, labelled=False)
    found = compute(OverviewQuestion(model="0"))
    assert found.group_names == ("cluster 0", "cluster 1", "cluster 2") and found.scores == {}
    climbed = compute(LadderQuestion(model="0", sample=4, axis=Axis(levels=3)))
    assert climbed.label is None and climbed.read_as is None


def test_a_ladder_says_what_there_is(kind: Kind) -> None:
    found = compute(ladder(kind))
    assert len(found.value) == 5 and found.value[-1] > found.value[0]
    assert there(found, "q", "q_clean", "noise_q", "own_group") == {kind.groups}
    assert there(found, "z", "xy", "near", "xy_clean") == {kind.encodes}
    assert there(found, "recon", "recon_clean") == {kind.reconstructs}
    assert there(found, "reached", "noise_reached") == {kind.reachable}
    assert there(found, "view_q", "agreement") == {False}
    if not kind.reachable:
        assert there(found, "first_reached", "epsilon_star") == {False}


def test_a_classifier_is_reached_where_its_class_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    model = TinyClassifier()
    use(model, monkeypatch)
    right = victim(model)
    assert right.group is not None and right.data.labels is not None
    sample = int(np.flatnonzero(right.group.numpy() == right.data.labels)[0])
    asked = LadderQuestion(model="0", sample=sample, objective=WRONG_CLASS, axis=Axis(top=1.0, levels=9))
    found = compute(asked)
    assert found.q is not None and found.reached is not None and not found.reached[0]
    assert found.reached.tolist() == (found.q.argmax(1) != found.label).tolist() and found.reached.any()
    assert found.epsilon_star is not None and found.first_reached is not None
    assert found.epsilon_star <= found.levels[found.first_reached]


def test_other_axes_are_climbed_too(kind: Kind) -> None:
    assert len(compute(ladder(kind, Axis.of_path(0.1))).value) == 21
    if kind.reconstructs:
        assert len(compute(ladder(kind, Axis.of_lambda(0.1, levels=3))).value) == 3


def test_controls_are_counted_by_the_objective(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "kept", lambda question: None)
    found = compute(ControlsQuestion(ladder=ladder(kind), level=4))
    assert len(found.rows) == (6 if kind.reachable else 0)
    assert all(row.n in (1, controls.DRAWS, controls.DRAWS // 2) for row in found.rows)


def test_one_sample_says_what_there_is(kind: Kind) -> None:
    found = compute(SampleQuestion(model="0", sample=4, objective=kind.objective))
    assert (found.q is not None, found.near is not None) == (kind.groups, kind.encodes)
    assert (found.recon is not None) == kind.reconstructs
    assert (found.near_group is not None) == (kind.groups and kind.encodes)
    stationary = kind.objective == MOVE
    assert (found.gradient is None) == stationary, "it has a gradient wherever its objective has one"


def test_an_objective_that_a_model_cannot_serve_gives_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    use(TinyEncoder(), monkeypatch)
    assert compute(SampleQuestion(model="0", sample=4)).gradient is None
    with pytest.raises(AbilityError, match="clusters"):
        compute(LadderQuestion(model="0", sample=4))


@pytest.mark.parametrize("question", [UmapQuestion, ViewsQuestion])
def test_what_needs_an_ability_says_so(question: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use(TinySorter(), monkeypatch)
    with pytest.raises(AbilityError, match="needs a model that (encodes|fuses)"):
        compute(question(model="0"))
    with pytest.raises(AbilityError, match="decodes"):
        compute(EmbeddingLadderQuestion(model="0", sample=4))


def test_attacked_samples_say_what_there_is(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    there = victim(kind.model)
    moved = there.data.views.all().flat()[:7] * 0.9
    rows = attacked.AttackedRows(there, torch.arange(7), moved, in_embedding=False)
    monkeypatch.setattr(attacked, "attacked_rows", lambda key: rows)
    found = attacked.attacked_samples(attacked.AttackedSamplesQuestion(run="0"))
    assert found.n == 7 and (found.q is not None) == kind.groups == (found.q_clean is not None)
    assert (found.xy is not None) == kind.encodes == (found.uncertain is not None) == (found.far is not None)
    assert (found.recon is not None) == kind.reconstructs


class Fusing(Tiny):
    """Fuses two views that are the whole sample both, and clusters."""

    def parts(self, x: Views) -> tuple[tuple[Tensor, ...], Tensor]:
        z = self.encode(x)
        return (z, z), z

    def view_weights(self) -> Tensor:
        return torch.tensor([0.25, 0.75])

    def log_assign_view(self, z: Tensor) -> Tensor:
        return (-torch.log1p((z[:, None] - self.centres).square().sum(2))).log_softmax(1)


def test_views_are_asked_by_what_fuses_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Fusing(), monkeypatch)
    found = compute(ViewsQuestion(model="0"))
    assert found.weights == (0.25, 0.75) and found.alone == (1.0, 1.0), "each view is the whole"
    assert found.agreement == pytest.approx(1) and found.agreement_of_strangers < 1


def test_views_of_a_model_that_does_not_cluster_have_no_say_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Fusing()
    monkeypatch.setattr(model, "log_assign_view", lambda z: None)
    use(model, monkeypatch)
    assert compute(ViewsQuestion(model="0")).alone == ()
