"""What the Multi-view page shows beside a ladder: attackers, locks, agreement, what each view says alone, its
map, matrices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.address import connection, links
from app.forms import choose_model as models
from app.forms.choose_model import Victim
from app.runs import progress, wanted
from app.runs.record import Record
from engine.asking import legacy as answers
from engine.asking.answers import Answer
from engine.asking.questions import AttackChoice, Axis, LadderQuestion, ObjectiveChoice
from engine.store.run import Run
from engine.store.store import DONE, LIVE
from engine.store.wanted import Wanted

ATTACKERS = {"pgd": "PGD", "strong": "Generator, strong", "released": "Generator, as released"}
PRESET = {"strong": None, "released": "as_released"}
PROTOCOLS = {
    "transductive": "the half it is scored on (as released)",
    "inductive": "the other half, on which the model was trained",
}
FITTED_AT = 0.3
FIRST, LEVELS = 9, 65
"""Levels of the ladder that is shown first where the network is slow, and of the one that is filled in."""
SMALL = 256
"""Numbers in a sample up to which a whole ladder takes no longer than a short one."""


@dataclass(frozen=True)
class Threat:
    """Who attacks: PGD with its settings, or the run of a fitted generator; and which views it may
    not touch.
    """

    attacker: str
    steps: int
    seed: int
    locked: tuple[int, ...]
    fitted: Run | None
    protocol: str = "transductive"

    def question(self, model: str, sample: int, count: int) -> LadderQuestion:
        """The question of its ladder over ε."""
        settings = {"steps": self.steps} if self.fitted is None and self.steps != 20 else {}
        return LadderQuestion(
            model=model,
            sample=sample,
            attack=AttackChoice(
                name="pgd" if self.fitted is None else "mv_gan",
                settings=settings,
                fitted=() if self.fitted is None else (self.fitted.key,),
            ),
            objective=ObjectiveChoice(name="mv_disrupt"),
            axis=Axis.of_epsilon(levels=count),
            locked=self.locked,
            seed=self.seed,
        )

    @property
    def understates(self) -> bool:
        """Whether a lock is put on generators that were fitted together without it."""
        return self.fitted is not None and tuple(self.fitted.spec.settings["locked"]) != self.locked


def choose_model() -> Victim:
    """A model that sees several views; one of another kind in the address is a choice for other pages."""
    asked = st.session_state["address"].get("model")
    if asked in connection.models() and asked not in connection.models(ability="fuses"):
        links.forget("model")
    return models.choose_model("fuses")


def locks() -> tuple[int, ...]:
    """The views that the address says are locked."""
    return tuple(sorted({int(part) for part in links.value("locked", "").split(",") if part.isdigit()}))


def choose_threat(victim: Victim) -> Threat | None:
    """Attacker, locks and its settings; None while the generator that was asked for is not fitted."""
    attacker = st.selectbox(
        "Attacker",
        list(ATTACKERS),
        key=links.key("attacker", "pgd", lambda name: name in ATTACKERS),
        format_func=ATTACKERS.__getitem__,
        help=(
            "PGD searches for each sample by itself. A generator is trained once and "
            "then answers at once; as released it starts saturated and is far weaker."
        ),
    )
    views = int(victim.overview.json["views"])
    locked = st.pills(
        "Locked views",
        range(views),
        default=[view for view in locks() if view < views],
        selection_mode="multi",
        format_func=lambda view: f"View {view + 1}",
        key=f"locks/{victim.run.key}",
        help="A locked view stays as it is: what can an attacker do who holds the others alone?",
    )
    links.put("locked", ",".join(map(str, sorted(locked))))
    if len(locked) == views:
        st.error("Every view is locked, which leaves nothing to attack. Unlock one.")
        return None
    held = tuple(sorted(int(view) for view in locked))
    if attacker == "pgd":
        steps = int(
            st.slider(
                "T, steps",
                1,
                100,
                key=links.key("steps", 20, lambda number: 1 <= number <= 100),
                help="Gradient steps.",
            )
        )
        seed = int(
            st.number_input(
                "Seed",
                0,
                9999,
                key=links.key("seed", 0, lambda number: 0 <= number <= 9999),
                help="Of the random start.",
            )
        )
        return Threat("pgd", steps, seed, held, None)
    protocol = st.selectbox(
        "Fitted on",
        list(PROTOCOLS),
        key=links.key("protocol", "transductive", lambda name: name in PROTOCOLS),
        format_func=PROTOCOLS.__getitem__,
        help="Transductive: generators have seen the samples they are scored on. Inductive: they have not.",
    )
    own = generator(victim.run, attacker, held, protocol)
    run = own if own is not None and own.status() in DONE else generator(victim.run, attacker, (), protocol)
    ready = run is not None and run.status() in DONE
    if own is None or own.status() not in (*DONE, *LIVE):
        _fit(victim, attacker, held, protocol, ready)
    return Threat(attacker, 0, 0, held, run, protocol) if ready else None


def generator(
    model: Run, attacker: str, locked: Sequence[int] = (), protocol: str = "transductive"
) -> Run | None:
    """The run in which exactly this kind of generator was fitted to a model with these locks: a finished one,
    else one that goes on, else any.
    """
    return wanted.found(fitting(model, attacker, locked, protocol))


def fitting(model: Run, attacker: str, locked: Sequence[int], protocol: str) -> Wanted:
    """The fit of this kind of generator to a model with these locks."""
    changes = {
        "objective": "mv_disrupt",
        "epsilon": FITTED_AT,
        "half": "second",
        "n": None,
        "locked": list(locked),
        "protocol": protocol,
    }
    return Wanted("attack", "mv_gan", model.spec.data, 0, PRESET[attacker], changes, {"model": model.key})


def _fit(victim: Victim, attacker: str, locks: tuple[int, ...], protocol: str, joint: bool) -> None:
    """The button that fits a generator, as a run of its own; `joint`: whether those fitted without the lock
    are shown meanwhile.
    """
    if joint:
        st.caption(
            "Shown are generators that were fitted together, without this lock. Fit them with the lock, or"
            " use PGD, for what one view allows."
        )
    wanted.wanted_or_button(
        fitting(victim.run, attacker, locks, protocol),
        "Fit generators" + (" with this lock" if locks else ""),
        icon=":material/model_training:",
        width="stretch",
    )


def watch_fitting(model: Run, attacker: str, locks: tuple[int, ...], protocol: str) -> None:
    """Progress and pictures of a generator that is being fitted; nothing where none is."""
    run = generator(model, attacker, locks, protocol) if attacker in PRESET else None
    if run is not None:
        wanted.finished(run, "Fit generators", beside=_so_far)


def _so_far(run: Run, record: Record) -> None:
    """What a generator that is being fitted does by now."""
    table = record.evaluations()
    if len(table):
        last = table.iloc[-1]
        acc = f"; their ACC is {last['acc_attacked']:.3f}" if "acc_attacked" in last else ""
        st.markdown(f"So far it flips **{last['flip_rate']:.0%}** of the samples that are watched{acc}.")
    progress.newest_picture(run, record, "adversarials")


def ready(victim: Victim, question: LadderQuestion) -> bool:
    """Whether the whole ladder can be asked for at once: it is there, or the images are small."""
    return victim.overview.json["size"] <= SMALL or answers.kept(question) is not None


def level_in(answer: Answer, step: int) -> int:
    """The level of a ladder for the address's step, which counts those of the whole one."""
    return step if step < 0 else round(step * (len(answer.json["levels"]) - 1) / (LEVELS - 1))


