"""The three acts of robust clustering: the base attacked, defended under the same attack, attacked anew;
which runs they are and what they show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address import connection, links
from app.forms.choose_model import Victim, victim_of
from app.papers import stage
from app.runs import naming, progress, reproduce, wanted
from app.runs.record import Record
from engine.asking import legacy as answers
from engine.asking.answers import Answer
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE
from engine.store.wanted import Wanted

MODULES = ("conv_ae", "conv_ae_mie", "conv_ae_graph")
PRESET_FOR = {"digits": "quick", "mnist_test": "mini", "newsgroups4": "text", "reuters_r8": "text"}
PRESETS = {"quick": "quick", "mini": "mini", "text": "mini"}
"""Preset of a model -> that of an attack on it."""
KINDS: dict[str, dict[str, Any]] = {
    "affine": {},
    "ReLU": {"activation": "relu"},
    "for each sample": {"variant": "per_sample"},
}
"""What may be chosen of an attack -> its fields."""


@dataclass(frozen=True)
class Story:
    """A base with what was done to it: its attack, its defence, the same attack on the defended network, a
    fresh one; None where it is not there yet.
    """

    base: Run
    attack: Run | None
    defended: Run | None
    same: Run | None
    again: Run | None

    def acts(self) -> dict[str, Run | None]:
        """Act -> the run of its attack."""
        return {"base": self.attack, "same": self.same, "again": self.again}


def choose_base() -> Victim:
    """A base network, from the zoo or from own runs."""
    found = {name: run for name, run in connection.models().items() if run.spec.name in MODULES}
    if st.session_state["address"].get("model") not in (None, *found):
        links.forget("model")
    if not found:
        st.info("No base network is here yet. Train one under Train.")
        st.stop()
    default = "digits/conv_ae" if "digits/conv_ae" in found else next(iter(found))
    name = st.selectbox(
        "Base network",
        list(found),
        key=links.key("model", default, lambda name: name in found),
        format_func=lambda option: connection.model_title(option, found[option]),
        help="ConvAE alone, with mutual information, or with a graph.",
    )
    return victim_of(found[name], name)


def choose_story(victim: Victim) -> Story:
    """The attack and the defence that are looked at: the newest that were made for this base, or those of the
    zoo, unless others are chosen.
    """
    done = _done()
    attacks = {run.name: run for run in _attacks(victim.run.key, done) if "fitted" not in run.spec.builds_on}
    attack = _chosen(
        "Attack",
        attacks,
        "attacker",
        _attack_title,
        "Fitted to the base. ν weighs how much assignments shall disagree.",
    )
    defences = {
        run.name: run
        for run in done
        if run.spec.name == "latent_defence" and run.spec.builds_on.get("base") == victim.run.key
    }
    defended = _chosen(
        "Defence", defences, "run", _defence_title, "Trained from this base, against its own attack at one ν."
    )
    return story(victim.run, attack, defended, done)


def story(base: Run, attack: Run | None, defended: Run | None, done: Sequence[Run]) -> Story:
    """The story of a base, an attack on it and a defended network, from the runs that are done."""
    same = again = None
    if attack is not None and defended is not None:
        on = _attacks(defended.key, done)
        same = next((run for run in on if run.spec.builds_on.get("fitted") == attack.key), None)
        again = next(
            (run for run in on if "fitted" not in run.spec.builds_on and _how(run) == _how(attack)), None
        )
    return Story(base, attack, defended, same, again)


def _chosen(label: str, found: dict[str, Run], parameter: str, title: Any, help_: str) -> Run | None:
    if not found:
        return None
    name = st.selectbox(
        label,
        list(found),
        key=links.key(parameter, next(iter(found)), lambda option: option in found),
        format_func=lambda option: title(found[option]),
        help=help_,
    )
    return found[str(name)]


def _done() -> list[Run]:
    """Every finished run, the zoo's first: read once a rerun, for it looks into every folder."""
    shelf = connection.store()
    return [run for run in [*shelf.zoo().values(), *shelf.all()] if run.status() in DONE]


def _attacks(model: str, done: Sequence[Run]) -> list[Run]:
    """Attacks on the embedding of a model among the runs that are done, each once; those at the default ν
    first.
    """
    found: dict[str, Run] = {}
    for run in done:
        if run.spec.name == "latent_attack" and run.spec.builds_on.get("model") == model:
            found.setdefault(run.key, run)
    return sorted(
        found.values(), key=lambda run: run.spec.settings["objective_settings"].get("nu") is not None
    )


def _how(run: Run) -> tuple[Any, ...]:
    settings = run.spec.settings
    return settings["attack_settings"], settings["objective_settings"]


