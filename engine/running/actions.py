"""The kinds of runs by name."""

from engine import registry
from engine.errors import RunBroken
from engine.running.action import Action
from engine.store.spec import Spec


def action_class(name: str) -> type[Action]:
    """The action called `name`. Raises UnknownName."""
    owner: type[Action] = registry.find("action", name)
    return owner


def action_of(spec: Spec) -> Action:
    """The action with a spec's settings. Raises RunBroken where its method has another version by now."""
    action = action_class(spec.action)(**spec.settings)
    if version_of(action) != spec.version:
        raise RunBroken(
            f"The run {spec.key} was made by version {spec.version} of {spec.name}, this Feint has"
            f" {version_of(action)}; start it anew."
        )
    return action


def version_of(action: Action) -> int:
    """The number in a spec: it rises with that of the action, of all that it trains or launches, and of what
    these are made of.
    """
    return 1 + sum(part.full_version() - 1 for part in (type(action), *action.parts()))
