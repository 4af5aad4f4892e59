"""The kinds of runs by name."""

from engine.errors import RunBroken, UnknownName
from engine.runs.attacking import Attack
from engine.runs.pairs import Pairs
from engine.runs.placing import Place
from engine.runs.spec import Action, Spec
from engine.runs.studying import Study
from engine.runs.sweeping import Sweep
from engine.runs.training import Train

ACTIONS: dict[str, type[Action]] = {
    action.name: action for action in (Train, Attack, Sweep, Pairs, Place, Study)
}


def action_class(name: str) -> type[Action]:
    """The action called `name`. Raises UnknownName."""
    if name not in ACTIONS:
        raise UnknownName("action", name, list(ACTIONS))
    return ACTIONS[name]


def action_of(spec: Spec) -> Action:
    """The action with the settings of a spec. Raises RunBroken where its method has another version
    by now.
    """
    action = action_class(spec.action)(**spec.settings)
    if version_of(action) != spec.version:
        raise RunBroken(
            f"The run {spec.key} was made by version {spec.version} of {spec.name}, this Feint has"
            f" {version_of(action)}; start it anew."
        )
    return action


def version_of(action: Action) -> int:
    """The number in a spec that rises when the action, or anything that it trains or launches, raises its
    own.
    """
    return action.version + sum(part.version - 1 for part in action.parts())