def _attack_title(run: Run) -> str:
    settings = run.spec.settings["attack_settings"]
    kind = (
        "for each sample alone"
        if settings["variant"] == "per_sample"
        else "ReLU"
        if settings["activation"] == "relu"
        else "affine"
    )
    return f"ν = {run.result().get('nu', 0):g} · {kind} · flips {run.result().get('flip_rate', 0):.0%}"


def _defence_title(run: Run) -> str:
    settings = naming.settings(run.spec)
    arm = {
        "information": "mutual information",
        "consistency": "consistency",
        "control": "control: equal steps, no defence",
    }[settings["variant"]]
    return f"{arm}{', the attack learns on' if settings['attack_steps'] else ''} · {settings['steps']} steps"


def missing(victim: Victim, told: Story) -> None:
    """A button for the next act that is not there yet, or the progress of the run that makes it."""
    after = _next(victim, told)
    if after is not None:
        wanted.wanted_or_button(*after, beside=_so_far)


def _so_far(run: Run, record: Record) -> None:
    progress.newest_picture(run, record, "decoded")


def _next(victim: Victim, told: Story) -> tuple[Wanted, str] | None:
    """What comes next, and its words; None where every act is there."""
    if told.attack is None:
        return attack_on(victim.run, victim.run), "Fit the attack"
    if told.defended is None:
        return defence_of(victim.run), "Train the defence"
    if told.same is None:
        return same_attack(told.defended, told.attack), "Attack the defended network in the same way"
    if told.again is None:
        return attack_on(told.defended, victim.run, told.attack), "Attack the defended network anew"
    return None


def attack_on(network: Run, base: Run, like: Run | None = None) -> Wanted:
    """An attack fitted to a network of a base, as another one was where that is given."""
    spec, changes = network.spec, {"objective": "flip_and_keep", "n": 1000}
    models, preset = {"model": network.key}, PRESETS.get(preset_of(base) or "")
    if like is not None:
        settings = like.spec.settings
        changes |= {name: settings[name] for name in ("attack_settings", "objective_settings")}
        preset = None
    return Wanted("attack", "latent_attack", spec.data, base.spec.seed, preset, changes, models)


def same_attack(network: Run, attack: Run) -> Wanted:
    """An attack that was fitted already, on another network."""
    models = {"model": network.key, "fitted": attack.key}
    return Wanted("attack", "latent_attack", network.spec.data, network.spec.seed, None, {"n": 1000}, models)


def preset_of(run: Run) -> str | None:
    """The preset that fits the data of a base."""
    return PRESET_FOR.get(run.spec.data)


def defence_of(base: Run) -> Wanted:
    """The training of a defence that begins from this very base."""
    settings = dict(naming.settings(base.spec))
    modules = {name: settings.pop(name) for name in ("mie", "graph") if name in settings}
    changes = {"module": base.spec.name, "base": settings} | modules
    spec = base.spec
    return Wanted("train", "latent_defence", spec.data, spec.seed, preset_of(base), changes)


def fit(choose: DeltaGenerator, look: DeltaGenerator) -> None:
    """An attack of one's own: on any network that decodes, with any ν, watched while it is fitted."""
    found = connection.models(ability="decodes")
    with choose:
        first = "digits/conv_ae" if "digits/conv_ae" in found else next(iter(found))
        name = str(
            st.selectbox(
                "Network",
                list(found),
                index=list(found).index(first),
                key="fit/model",
                format_func=lambda option: connection.model_title(option, found[option]),
            )
        )
        run = found[name]
        nu = st.number_input(
            "ν",
            0.0,
            10.0,
            None,
            step=0.001,
            format="%.4f",
            key="fit/nu",
            placeholder="as for the size of a sample",
            help=(
                "Weight of the disagreement, in the paper's units: 1,000 times as much on the mean over"
                " samples. Left empty: 0.01 for 8x8 images, 0.04 for 28x28 as published, in proportion for"
                " larger samples."
            ),
        )
        kind = str(
            st.selectbox(
                "Perturbation",
                list(KINDS),
                key="fit/kind",
                help="Affine, as released; with ReLU between its layers; or found for each sample by itself.",
            )
        )
        seed = int(st.number_input("Seed", 0, 9999, 0, key="fit/seed"))
        preset = PRESETS.get(PRESET_FOR.get(run.spec.data, ""))
        changes = {"objective": "flip_and_keep", "n": 1000} | KINDS[kind]
        if nu is not None:
            changes |= {"objective_settings": {"nu": nu}}
        models = {"model": run.key}
        wish = Wanted("attack", "latent_attack", run.spec.data, seed, preset, changes, models)
        fitted = wanted.found(wish)
        if fitted is None:
            wanted.wanted_or_button(wish, "Fit", width="stretch")
    with look:
        if fitted is None:
            st.info(
                "Press Fit; on digits it takes five seconds. What it reached comes here.",
                icon=":material/model_training:",
            )
            return
        done = wanted.finished(fitted, "Fit the attack", beside=_so_far)
        act = stage.read(done) if done is not None else None
        if act is not None:
            st.subheader(_attack_title(act.run), anchor=False)
            stage.scores(act)
            left, right = st.columns(2, gap="medium")
            with left:
                stage.arrows(act, stage.samples(act, int(act.table["id"].iloc[0]))[0], "fit")
            with right:
                stage.flow(act, "fit")


