"""From choices to a spec: every choice is checked before a run begins."""

from collections.abc import Mapping
from typing import Any

from engine import data as engine_data
from engine import registry
from engine.data.dataset import Dataset
from engine.errors import SettingsError
from engine.models.protocols import check_declared
from engine.running.action import Action
from engine.running.actions import action_class, version_of
from engine.running.ingredients import check_ingredient, of_ingredients
from engine.running.models import check_shapes
from engine.store import checkpoint
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import BASE, EXTRACTOR, WITH, appended, base_changes, flag_of

MODEL = "model"
"""The role, in `Spec.builds_on`, of the run whose model is attacked."""


def prepare(
    action: str,
    name: str,
    data: str | None = None,
    *,
    seed: int = 0,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    store: Store | None = None,
) -> Spec:
    """The spec of an action on the registered `name` ("train" "adec", "attack" "pgd"), checked, with the keys
    it builds on.

    `data` is a registered name or a file, by default that of the first of `models` (role -> key or zoo name
    of a finished run; the model under attack may be a training that is not finished); `changes` are dotted
    settings on top of the `preset`. Raises a FeintError with one sentence for every wrong choice.
    """
    if not 0 <= seed < 2**31:
        raise SettingsError(f"seed must be a whole number from 0 to {2**31 - 1}; got {seed}.")
    store, changes, models = store or Store(), dict(changes or {}), dict(models or {})
    if WITH in models:
        models = appended(models[WITH]) | {role: run for role, run in models.items() if role != WITH}
    fitted = {"fitted": _usable(store.find(models.pop("fitted")))} if "fitted" in models else {}
    if fitted:  # it comes with its objective
        changes = {"objective": fitted["fitted"].spec.settings.get("objective", "leave_cluster")} | changes
    if BASE in models:  # the settings say what it is
        changes = _on_base(action, name, _usable(store.find(models[BASE])), data) | changes
    chosen = action_class(action).choose(name, preset, changes)
    if MODEL in models:  # a training that is not finished is taken as it stands
        models[MODEL] = store.as_it_is(store.find(models[MODEL])).key
    builds_on = {role: _usable(store.find(model)) for role, model in models.items()} | fitted
    if data == "" or (data is None and not builds_on):
        raise SettingsError(f"{action} {name} needs data: a name or a file.")
    loaded = engine_data.load(data) if data else _data_of(next(iter(builds_on.values())))
    if fitted:
        chosen = chosen.like(fitted["fitted"].spec, changes)
    chosen.suits(loaded)
    _check(chosen, loaded, builds_on)
    return spec_of(chosen, loaded, seed, {role: run.key for role, run in builds_on.items()})


def _data_of(run: Run) -> Dataset:
    return engine_data.load(run.spec.data, fingerprint=run.spec.fingerprint)


def _check(action: Action, data: Dataset, builds_on: Mapping[str, Run]) -> None:
    """Raises a FeintError where these runs cannot be built on with these data."""
    for run in of_ingredients(builds_on):
        action.takes(WITH)
        check_ingredient(run, data, action.trained_on)
    if action.about == "attack" or MODEL in builds_on:
        _check_model(action, builds_on.get(MODEL))
    if EXTRACTOR in builds_on:
        action.takes(EXTRACTOR)
        _check_extractor(builds_on[EXTRACTOR], data)
        attack = action.subject()
        if getattr(attack, "space", "pixels") != "pixels":
            raise SettingsError(
                f"{attack.name} moves the embedding and takes no extractor; got"
                f" {builds_on[EXTRACTOR].name}. Leave it out: FID and KID are of attacked samples."
            )
    judged = (run for role, run in builds_on.items() if role != EXTRACTOR)
    for run in (run for run in judged if run.spec.action == "train"):
        action.check(check_shapes(run, data.views, data.name).clusters)


def _check_model(action: Action, model: Run | None) -> None:
    """Raises SettingsError where that run holds no model, AbilityError where its model lacks an ability."""
    if model is None:
        raise SettingsError(
            f"{action.name} needs a trained model; got none. Give a training run or a zoo name."
        )
    if model.spec.action != "train":
        raise SettingsError(
            f"model must be a run that trained a model; {model.name} is a run of {model.spec.action}"
            f" {model.spec.name}. Choose a training run or a zoo name."
        )
    declared = registry.find("model", model.spec.name).abilities
    for wanted_by, needs in action.needs_of_model():
        check_declared(declared, needs, wanted_by, f"{model.name} ({model.spec.name})")


def _check_extractor(run: Run, data: Dataset) -> None:
    """Raises SettingsError where that run trained no classifier, DataError where it sees other shapes."""
    classifies = run.spec.action == "train" and {"classifies", "encodes"} <= {
        *registry.find("model", run.spec.name).abilities
    }
    if not classifies:
        raise SettingsError(
            f"extractor must be a run that trained a classifier; {run.name} is a run of {run.spec.action}"
            f" {run.spec.name}. Choose one, for example digits/classifier, or leave it out."
        )
    check_shapes(run, data.views, data.name)


def _on_base(action: str, name: str, base: Run, data: str | None) -> dict[str, Any]:
    """What the settings of a run on that base are. Raises SettingsError where it takes none."""
    action_class(action).takes(BASE)
    method = registry.find("model", name)
    fields = method.base_fields
    if not fields:
        raise SettingsError(f"{name} makes its base itself, from its own settings; leave base out.")
    if base.spec.action != "train":
        raise SettingsError(
            f"base must be a run that trained a model; {base.name} is a run of {base.spec.action}"
            f" {base.spec.name}. Choose a training run or a zoo name."
        )
    own = None if "model" in fields else method().bases()[BASE].name
    if own not in (None, base.spec.name):
        raise SettingsError(
            f"{name} begins from a trained {own}; {base.name} is a trained {base.spec.name}. Choose a run of"
            f" {own}, or leave base out, and one is trained first."
        )
    changes = base_changes(fields, base.spec)
    if "clusters" in fields and data not in (None, base.spec.data):  # as many as its own data have
        version = registry.find("model", base.spec.name).version
        changes[fields["clusters"]] = checkpoint.read_header(base.folder, version).clusters
    return changes


def spec_of(action: Action, data: Dataset, seed: int, builds_on: Mapping[str, str]) -> Spec:
    known = dict(builds_on)
    for role, base in action.bases().items():
        known[role] = builds_on.get(role) or spec_of(base, data, seed, below(action, role, known)).key
    return Spec(
        action=action.name,
        name=action.subject().name,
        settings=action.values(),
        data=data.name,
        fingerprint=data.fingerprint,
        seed=seed,
        builds_on=known,
        version=version_of(action),
    )


def below(action: Action, role: str, known: Mapping[str, str]) -> dict[str, str]:
    """What the base under that role builds on itself: its own role -> key, of the keys `known` by role."""
    stands = action.stands_on(role)
    same = {inner: known[outer] for inner, outer in stands.items() if outer in known}
    return same | {inner: key for inner, key in known.items() if WITH in stands and flag_of(inner) == WITH}


def _usable(run: Run) -> Run:
    if run.status() not in ("finished", "zoo"):
        raise SettingsError(
            f"The run {run.name} is {run.status()}; only a finished one can be built on. Let it finish, or"
            " choose another."
        )
    return run