def level_out(answer: Answer, level: int) -> int:
    """The address's step for a level."""
    return round(level * (LEVELS - 1) / (len(answer.json["levels"]) - 1))


def labelled(threat: Threat) -> None:
    """What the ladder of a generator is, and what it is not."""
    if threat.fitted is not None:
        fitted = threat.fitted.spec.settings
        st.caption(
            f"One generator, fitted at ε = {fitted['epsilon']:g} ({fitted['attack_settings']['protocol']}),"
            " clamped at each ε. The curve of ACC against ε, on Curves and Defend, fits one for each ε."
        )
    if threat.understates:
        st.warning(
            "The lock is put on generators that were fitted together: this understates what an attacker of"
            " one view can do."
        )


def attack_of(victim: Victim, threat: Threat) -> Wanted:
    """The attack of these choices over the half that was not trained on."""
    if threat.fitted is not None:
        return fitting(victim.run, threat.attacker, threat.fitted.spec.settings["locked"], threat.protocol)
    changes = {
        "objective": "mv_disrupt",
        "epsilon": FITTED_AT,
        "half": "second",
        "n": None,
        "locked": list(threat.locked),
        "steps": threat.steps,
    }
    return Wanted("attack", "pgd", None, threat.seed, None, changes, {"model": victim.run.key})
