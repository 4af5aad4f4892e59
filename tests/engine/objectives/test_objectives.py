"""Objectives: hand-worked margins, what is stationary at the clean sample, sums, and the sentences of wrong
choices.
"""

import json

import pytest
import torch
from torch import Tensor, nn

from engine import registry
from engine.attacks.minmax import MinMax
from engine.attacks.protocols import value_and_gradient
from engine.data.views import Views
from engine.errors import AbilityError, DataError, SettingsError, UnknownName
from engine.models.outputs import Outputs, margin
from engine.objectives import combine
from engine.objectives.go_to_cluster import GoToCluster
from engine.objectives.keep_reconstruction import KeepReconstruction
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.misclassify import Misclassify
from engine.objectives.misclassify_as import MisclassifyAs
from engine.objectives.move_embedding import MoveEmbedding
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.objectives.raise_reconstruction import RaiseReconstruction
from engine.objectives.reconstruction_change import ReconstructionChange
from engine.objectives.weighted_sum import WeightedSum
from tests.engine.tiny import SHAPE, SIZE, Tiny, TinyDecoding, images

NAMES = [
    name
    for name in registry.names("objective")
    if "contrasts" not in registry.find("objective", name).needs  # has a file of its own
]


class Table(nn.Module):
    """Says log q (n, 3) = the first three numbers of a sample, as they are."""

    def log_assign(self, x: Views) -> Tensor:
        return x.flat()[:, :3]


class Able(TinyDecoding):
    """Has every ability: what it clusters it classifies too."""

    def logits(self, x: Views) -> Tensor:
        return self.log_assign(x)

    def centroids(self) -> Tensor:
        return nn.functional.normalize(self.centres)

    def teacher(self, x: Views) -> Tensor:
        return self.encode(x)


def labels_of(clean: Views) -> Tensor:
    """A label for each sample."""
    return torch.arange(clean.n) % 3


def test_margin_by_hand() -> None:
    log_q = torch.tensor([[-1.0, -3.0, -2.0], [-1.0, -3.0, -2.0]])
    assert margin(log_q, torch.tensor([0, 1])).tolist() == [1.0, -2.0]


def test_leave_and_go_by_hand() -> None:
    clean = Views([torch.tensor([[-0.1, -2.0, -3.0, 0.0]])])
    moved = torch.tensor([[-1.0, -0.5, -2.0, 0.0]])
    leave = LeaveCluster().bind(Table(), clean)
    assert leave(clean.flat()).item() == pytest.approx(-1.9)  # cluster 0 leads the next by 1.9
    assert leave(moved).item() == pytest.approx(0.5)  # cluster 1 leads cluster 0 by 0.5
    assert GoToCluster(cluster=2).bind(Table(), clean)(moved).item() == pytest.approx(-1.5)


def test_leave_is_positive_exactly_where_the_cluster_changed() -> None:
    model, clean = Tiny(clusters=5), images(400)
    moved = images(400, seed=9).flat()
    changed = model.log_assign(clean).argmax(1) != model.log_assign(clean.like(moved)).argmax(1)
    assert 0 < changed.sum() < 400
    assert torch.equal(LeaveCluster().bind(model, clean)(moved) > 0, changed)
    assert torch.equal(
        GoToCluster(cluster=2).bind(model, clean)(moved) > 0,
        model.log_assign(clean.like(moved)).argmax(1) == 2,
    )


def test_a_certain_model_still_has_a_gradient() -> None:
    """In probabilities this margin would be flat: q of the other clusters is 0 in float32."""
    clean = Views([torch.tensor([[0.0, -200.0, -300.0]])])
    _, gradient = value_and_gradient(LeaveCluster().bind(Table(), clean), clean.flat())
    assert gradient.tolist() == [[-1.0, 1.0, 0.0]]


