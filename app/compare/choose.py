"""The slots: which models under which attacks are held against one another, all on the same data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from app.address import connection, house, links, notices
from app.compare import first, trained
from app.forms import possible
from app.forms.choose_model import Victim, victim_of
from app.forms.choose_threat import choose_seed
from app.forms.threat import NORMS, Threat
from app.words import _
from engine.asking.questions import Norm
from engine.store.run import Run

LETTERS = "ABCD"
BETWEEN, INSIDE = "|", "~"
"""What stands in the address between slots, and between the parts of one."""

Runs = Mapping[str, Run]


@dataclass(frozen=True)
class Choice:
    """A slot as the address has it."""

    model: str
    attack: str = "pgd"
    """Its registered name, or the run in which one was trained on the model."""
    steps: int = 20

    def __str__(self) -> str:
        return INSIDE.join((self.model, self.attack, str(self.steps)))


@dataclass(frozen=True)
class Slot:
    """A slot: its letter, the model, and what it is attacked with."""

    letter: str
    victim: Victim
    threat: Threat
    shares_objective: bool = True

    @property
    def name(self) -> str:
        """What it is called beside the others."""
        steps = self.threat.settings.get("steps")
        attack = _(possible.title("attack", self.threat.attack)) + (f", T = {steps}" if steps else "")
        if self.threat.fitted:
            attack = trained.title(connection.store().find(self.threat.fitted))
        run = self.victim.run
        aim = "" if self.shares_objective else f" · {_(possible.title('objective', self.threat.objective))}"
        return f"{connection.method_title(run.spec)}{connection.apart(self.victim.name, run)} · {attack}{aim}"


def choose() -> list[Slot]:
    """The slots as widgets. Stops the page with a sentence where no model can be attacked."""
    runs = {name: run for name, run in connection.models().items() if first.objectives(run)}
    if not runs:
        st.info(_("No trained model is here yet. Train one on the Train page; digits take a minute."))
        st.stop()
    chosen = _of_address(runs)
    links.show("slots", _text(chosen))
    data = _choose_data(runs, runs[chosen[0].model].spec.data)
    house.tell(data, "")
    here = {name: run for name, run in runs.items() if run.spec.data == data}
    objective = _choose_objective([here[one.model] for one in chosen])
    norm = _choose_norm()
    threats = [_choose_slot(place, chosen, here, objective, norm) for place in range(len(chosen))]
    if len(chosen) < len(LETTERS):
        st.button(_("Add a slot"), icon=":material/add:", on_click=_put, args=([*chosen, chosen[-1]],))
    trained.elsewhere([here[one.model] for one in chosen])
    seed = choose_seed()
    return [
        Slot(letter, victim_of(here[one.model], one.model), replace(threat, seed=seed), bool(objective))
        for letter, one, threat in zip(LETTERS, chosen, threats, strict=False)
    ]


def _of_address(runs: Runs) -> list[Choice]:
    """The slots of the address, those that can be shown; else an undefended and a defended model."""
    text = links.value("slots", "")
    found = [read for part in text.split(BETWEEN) if (read := _read(part, runs)) is not None][: len(LETTERS)]
    same = [one for one in found if runs[one.model].spec.data == runs[found[0].model].spec.data]
    if text and len(same) < len(text.split(BETWEEN)):
        told = _(
            "The link says slots={text}, of which not every one is a model of the same data that is here:"
            " what is left is shown."
        )
        notices.notice(told.format(text=text[:60]))
    return same if len(same) > 1 else _defaults(runs, house.data())


def _read(part: str, runs: Runs) -> Choice | None:
    model, attack, steps, *_ = (*part.split(INSIDE), "", "")
    if model not in runs:
        return None
    if attack not in possible.attacks(runs[model].spec.name, axis="epsilon") + [*trained.ready(runs[model])]:
        return None
    return Choice(model, attack, min(max(int(steps), 1), 100) if steps.isdigit() else Choice.steps)


def _defaults(runs: Runs, data: str) -> list[Choice]:
    """An undefended and a defended model of these data where there are; else two others, or one twice."""
    with_models = [run.spec.data for run in runs.values()]
    data = next(name for name in (data, house.ready(), with_models[0]) if name in with_models)
    here = [name for name, run in runs.items() if run.spec.data == data]
    names = first.pair({name: runs[name] for name in here}) or (here[0], here[min(1, len(here) - 1)])
    return [Choice(name) for name in names]


def _choose_data(runs: Runs, now: str) -> str:
    every = list(dict.fromkeys(run.spec.data for run in runs.values()))
    st.session_state["slots_data"] = now

    def turned() -> None:
        if links.left("slots_data"):
            return
        data = st.session_state["slots_data"]
        links.forget(*house.OF_DATA)
        _put(_defaults(runs, data))
        house.follow(data)

    return str(
        st.selectbox(_("Data"), every, key="slots_data", on_change=turned, format_func=connection.data_title)
    )


def _choose_objective(runs: Sequence[Run]) -> str:
    """One objective for all slots, or "" where none fits all of them, which is said."""
    every = [first.objectives(run) for run in runs]
    common = [name for name in every[0] if all(name in names for names in every[1:])]
    if not common:
        st.info(
            _(
                "These models have no objective in common, so each is asked its own: compare with care what"
                " is not the same question."
            )
        )
        return ""
    key = links.key("objective", first.usual(common), lambda name: name in common)
    return str(
        st.selectbox(
            _("Objective"),
            common,
            key=key,
            format_func=lambda name: _(possible.title("objective", name)),
            help=_("What the attacker wants of every model."),
        )
    )


def _choose_norm() -> Norm:
    norm = st.segmented_control(
        _("Norm"),
        list(NORMS),
        key=links.key("norm", "linf", lambda name: name in NORMS),
        format_func=lambda name: NORMS[name],  # type: ignore[index]
        required=True,
    )
    return "l2" if norm == "l2" else "linf"


def _choose_slot(place: int, chosen: Sequence[Choice], here: Runs, objective: str, norm: Norm) -> Threat:
    """One slot's model, attack and steps."""
    one, letter = chosen[place], LETTERS[place]
    run = here[one.model]
    wanted = objective or first.objectives(run)[0]
    attacks = [
        name
        for name in possible.attacks(run.spec.name, wanted, axis="epsilon")
        if norm in (possible.entry("attack", name).get("norms") or NORMS)
    ]
    fits = trained.ready(run, wanted, norm)
    attack = next(name for name in (one.attack, Choice.attack, *attacks) if name in (*attacks, *fits))
    keys = {field: f"slot_{field}_{place}" for field in ("model", "attack", "steps")}
    st.session_state.update({keys["model"]: one.model, keys["attack"]: attack, keys["steps"]: one.steps})

    def changed() -> None:
        now = Choice(**{field: st.session_state.get(key, getattr(one, field)) for field, key in keys.items()})
        if now.model != one.model and now.attack in fits:  # the same one, as it was trained on that model
            now = replace(now, attack=trained.same_on(here[now.model], fits[now.attack]) or Choice.attack)
        elif now.attack != attack:  # each attack's own usual number of steps
            now = replace(
                now, steps=int(possible.entry("attack", now.attack)["defaults"].get("steps", now.steps))
            )
        _put([*chosen[:place], now, *chosen[place + 1 :]])

    with st.container(border=True):
        st.selectbox(
            _("{letter}: model").format(letter=letter),
            list(here),
            key=keys["model"],
            on_change=changed,
            format_func=lambda name: (
                connection.method_title(here[name].spec) + connection.apart(name, here[name])
            ),
        )
        st.selectbox(
            _("{letter}: attack").format(letter=letter),
            [*attacks, *fits],
            key=keys["attack"],
            on_change=changed,
            format_func=lambda name: (
                trained.title(fits[name]) if name in fits else _(possible.title("attack", name))
            ),
        )
        if attack in fits:
            trained.explain(fits[attack])
        usual = possible.entry("attack", attack)["defaults"].get("steps")
        if usual is not None:
            label = _("{letter}: T, steps").format(letter=letter)
            st.number_input(label, 1, 100, key=keys["steps"], on_change=changed)
        if len(chosen) > 2:
            st.button(
                _("Remove {letter}").format(letter=letter),
                key=f"slot_remove_{place}",
                on_click=_put,
                args=([*chosen[:place], *chosen[place + 1 :]],),
            )
    if attack in fits:
        return Threat(fits[attack].spec.name, objective=wanted, norm=norm, fitted=fits[attack].key)
    settings = {"steps": one.steps} if usual not in (None, one.steps) else {}
    return Threat(attack, settings, wanted, norm=norm)


def _put(chosen: Sequence[Choice]) -> None:
    links.put("slots", _text(chosen))


def _text(chosen: Sequence[Choice]) -> str:
    return BETWEEN.join(map(str, chosen))
