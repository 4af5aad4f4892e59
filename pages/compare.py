"""Compare: two to four models under attack, side by side under one handle."""

from app.address import fetching, layout
from app.attack import subject
from app.compare import choose, disagree, first, ladders, measures
from app.explain import explain
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Compare", "compare_arrows", 35

layout.page_head(
    _("Which one holds where the other flips?"),
    _(
        "One sample, one ε, one handle: drag it, and every slot moves. Let go, and the table counts the same"
        " 100 samples in each."
    ),
)
left, look = layout.choose_and_look()
with left:
    chosen = choose.choose()
    first_sample = first.sample([slot.victim for slot in chosen], [slot.threat for slot in chosen])
    sample, way, own = subject.choose(chosen[0].victim, first_sample)
with look:
    subject.show(way, own)
    for slot in chosen:
        subject.require_label(slot.threat.objective, own)
    asked = subject.asked(sample, own)
    one = ladders.answers(chosen, asked)
    level = ladders.show(chosen, one)
    epsilon = measures.rounded(one[0].levels[level])
    with fetching.aside():
        many = measures.answers(chosen, epsilon)
        measures.show(chosen, one, many, epsilon)
        disagree.show(chosen, many, sample if own is None else None)
    disagree.elsewhere(chosen, sample, epsilon)
explain(*dict.fromkeys(("model", slot.victim.run.spec.name) for slot in chosen))
commands = [
    text
    for slot, answer in zip(chosen, one, strict=True)
    for text in (
        reproduce.one_sample(
            measures.wanted(slot, epsilon),
            slot.threat.ladder(slot.victim.run.key, asked),
            epsilon,
            own.key if own else "",
        )["Command line"],
        reproduce.command(measures.wanted(slot, epsilon)),
    )
]
layout.page_foot({"Command line": "\n".join(commands)})