@pytest.mark.parametrize("name", NAMES)
def test_stationary_at_clean_is_what_the_gradient_says(name: str) -> None:
    settings, clean = registry.find("objective", name)(), images(6)
    objective = settings.bind(Able(), clean, labels_of(clean))
    value, gradient = value_and_gradient(
        objective, objective.z if settings.space == "embedding" else clean.flat()
    )
    assert value.shape == (6,)
    assert torch.isfinite(gradient).all()
    assert bool((gradient == 0).all()) == objective.stationary_at_clean


@pytest.mark.parametrize("name", NAMES)
def test_every_objective_keeps_rows_apart_and_its_settings_survive_json(name: str) -> None:
    owner = registry.find("objective", name)
    settings, clean, moved = owner(), images(4), images(4, seed=2).flat()
    model, labels = Able(), labels_of(clean)
    moved = (
        torch.randn(4, 4, generator=torch.Generator().manual_seed(2))
        if settings.space == "embedding"
        else moved
    )
    together = settings.bind(model, clean, labels)(moved)
    for row in range(4):
        alone = settings.bind(model, clean.rows(torch.tensor([row])), labels[row : row + 1])
        torch.testing.assert_close(alone(moved[row : row + 1])[0], together[row])
    again = owner(**json.loads(json.dumps(settings.values())))
    assert again == settings
    assert hash(again) == hash(settings)
    assert owner.source
    assert owner.title
    with pytest.raises(SettingsError, match="has no setting 'nonsense'"):
        owner(nonsense=1)


def test_distances_by_hand() -> None:
    model, clean, moved = Tiny(), images(3), images(3, seed=2).flat()
    views = clean.like(moved)
    torch.testing.assert_close(
        MoveEmbedding().bind(model, clean)(moved),
        (model.encode(views) - model.encode(clean)).norm(dim=1) ** 2,
    )
    shown = model.reconstruct(views)
    torch.testing.assert_close(
        RaiseReconstruction().bind(model, clean)(moved), ((shown - moved) ** 2).sum(1) / SIZE
    )
    torch.testing.assert_close(
        ReconstructionChange().bind(model, clean)(moved),
        ((shown - model.reconstruct(clean)) ** 2).sum(1) / SIZE,
    )


def test_combine_is_the_objective_minus_lambda_times_the_change() -> None:
    model, clean, moved = Tiny(), images(5), images(5, seed=2).flat()
    objective = combine("go_to_cluster", 3.0, {"cluster": 1}).bind(model, clean)
    expected = GoToCluster(cluster=1).bind(model, clean)(moved) - 3.0 * ReconstructionChange().bind(
        model, clean
    )(moved)
    torch.testing.assert_close(objective(moved), expected)
    assert not objective.stationary_at_clean
    assert combine("leave_cluster") == LeaveCluster()
    assert combine("move_embedding", 1.0).bind(model, clean).stationary_at_clean


