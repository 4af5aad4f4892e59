"""The left column of every page that trains: data, method, settings, seed, and the button that begins."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.address import connection, house, links, notices, offered
from app.forms import data_sets, fields, in_address, settings_form
from app.forms.choose_model import default_model
from app.runs import naming, reading, rows, wanted
from app.runs.record import duration
from app.train import arms, base
from app.words import _, n_
from engine.errors import FeintError
from engine.store.reproduce import nearest_preset
from engine.store.run import Run
from engine.store.store import DONE
from engine.store.wanted import Wanted

Entry = Mapping[str, Any]
SCORES = 2
"""Numbers that say what a preset reached, at most."""


def choose_data(sets: Mapping[str, Entry], default: str) -> tuple[str, bool]:
    """A data set of these, and whether it can be used now; what has to be said of it stands below."""
    data = str(
        st.selectbox(
            _("Data"),
            list(sets),
            key=links.key("data", default, lambda name: name in sets, _("a data set of this list")),
            on_change=_other_data,
            format_func=lambda name: offered.called(sets[name]),
        )
    )
    return data, data_sets.about(sets[data])


def _other_data() -> None:
    """What was chosen on other pages means nothing on these data; the runs of this one stay."""
    if not links.left("p_data"):
        links.forget(*(name for name in house.OF_DATA if name != "run"))
        house.follow(str(st.session_state["p_data"]))


def trains_on(entry: Entry, card: Entry) -> bool:
    """Whether a method can take a data set: one that fuses views needs several."""
    return "fuses" not in entry["abilities"] or card.get("views", 1) > 1


def choose_method(names: Sequence[str], first: str = "", label: str = "") -> Entry:
    """A method of these, as its catalogue entry, at first the one named; that its training sees labels is
    said below.
    """
    models = connection.catalogue()["model"]
    name = str(
        st.selectbox(
            label or _("Method"),
            names,
            key=links.key("method", first or names[0], lambda one: one in names),
            format_func=lambda one: _(models[one]["title"]),
            help="\n\n".join(f"**{_(models[one]['title'])}**: {_(models[one]['summary'])}" for one in names),
        )
    )
    if models[name]["supervised"]:
        st.badge(_("trained with labels"), icon=":material/label:", color="orange")
    entry: Entry = models[name]
    return entry


def suggested(names: Sequence[str], card: Entry | None = None) -> str:
    """The method that a form begins with: that of the model shown first everywhere, else the last arm of the
    first method's comparison, else the first. On data of one's own the quickest of its family.
    """
    models = connection.catalogue()["model"]
    if card is not None and card.get("own") and (quickest := _quickest(names)):
        return quickest
    first = connection.store().zoo().get(default_model())
    compared = [arm["model"] for arm in arms.of(models[names[0]]) if not arm["changes"]]
    wanted = [first.spec.name] if first else []
    return next(name for name in (*wanted, *reversed(compared), *names) if name in names)


def _quickest(names: Sequence[str]) -> str:
    """Of the family of the model shown first everywhere, the method that ships with the shortest training and
    stands on no other; "" where none ships.
    """
    store, models = connection.store(), connection.catalogue()["model"]
    first = store.zoo().get(default_model())
    took = {
        run.spec.name: float(run.result().get("seconds", 0))
        for run in store.query(action="train", name=names, status="zoo")
        if first is not None
        and run.spec.data == first.spec.data
        and not run.spec.builds_on
        and models[run.spec.name]["family"] == models[first.spec.name]["family"]
    }
    return min(took, key=took.__getitem__, default="")


def adopt(names: Sequence[str]) -> None:
    """A link that holds one run and no method fills the form with what that run was trained with. Not with
    the seed of one that ships: it would only be shown again.
    """
    if len(names) != 1 or st.session_state.get("train/adopted") == names[0] or not reading.readable(names[0]):
        return
    st.session_state["train/adopted"] = names[0]
    run = connection.store().find(names[0])
    entry = connection.catalogue()["model"].get(run.spec.name)
    if "method" in st.query_params or run.spec.action != "train" or entry is None:
        return
    preset, changes = nearest_preset(entry, naming.settings(run.spec))
    said = {"data": run.spec.data, "method": run.spec.name, "preset": preset or ""}
    for name, value in (said | {"settings": in_address.text_of(changes)}).items():
        links.put(name, value)
    if not run.zoo:
        links.put("seed", run.spec.seed)


def preset_for(entry: Entry, data: str) -> str | None:
    """The preset that is meant for a data set, for tables of one's own that for other tables; else the first;
    None where there are none.
    """
    sets = connection.catalogue()["data"]
    fitting = entry["fits"].get(data)
    if sets.get(data, {}).get("own") and len(sets[data]["shape"]) == 1:
        shapes = {preset: sets.get(other, {}).get("shape", ()) for other, preset in entry["fits"].items()}
        fitting = next((preset for preset, shape in shapes.items() if len(shape) == 1), None)
    return fitting if fitting in entry["presets"] else next(iter(entry["presets"]), None)


def settings(entry: Entry, data: str, key: str) -> settings_form.Choice:
    """The settings of a method, with what its presets took and reached where they were measured."""
    figures = measured(entry, data)
    _fit(entry, data)
    choice = settings_form.choose(
        entry,
        key=key,
        preset=preset_for(entry, data),
        fold=True,
        about=about(figures),
        parameter="settings",
    )
    if choice["preset"] in figures and not choice["changes"]:
        st.caption(expected(figures[choice["preset"]]))
    return choice


PASSES = 300
"""Through all samples of one's own, in a first training."""


