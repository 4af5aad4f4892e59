"""The linear probe: a frozen encoder's run is its base, and labels of test rows are never seen."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import data as engine_data
from engine import device, registry
from engine.data.dataset import Dataset
from engine.device import How
from engine.errors import DataError, FeintError, SettingsError
from engine.events import Finished
from engine.models.linear_probe import LinearProbe, Probe, probe_of, standardised
from engine.models.protocols import abilities
from engine.models.state import State
from engine.objectives.misclassify import Misclassify
from engine.running import runner
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.running.training import Train
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import Wanted, found
from tests.engine.models.small import BASE, DATA, how, rng
from tests.engine.tiny import images

ENCODER = BASE | {"hidden": (16,)}
PROBE = {"steps": 40, "evaluate_every": 20}


@pytest.fixture
def one_thread() -> How:
    """The same arithmetic in every process."""
    return device.choose("cpu", "float32", 1)


def _state(settings: LinearProbe, seed: int = 0) -> State:
    state = settings.skeleton(DATA.views, 3, rng(seed), how())
    encoder = settings.reads().network(DATA.views.shapes, 3)
    for weight in encoder.parameters():
        with torch.no_grad():
            weight.normal_(generator=rng(seed + 1))
    settings.adopt(state, {"base": encoder})
    return state


def _labels() -> Tensor:
    return torch.from_numpy(DATA.labels)


def _done(spec: Spec, how_: How | None = None) -> Run:
    last = list(run(spec, how=how_))[-1]
    assert isinstance(last, Finished), last
    return Store().find(spec.key)


def test_it_learns_the_classes_and_leaves_the_encoder_bit_identical() -> None:
    settings = LinearProbe(encoder_settings=ENCODER, steps=200)
    state = _state(settings)
    before = {name: weight.clone() for name, weight in probe_of(state).encoder.state_dict().items()}
    events = list(settings.train_on_labels(state, DATA.views, _labels()))
    probe = probe_of(state)
    assert all(torch.equal(before[name], weight) for name, weight in probe.encoder.state_dict().items())
    assert (probe.logits(DATA.views.all()).argmax(1) == _labels()).float().mean() > 0.9
    losses = [event.values["cross_entropy"] for event in events]
    assert losses[-1] < losses[0] and events[-1].step == 200
    assert abilities(probe) == ["encodes", "classifies"]


def test_the_embedding_is_standardised_by_the_training_rows() -> None:
    probe = probe_of(_state(LinearProbe(encoder_settings=ENCODER)))
    z = standardised(probe, DATA.views)
    assert torch.allclose(z.mean(0), torch.zeros(z.shape[1]), atol=1e-5)
    spread = z.std(0, correction=0)
    assert torch.allclose(spread[probe.deviation != 1], torch.ones(1), atol=1e-4)
    assert torch.allclose(probe.logits(DATA.views.all()), probe.head(z), atol=1e-5)


def test_the_loss_is_the_mean_cross_entropy() -> None:
    settings = LinearProbe(encoder_settings=ENCODER, steps=1, evaluate_every=1, decay=0)
    state = _state(settings)
    z = standardised(probe_of(state), DATA.views)
    logits = probe_of(state).head(z).detach().numpy().astype(np.float64)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -log_p[np.arange(len(DATA)), DATA.labels].mean()
    (event,) = settings.train_on_labels(state, DATA.views, _labels())
    assert event.values["cross_entropy"] == pytest.approx(expected, rel=1e-5)


def test_a_resumed_probe_equals_an_unbroken_one() -> None:
    settings = LinearProbe(encoder_settings=ENCODER, steps=60, evaluate_every=20)
    whole = _state(settings)
    list(settings.train_on_labels(whole, DATA.views, _labels()))
    first = _state(settings)
    steps = settings.train_on_labels(first, DATA.views, _labels())
    next(steps)
    second = _state(settings, seed=5)
    second.model.load_state_dict(first.model.state_dict())
    second.restore(first.training_tensors(), first.counters)
    list(settings.train_on_labels(second, DATA.views, _labels()))
    assert all(
        torch.equal(one, other)
        for one, other in zip(whole.model.parameters(), second.model.parameters(), strict=True)
    )


def test_labels_and_samples_of_test_rows_are_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, Tensor]] = []

    def spy(self: LinearProbe, state: State, data: object, labels: Tensor) -> Iterator[object]:
        given.append((len(data), labels))  # type: ignore[arg-type]
        return iter(())

    monkeypatch.setattr(LinearProbe, "train_on_labels", spy)
    rows = np.arange(48)
    divided = replace(DATA, train=rows[rows % 4 < 3], test=rows[rows % 4 == 3])
    action = Train.choose("linear_probe", None, {"encoder_settings": ENCODER})
    settings = LinearProbe(encoder_settings=ENCODER)
    for data in (DATA, divided):
        list(action._steps(settings, _state(settings), data.views, data))
        count, labels = given.pop()
        assert count == len(labels) == len(data.rows("train"))
        assert (labels.numpy() == data.labels[data.rows("train")]).all()


def test_other_labels_of_the_test_rows_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(data: Dataset) -> dict[str, Tensor]:
        settings = LinearProbe(encoder_settings=ENCODER, **PROBE)
        state = _state(settings)
        action = Train.choose("linear_probe", None, {"encoder_settings": ENCODER})
        list(action._steps(settings, state, data.views, data))
        return state.model.state_dict()

    wrong = DATA.labels.copy()
    wrong[DATA.rows("test")] = (wrong[DATA.rows("test")] + 1) % 3
    one, other = trained(DATA), trained(replace(DATA, labels=wrong))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_unsupervised_methods_are_never_given_labels() -> None:
    unsupervised = [name for name in registry.names("model") if not registry.find("model", name).supervised]
    assert "linear_probe" not in unsupervised and len(unsupervised) > 10
    for name in unsupervised:
        assert "train_on_labels" not in vars(registry.find("model", name))


def test_its_base_is_that_very_run() -> None:
    spec = prepare("train", "linear_probe", models={"base": "digits/adec"}, changes=PROBE)
    adec = Store().find("digits/adec")
    assert spec.builds_on == {"base": adec.key} and spec.data == "digits"
    assert spec.settings["model_settings"]["encoder"] == "adec"
    assert spec.settings["model_settings"]["encoder_settings"] == adec.spec.settings["model_settings"]
    again = prepare(
        "train",
        "linear_probe",
        "digits",
        changes=PROBE | {"encoder": "adec", "encoder_settings": adec.spec.settings["model_settings"]},
    )
    assert again.key == spec.key, "naming the encoder finds the same run"
    other = prepare("train", "linear_probe", models={"base": "digits/adec"}, seed=3, changes=PROBE)
    assert other.builds_on == {"base": adec.key}, "that very run, whatever the probe's own seed"


def test_a_probe_is_trained_attacked_and_found(one_thread: How) -> None:
    spec = prepare("train", "linear_probe", models={"base": "digits/adec"}, changes=PROBE)
    this = _done(spec, one_thread)
    result = this.result()
    assert 0.8 < result["accuracy_test"] <= 1 and 0.8 < result["accuracy_train"] <= 1
    assert result["rows_used"] == "the first half, 898 of 1,797 samples"
    assert {"predicted", "label"} <= set(this.table()) and "acc" not in result
    model, encoder = load_model(this), load_model(Store().find("digits/adec"))
    assert isinstance(model, Probe)
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.encoder.state_dict().values(), encoder.state_dict().values(), strict=True)
    )
    rows = engine_data.load("digits").rows("test")
    table = this.table().iloc[rows]
    assert (table["predicted"] == table["label"]).mean() == pytest.approx(result["accuracy_test"])
    wanted = Wanted("train", "linear_probe", changes=PROBE, models={"base": "digits/adec"})
    assert (known := found(wanted, registry.catalogue(), Store())) is not None and known.key == this.key


@pytest.mark.parametrize(
    ("name", "data", "more", "says"),
    [
        ("ar_dmvc", "noisy_digits", {"models": {"base": "noisy_digits/comvc"}}, "makes its base itself"),
        ("linear_probe", None, {"models": {"base": "digits/conv_ae.attack"}}, "must be a run that trained"),
        ("linear_probe", "noisy_digits", {"models": {"base": "digits/adec"}}, "takes samples of shape"),
        ("linear_probe", "digits", {"changes": {"clusters": 7}}, "as many classes as the data have, 10"),
        ("linear_probe", "digits", {"changes": {"encoder": "nobody"}}, "No model is called 'nobody'"),
    ],
)
def test_wrong_choices_get_a_sentence(name: str, data: str | None, more: dict, says: str) -> None:
    with pytest.raises(FeintError, match=says):
        prepare("train", name, data, **more)


def test_data_without_labels_are_refused(tmp_path) -> None:
    np.savez(tmp_path / "own.npz", x=np.random.default_rng(0).normal(size=(60, 5)))
    with pytest.raises(DataError, match="learns from labels, and .* has none"):
        prepare("train", "linear_probe", str(tmp_path / "own.npz"))


def test_an_attack_takes_no_base() -> None:
    with pytest.raises(SettingsError, match="attack takes no base"):
        runner.prepare("attack", "pgd", models={"model": "digits/adec", "base": "digits/acai"})


def test_misclassify_is_the_margin_of_the_best_wrong_class() -> None:
    probe = probe_of(_state(LinearProbe(encoder_settings=ENCODER)))
    x, labels = images(5), torch.tensor([0, 1, 2, 0, 1])
    bound = Misclassify().bind(probe, x, labels)
    logits = probe.logits(x).detach()
    for row, label in enumerate(labels.tolist()):
        others = [float(logits[row, c]) for c in range(3) if c != label]
        assert float(bound(x.flat())[row].detach()) == pytest.approx(
            max(others) - float(logits[row, label]), abs=1e-6
        )
    wrong = bound(x.flat()) > 0
    assert torch.equal(wrong, logits.argmax(1) != labels)
    with pytest.raises(DataError, match="misclassify needs the samples' labels"):
        Misclassify().bind(probe, x)


def test_an_attack_on_classes_is_judged_by_them(one_thread: How) -> None:
    probe = _done(prepare("train", "linear_probe", models={"base": "digits/adec"}, changes=PROBE), one_thread)
    spec = prepare(
        "attack",
        "pgd",
        models={"model": probe.key},
        changes={"objective": "misclassify", "epsilon": 0.2, "n": 60, "half": "test", "steps": 5},
    )
    result = _done(spec, one_thread).result()
    assert result["accuracy_attacked"] < result["accuracy_clean"] <= 1
    assert result["success_rate"] > 0 and "flip_rate" not in result
    assert result["rows_used"] == "the second half, 899 of 1,797 samples, at most 60 of them"
    unseen = set(engine_data.load("digits").rows("test"))
    assert set(Store().find(spec.key).table()["id"]) <= unseen