def test_a_sum_ignores_parts_of_weight_zero_and_refuses_only_zeros() -> None:
    clean = images(2)
    kept = WeightedSum(parts=((2.0, {"name": "move_embedding"}), (0.0, {"name": "leave_cluster"}))).bind(
        Tiny(), clean
    )
    assert kept.stationary_at_clean
    with pytest.raises(SettingsError, match="only zeros"):
        WeightedSum(parts=((0.0, {"name": "leave_cluster"}),)).bind(Tiny(), clean)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: combine("leave_clustr"), UnknownName, "did you mean leave_cluster"),
        (lambda: combine("leave_clustr", 0.5), UnknownName, "did you mean leave_cluster"),
        (
            lambda: GoToCluster(cluster=-1),
            SettingsError,
            "go_to_cluster.cluster must be greater than or equal to 0; got -1",
        ),
        (
            lambda: GoToCluster(cluster=3).bind(Tiny(), images(1)),
            SettingsError,
            "between 0 and 2; got 3. This model has the clusters 0 to 2.",
        ),
        (lambda: LeaveCluster().bind(Tiny(clusters=1), images(1)), SettingsError, "at least 2 clusters"),
        (lambda: GoToCluster().bind(Tiny(clusters=1), images(1)), SettingsError, "nowhere to go"),
        (lambda: WeightedSum(parts=((1.0, {"cluster": 2}),)), SettingsError, "without a name"),
        (lambda: WeightedSum(parts=()), SettingsError, "parts"),
    ],
)
def test_wrong_choices_are_told_in_a_sentence(make: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as found:
        make()  # type: ignore[operator]
    assert said in str(found.value)


@pytest.mark.parametrize(
    "settings",
    [MoveEmbedding(), ReconstructionChange(), RaiseReconstruction(), combine("leave_cluster", 1.0)],
)
def test_a_model_without_the_ability_is_refused(settings: ObjectiveSettings) -> None:
    with pytest.raises(AbilityError, match="needs a model that"):
        settings.bind(Table(), Views([torch.rand(2, *SHAPE)]))


def said(cluster: list[int]) -> Outputs:
    """What a model with three clusters says of samples in these."""
    return Outputs(x=torch.zeros(len(cluster), 2), log_q=torch.eye(3)[cluster].log_softmax(1))


@pytest.mark.parametrize("name", ["leave_cluster", "flip_and_keep", "mv_disrupt"])
def test_another_cluster_is_reached_by_hand(name: str) -> None:
    settings, before, after = registry.find("objective", name)(), said([0, 1, 2]), said([0, 2, 1])
    assert settings.reached(before, after).tolist() == [False, True, True]
    assert settings.counted(before).tolist() == [True, True, True]
    assert settings.reached(Outputs(x=torch.zeros(3, 2)), Outputs(x=torch.zeros(3, 2))) is None


def test_a_target_is_reached_and_who_is_there_already_is_not_counted() -> None:
    settings, before, after = GoToCluster(cluster=1), said([0, 1, 2]), said([1, 1, 0])
    assert settings.reached(before, after).tolist() == [True, True, False]
    assert settings.counted(before).tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["move_embedding", "raise_reconstruction", "reconstruction_change"])
def test_a_distance_has_nothing_to_reach(name: str) -> None:
    settings = registry.find("objective", name)()
    assert settings.reached(said([0]), said([1])) is None
    assert settings.counted(said([0])) is None


def test_a_sum_asks_its_parts_of_positive_weight() -> None:
    before, after = said([0, 1, 2, 1]), said([1, 1, 0, 2])
    leave, change = {"name": "leave_cluster"}, {"name": "reconstruction_change"}
    go = {"name": "go_to_cluster", "cluster": 1}
    assert combine("leave_cluster", 2.0).reached(before, after).tolist() == [True, False, True, True]
    both = WeightedSum(parts=((1.0, leave), (2.0, go), (3.0, change)))
    assert both.reached(before, after).tolist() == [True, False, False, False]
    penalty = WeightedSum(parts=((-1.0, leave), (2.0, change)))
    assert penalty.reached(before, after) is None


class Right(ObjectiveSettings):
    """A stand-in for objectives about labels: larger where x' is nearer to its label."""

    needs_labels = True

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        return lambda flat: -(flat[:, 0] - labels).square()


def test_labels_reach_the_objectives_that_need_them() -> None:
    clean, labels = images(3), torch.tensor([0, 1, 2])
    assert Right().bind(Tiny(), clean, labels)(clean.flat()).tolist() == pytest.approx(
        (-(clean.flat()[:, 0] - labels).square()).tolist()
    )
    with pytest.raises(DataError, match="needs the samples' labels; got none"):
        Right().bind(Tiny(), clean)
    assert Right().asks_labels()
    assert not combine("leave_cluster", 1.0).asks_labels()