def _fit(entry: Entry, data: str) -> None:
    """Once for a method on data of one's own, where no link says other settings: no batch is larger than half
    of few samples, since some methods train on one half, in whole multiples where its field takes no others;
    and no more iterations than go so often through all of them, or few large pictures would take an hour.
    """
    card, asked = connection.catalogue()["data"].get(data, {}), f"{data}/{entry['name']}"
    pending = in_address.brought("settings", st.session_state.get("written/settings"))
    if not card.get("own") or pending or st.session_state.get("train/fitted") == asked:
        return
    st.session_state["train/fitted"] = asked
    values = fields.merged(entry["defaults"], entry["presets"].get(preset_for(entry, data), {}))
    samples, flat = int(card["samples"]), dict(fields.flat(values))
    knobs = {
        knob.path: knob for knob in fields.leaves(fields.knobs(entry)) if isinstance(flat[knob.path], int)
    }
    changes = {
        path: _at_most(knob, samples // 2)
        for path, knob in knobs.items()
        if path.split(".")[-1] == "batch" and flat[path] > samples // 2
    }
    for path in [path for path in knobs if path.split(".")[-1] == "iterations"]:
        batch = path.removesuffix("iterations") + "batch"
        enough = PASSES * samples // changes.get(batch, flat[batch])
        if flat[path] > enough:
            changes[path] = enough
    if changes:
        links.put("settings", in_address.text_of(changes))


def _at_most(knob: fields.Knob, most: int) -> int:
    """The largest number that a field takes and that is no larger than `most`; at least its smallest."""
    multiple = int(knob.multiple or 1)
    return max(most // multiple * multiple, int(knob.low or 1))


def seed() -> int:
    """Of weights, batches and k-means. The first one offered is 1: what was trained with seed 0 ships with
    Feint, and would only be shown.
    """
    key = links.key("seed", 1, lambda number: 0 <= number <= 9999)
    return int(st.number_input(_("Seed"), 0, 9999, key=key, help=_("Of weights, batches and k-means.")))


def begin(entry: Entry, data: str, key: str, usable: bool, compare: bool = False) -> None:
    """Settings, seed, and the button of a method's training, with `compare` one for all its arms too; what is
    begun becomes the run of this page.
    """
    choice = settings(entry, data, key)
    starts, number = base.choose(entry, data, choice), seed()
    wrong = choice["sentence"] is not None or not usable
    alone = st.button(
        _("Train"), type="primary", icon=":material/play_arrow:", width="stretch", disabled=wrong
    )
    every = arms.of(entry) if compare else []
    together = len(every) > 1 and st.button(
        arms.words(entry),
        icon=":material/stacked_line_chart:",
        width="stretch",
        disabled=wrong,
        help=_("{arms}: on the same data, seed and base.").format(arms=", ".join(map(arms.title, every))),
    )
    if alone or together:
        _start(arms.chosen(entry, choice) if together else [choice], data, number, starts)


def _start(
    choices: Sequence[settings_form.Choice], data: str, number: int, starts: Mapping[str, str]
) -> None:
    """Begin these trainings, and show them; nothing is shown where one was refused."""
    runs = [
        wanted.begin(
            Wanted("train", choice["name"], data, number, choice["preset"], choice["changes"], starts)
        )
        for choice in choices
    ]
    made = [run.name for run in runs if run is not None]
    if len(made) < len(choices):
        return
    shipped = [naming.title(run.spec) for run in runs if run is not None and run.zoo]
    if shipped:
        said = n_(
            "{names} ships with Feint as trained with this seed, and that is shown: for a live training"
            " choose another seed.",
            "{names} ship with Feint as trained with this seed, and that is shown: for a live training choose"
            " another seed.",
            len(shipped),
        )
        notices.notice(said.format(names=_(" and ").join(shipped)))
    links.put("run", ",".join(made))
    st.session_state["train/adopted"] = ",".join(made)
    st.rerun()


def measured(entry: Mapping[str, Any], data: str) -> dict[str, dict[str, Any]]:
    """Preset -> the result of a run that was made with it on this data set: one's own first, then the zoo's.

    With it come `here`, whether it was made on this machine, and `seed`.
    """
    done = connection.store().query(action="train", name=entry["name"], data=data, status=DONE)
    runs = sorted(done, key=lambda run: bool(run.zoo))
    found: dict[str, dict[str, Any]] = {}
    for preset in entry["presets"]:
        wanted = dict(fields.flat(fields.merged(entry["defaults"], entry["presets"][preset])))
        same = next((run for run in runs if dict(fields.flat(naming.settings(run.spec))) == wanted), None)
        if same and (result := same.result()):
            found[preset] = result | {
                "here": not same.zoo,
                "seed": same.spec.seed,
                "base_seconds": _base_seconds(same, entry),
            }
    return found


def _base_seconds(run: Run, entry: Entry) -> float:
    """How long the base of a run took; 0 where it has none or starts from one that ships, or where that is
    not known.
    """
    try:
        started = connection.store().find(run.spec.builds_on["base"])
    except (KeyError, FeintError):
        return 0.0
    return 0.0 if started.zoo and base.takes_one(entry) else float(started.result().get("seconds", 0))


def about(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Preset -> how long it took, for its button."""
    return {
        preset: (_("about {time} here") if result["here"] else _("about {time}")).format(
            time=duration(result["seconds"] + result["base_seconds"])
        )
        for preset, result in figures.items()
        if "seconds" in result
    }


def expected(result: Mapping[str, Any]) -> str:
    """What a preset reached when it was measured, in the first numbers of its kind of model."""
    reached = [*rows.of_model(result)[:SCORES], duration(result["seconds"])]
    if result["base_seconds"]:
        base = _("{time} for its base, which is trained once").format(time=duration(result["base_seconds"]))
        reached.append(_("and {base}").format(base=base))
    said = (
        _("Measured on this machine, seed {seed}: {reached}.")
        if result["here"]
        else _("Measured when the zoo was made, seed {seed}: {reached}.")
    )
    return said.format(seed=result["seed"], reached=", ".join(reached))
