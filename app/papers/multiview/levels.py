"""A short ladder that is shown first where the network is slow, and the whole one that is filled in."""

from app.forms.choose_model import Victim
from app.forms.threat import Threat
from engine.asking import keeping
from engine.asking.questions import Axis, LadderQuestion

FIRST, LEVELS = 9, 65
"""Levels of the short ladder, and of the whole one."""
SMALL = 256
"""Numbers in a sample up to which a whole ladder takes no longer than a short one."""


def questions(victim: Victim, threat: Threat, sample: int) -> tuple[LadderQuestion, LadderQuestion]:
    """The ladder to show now, and the whole one: the same where that is there, or the images are small."""
    short, whole = (
        threat.ladder(victim.run.key, sample, Axis.of_epsilon(threat.norm, levels=count))
        for count in (FIRST, LEVELS)
    )
    at_once = victim.overview.size <= SMALL or keeping.kept(whole) is not None
    return (whole if at_once else short), whole