@pytest.mark.parametrize("name", NAMES)
def test_success_has_words_exactly_where_it_has_a_notion(name: str) -> None:
    owner, n = registry.find("objective", name), 3
    said = Outputs(
        x=torch.zeros(n, 2),
        log_q=torch.zeros(n, 4),
        z=torch.zeros(n, 2),
        reconstruction=torch.zeros(n, 2),
        logits=torch.zeros(n, 4),
        labels=torch.zeros(n, dtype=torch.long),
        contrast=torch.zeros(n),
    )
    assert (owner().reached(said, said) is not None) == bool(owner.success)
    assert "{target}" not in owner.success or owner.targeted
    owner.success.format(own="cluster 1", target="cluster 2")
    assert "0.5" in owner.effect.format(value=0.5)


@pytest.mark.parametrize("name", registry.names("objective"))
def test_the_catalogue_says_which_objectives_have_a_goal(name: str) -> None:
    owner = registry.find("objective", name)
    goal = registry.describe(owner)["has_goal"]
    without = (
        "move_embedding",
        "raise_reconstruction",
        "reconstruction_change",
        "leave_teacher",
    )
    assert goal == (name not in without), "those know when a sample is where they want it"
    assert goal == bool(owner.success), "words about success stand where there is success"


def test_whoever_says_what_is_reached_has_a_goal_with_or_without_words() -> None:
    class Wordless(LeaveCluster):
        success = ""

    assert registry.describe(Wordless)["has_goal"]


class Logits(nn.Module):
    """Says class logits (n, 3) = the first three numbers of a sample, as they are."""

    def logits(self, x: Views) -> Tensor:
        return x.flat()[:, :3]


def test_margins_of_classes_do_not_change_with_a_constant_on_all_logits() -> None:
    """Untargeted: met where the label is not the strict winner; targeted: where the wanted class is."""
    clean = images(200)
    moved, labels = images(200, seed=3).flat(), labels_of(clean)
    untargeted = Misclassify().bind(Logits(), clean, labels)
    winner = moved[:, :3].argmax(1)
    assert torch.equal(untargeted(moved) > 0, winner != labels)
    for wanted in range(3):
        targeted = MisclassifyAs(wanted=wanted).bind(Logits(), clean)
        assert torch.equal(targeted(moved) > 0, winner == wanted)
        torch.testing.assert_close(targeted(moved + 4), targeted(moved))
    torch.testing.assert_close(untargeted(moved + 4), untargeted(moved))


@pytest.mark.parametrize("margin_wanted", [0.0, 0.2])
def test_a_margin_is_met_where_the_best_other_class_leads_by_it(margin_wanted: float) -> None:
    """f ≤ 0 where the label is not ahead of the others by more than −κ."""
    clean = images(200)
    moved, labels = images(200, seed=3).flat(), labels_of(clean)
    judged = MinMax(margin=margin_wanted).judged(Misclassify().bind(Logits(), clean, labels), moved)
    own = moved[:, :3].gather(1, labels[:, None])[:, 0]
    other = moved[:, :3].scatter(1, labels[:, None], -torch.inf).amax(1)
    torch.testing.assert_close(judged.failing, own - other + margin_wanted)
    assert torch.equal(judged.met, other - own >= margin_wanted) and 0 < int(judged.met.sum()) < 200
    assert bool((judged.slope[judged.failing < 0] == 0).all())  # the gradient of f⁺


def test_a_class_that_is_not_there_is_said() -> None:
    with pytest.raises(SettingsError, match="wanted must be between 0 and 2; got 3"):
        MisclassifyAs(wanted=3).bind(Logits(), images(2))


def test_keeping_the_reconstruction_counts_what_moved_at_the_mark_too() -> None:
    x = torch.rand(4, SIZE, generator=torch.Generator().manual_seed(0))
    moved = x + torch.tensor([[0.0], [1e-5], [0.1], [0.1]])
    shown = torch.full_like(x, 0.5)
    after = Outputs(moved, reconstruction=shown + torch.tensor([[0.0], [0.0], [0.0], [5.0]]))
    reached = KeepReconstruction().reached(Outputs(x, reconstruction=shown), after)
    assert reached is not None and reached.tolist() == [False, False, True, False]