def sentence(told: Story) -> str | None:
    """What the three acts amount to, in a line."""
    if told.attack is None or told.same is None or told.again is None:
        return None
    first, same, again = (run.result()["flip_rate"] for run in (told.attack, told.same, told.again))
    held = (
        "The defence holds against the attack it has seen"
        if same < first / 2
        else "The defence does not hold even against the attack it has seen"
    )
    again_wins = f"{'but' if same < first / 2 else 'and'} a fresh attack of the same weight wins again"
    anew = (
        "and against a fresh one"
        if again < first / 2
        else again_wins
        if again >= 0.8 * first
        else "and takes something from a fresh one"
    )
    chance = told.same.result()["noise_flip_rate"]
    no_more = (
        f", no more than a random direction of that length: {chance:.1%}" if same <= 1.2 * chance else ""
    )
    return f"{held} (flips **{first:.1%} → {same:.1%}**{no_more}), {anew} (**{again:.1%}**)."


def over_nu(model: Run) -> list[Run]:
    """The affine attacks that were fitted to a model, one for each ν, rising."""
    found: dict[float, Run] = {}
    for run in _attacks(model.key, _done()):
        settings = run.spec.settings["attack_settings"]
        if "fitted" not in run.spec.builds_on and (settings["variant"], settings["activation"]) == (
            "amortised",
            "none",
        ):
            found.setdefault(run.result()["nu"], run)
    return [found[nu] for nu in sorted(found)]


def ladder_question(model: Run, sample: int, size: int, fitted: Sequence[Run]) -> dict[str, Any]:
    """The question of a ladder over ν: δ for this sample alone, or that of fitted attacks."""
    return answers.nu_question(model.key, sample, size, [run.key for run in fitted])


def takeaway(answer: Answer) -> None:
    """From which ν on the sample is in another cluster, beside a random direction of the same length."""
    said = answer.json
    name, flip = said["cluster_names"][said["cluster_own"]], said["flip"]
    found = (
        f"first leaves it at **ν = {said['levels'][flip]:.3g}**"
        if flip is not None
        else f"stays there up to ν = {said['levels'][-1]:g}"
    )
    st.markdown(
        f"It is in cluster **{name}** and {found}; a random direction of the same length leaves it at"
        f" {said['noise_flips']} of {len(said['levels'])} levels."
    )


def pair(answer: Answer, level: int) -> None:
    """How alike the two decoded pictures are, against how well the network decodes at all."""
    said = answer.json
    read_clean, read_moved = said["read_as"][0], said["read_as"][level]
    words = (
        ""
        if read_moved is None
        else (
            f" A 5-nearest-neighbour look at the pictures reads **{read_clean}** before and **{read_moved}**"
            " after."
        )
    )
    st.caption(
        f"At ν = {said['levels'][level]:.3g} the decoded picture changes by {said['shift_mse'][level]:.4f}"
        f" (mean square); its own error is {said['error_mse']:.4f}. ‖δ‖/‖z‖ ="
        f" {said['ratio'][level]:.3f}.{words}"
    )


def runs_of(victim: Victim, told: Story) -> list[Spec | Wanted]:
    """The four runs of the three acts: as they were made, or as they would be."""
    attack = told.attack.spec if told.attack is not None else attack_on(victim.run, victim.run)
    defended = told.defended.spec if told.defended is not None else defence_of(victim.run)
    if told.attack is None or told.defended is None:
        return [attack, defended]
    same, again = told.same, told.again
    return [
        attack,
        defended,
        same.spec if same is not None else same_attack(told.defended, told.attack),
        again.spec if again is not None else attack_on(told.defended, victim.run, told.attack),
    ]


def reproduce_ladder(question: dict[str, Any]) -> dict[str, str]:
    """The ladder over ν in Python."""
    return reproduce.answer(answers.typed(question))
