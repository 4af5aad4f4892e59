"""`latent_defence`: the base network trained on, so that its perturbed code still tells the clean outputs,
and its clean code the perturbed ones.

    L = L_module + w · [ I(z', c) + I(z, c') ],   z' = m + A(x),  c = (x̂, y),  c' = (x̂', y'),  A frozen
    I(z, c) = −E [ log σ(T(z, c)) + log(1 − σ(T(z, c_π))) ],   one critic T, trained together with the network

Beside it: the control that trains as long without the second part; direct consistency, KL(y ‖ y') + ‖x̂ −
x̂'‖²; and the alternating form, in which the attack learns on too. Source: Yang, Deng, Wei, Yan and Liu,
"Adversarial learning for robust deep clustering", NeurIPS 2020 (as in its public code).
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from engine import registry
from engine.attacks.latent_attack import LatentAttack
from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.conv_ae import ConvAE
from engine.models.conv_ae_graph import GRAPH, Graph
from engine.models.conv_ae_mie import INFORMATION, MIE
from engine.models.declared import WEIGHTED_LOSSES, Arm, Curve, Family, Panel, Qualifier
from engine.models.forward_pass import ForwardPass, minibatch, vae_of
from engine.models.pace import Pace, descend, numbers
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.models.variational import MINI, QUICK, TEXT, health
from engine.nets.information import dependence, derangement
from engine.nets.layers import float32
from engine.nets.variational import ClusteringVAE, critic
from engine.objectives.flip_and_keep import FlipAndKeep
from engine.registry import register
from engine.settings import knob

Base = Literal["conv_ae", "conv_ae_mie", "conv_ae_graph"]
"""The networks that can be defended, by their registered names."""
HEALTHY = Panel(
    "health",
    "Is it healthy?",
    "Head gap: KL of C(m) from what the prior means imply. A critic at 0.5 gives the defence no signal.",
)


@register
class LatentDefence(ModelSettings):
    """Settings of the defence, of the base it begins from, and of the attack that it defends against."""

    name: ClassVar[str] = "latent_defence"
    title: ClassVar[str] = "Defended ConvAE"
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020"
    equation: ClassVar[str] = (
        r"L = L_{module} + w\,[\,I(z', (\hat x, y)) + I(z, (\hat x', y'))\,], \quad z' = m + A(x)"
    )
    summary: ClassVar[str] = (
        "A defence: perturbed and clean embedding must tell one another's outputs, against one fitted attack"
        " that stays as it is."
    )
    abilities: ClassVar[tuple[str, ...]] = ConvAE.abilities
    defends: ClassVar[bool] = True
    family: ClassVar[Family] = ConvAE.family
    curves: ClassVar[tuple[Curve, ...]] = (
        *ConvAE.curves,
        INFORMATION,
        GRAPH,
        Curve("perturbed_code", "I(perturbed embedding, clean outputs)"),
        Curve("clean_code", "I(embedding, perturbed outputs)"),
        Curve("assignments", "KL(y ‖ y')"),
        Curve("pictures", "change of pictures"),
        Curve("critic_accuracy", "accuracy of the critic", "share", "health"),
    )
    panels: ClassVar[tuple[Panel, ...]] = (WEIGHTED_LOSSES, HEALTHY)
    phases: ClassVar[Mapping[str, str]] = {"defence": "defending"}
    begins_from: ClassVar[tuple[str, ...]] = get_args(Base)
    fits: ClassVar[Mapping[str, str]] = ConvAE.fits
    compared_with: ClassVar[tuple[Arm, ...]] = (
        Arm("latent_defence"),
        Arm("latent_defence", {"variant": "consistency"}),
        Arm("latent_defence", {"variant": "control"}),
    )
    control: ClassVar[Arm | None] = Arm("latent_defence", {"variant": "control"})
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        Qualifier("module", " + MIE", "conv_ae_mie"),
        Qualifier("module", " + Graph", "conv_ae_graph"),
        Qualifier("variant", ", consistency", "consistency"),
        Qualifier("variant", ", control", "control"),
        Qualifier("attack_steps", ", alternating"),
    )
    presets = {
        name: {"base": base, "attack": attack, **small}
        for name, base, attack, small in (
            ("quick", QUICK, LatentAttack.presets["quick"], {"steps": 600, "batch": 256}),
            ("mini", MINI, LatentAttack.presets["mini"], {"steps": 200, "batch": 256}),
            ("text", TEXT, LatentAttack.presets["mini"], {"steps": 200, "batch": 256}),
        )
    }

    module: Base = knob(
        "conv_ae",
        "Base network",
        "Which of the three it begins from, and whose loss it goes on with.",
        source="the paper's tables",
    )
    base: ConvAE = knob(ConvAE(), "Base", "The network and its training.")
    mie: MIE = knob(MIE(), "Mutual information", "Of the base conv_ae_mie.")
    graph: Graph = knob(Graph(), "Graph", "Of the base conv_ae_graph.")
    attack: LatentAttack = knob(LatentAttack(), "Attack", "The attack that is fitted to the base first.")
    nu: float | None = knob(
        None,
        "Weight of the attack's disagreement",
        "Of that attack, in the paper's units. None: 0.04 for 28x28 images, 0.01 for 8x8.",
        symbol="ν",
        source="the public code; Feint for small images",
        ge=0,
        le=100,
    )
    variant: Literal["information", "consistency", "control"] = knob(
        "information",
        "Defence",
        "information: as published; consistency: clean and perturbed outputs are drawn together directly; "
        "control: as many steps of the base's own loss and nothing else.",
        source="the paper (information)",
    )
    weight: float = knob(
        2.5,
        "Weight of the defence",
        "Beside the base's own loss.",
        symbol="w",
        source="the public code",
        ge=0,
        le=1000,
    )
    steps: int = knob(
        2000,
        "Steps",
        "Of the defence. The public code: at most 50,000.",
        source="Feint",
        ge=1,
        le=1_000_000,
        log=True,
    )
    batch: int = knob(
        1000,
        "Batch size",
        "Samples a step, without replacement; all of them where there are fewer.",
        source="the public code",
        ge=2,
        le=8192,
        log=True,
    )
    rate: float = knob(
        1e-3, "Learning rate", "Of a new Adam.", source="the public code", gt=0, le=1, log=True
    )
    evaluate_every: int = knob(
        50,
        "Steps between evaluations",
        "An epoch of the public code.",
        source="the public code",
        ge=1,
        le=1_000_000,
        log=True,
    )
    attack_steps: int = knob(
        0,
        "Steps of the attack",
        "Of a copy of the attack that learns on, after every round of the defence; 0: it stays as it is, as "
        "released.",
        source="the public code (0)",
        ge=0,
        le=10_000,
        advanced=True,
    )
    round: int = knob(
        50,
        "Steps of a round",
        "Of the defence between two turns of the attack, where it learns on.",
        source="Feint",
        ge=1,
        le=10_000,
        advanced=True,
    )

    def started(self) -> ConvAE:
        """The settings of the base, with those of its module."""
        owner: type[ConvAE] = registry.find("model", self.module)
        modules = {name: getattr(self, name) for name in ("mie", "graph") if name in owner.model_fields}
        return owner(**self.base.values(), **modules)

    def bases(self) -> Mapping[str, ModelSettings]:
        """The base on the same data and seed."""
        return {"base": self.started()}

    def fitted_attack(self) -> Mapping[str, Any]:
        """The attack on the base, as the command line and the page would fit it."""
        return {
            "attack": self.attack.name,
            "attack_settings": self.attack.values(),
            "objective": "flip_and_keep",
            "objective_settings": {} if self.nu is None else {"nu": self.nu},
            "n": None,
        }

    def watched_attack(self) -> Mapping[str, Any]:
        """The same attack, whose network is in the state as "attack"."""
        return self.fitted_attack()

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> ClusteringVAE:
        """The base's network: the defence adds nothing to it."""
        return self.base.network(shapes, clusters)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """Fresh networks: the base's with what its module needs, the critic, the attack; and their Adams."""
        started = self.started()
        model = started.drawn(data.shapes, clusters, rng)
        size = data.size
        extra = started.extra(size, rng)
        if self.variant == "information":
            extra["tell"] = critic(
                self.base.embedding + size + clusters, (self.base.embedding, self.base.embedding), rng
            )
        state = State(model.to(how.device), rng, how, extra)
        trained = [*model.parameters(), *state.extra.parameters()]
        state.extra["attack"] = self._perturber(size, rng).requires_grad_(False)
        if self.attack_steps:
            state.extra["learning_attack"] = self._perturber(size, rng)
        state.extra.to(how.device)
        state.optimisers["defence"] = torch.optim.Adam(
            [weight for weight in trained if weight.requires_grad], lr=self.rate, fused=True
        )
        if self.attack_steps:
            state.optimisers["attack"] = torch.optim.Adam(
                state.extra["learning_attack"].parameters(), lr=self.attack.rate, fused=True
            )
        return state

    def _perturber(self, size: int, rng: torch.Generator) -> nn.Module:
        return self.attack.drawn(size, self.base.embedding, rng)

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The base's weights and the fitted attack's."""
        state.model.load_state_dict(bases["base"].state_dict())
        for name in ("attack", "learning_attack"):
            if name in state.extra:
                state.extra[name].load_state_dict(bases["attack"].state_dict())

    def parts(self, state: State, x: Views) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The parts of the loss of a batch, weighted as they are summed; and what stands beside them."""
        parts, clean = self.started().parts(state, x)
        if self.variant == "control":
            return parts, {}
        model, attack = vae_of(state), state.extra["learning_attack" if self.attack_steps else "attack"]
        with torch.no_grad(), state.how.autocast():
            delta = float32(attack(x.flat()))
        with state.how.autocast():
            code = clean.m + delta
            x_hat, log_y = model.generate(code + clean.eta), model.log_assign_embedding(code)
        if self.variant == "consistency":
            return parts | self._consistent(clean, x_hat, log_y), {}
        return self._informed(state, parts, clean, code, torch.cat([x_hat, log_y.exp()], dim=1))

    def _informed(
        self, state: State, parts: dict[str, Tensor], clean: ForwardPass, code: Tensor, perturbed: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        outputs = torch.cat([clean.x_hat, clean.log_y.exp()], dim=1)
        losses, rights = {}, []
        pairs = {"perturbed_code": (code, outputs), "clean_code": (clean.m, perturbed)}
        for name, (one, other) in pairs.items():
            loss, right = dependence(
                state.extra["tell"], one, other, derangement(len(one), state.rng).to(one.device)
            )
            losses[name] = self.weight * loss
            rights.append(right)
        return parts | losses, {"critic_accuracy": torch.stack(rights).mean()}

    def _consistent(self, clean: ForwardPass, x_hat: Tensor, log_y: Tensor) -> dict[str, Tensor]:
        y = clean.log_y.exp().detach()
        apart = (y * (clean.log_y.detach() - log_y)).sum(1).mean()
        return {
            "assignments": self.weight * apart,
            "pictures": self.weight * (x_hat - clean.x_hat).square().sum(1).mean(),
        }

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """The steps of the defence, with a turn of the attack after each round where it learns on."""
        data, pace = data.to(state.how.device), Pace()
        while state.step < self.steps:
            parts, beside = self.parts(state, minibatch(state, data, self.batch))
            descend(state.optimisers["defence"], torch.stack(list(parts.values())).sum())
            state.counters["step"] += 1
            if self.attack_steps and state.step % self.round == 0:
                self._attack_learns(state, data)
            values = {name: part.detach() for name, part in parts.items()} | beside
            if state.step % self.evaluate_every == 0 or state.step == self.steps:
                yield Evaluate(
                    step=state.step, total=self.steps, values=numbers(values | health(state, data))
                )
            elif pace.due():
                yield Progress(step=state.step, total=self.steps, phase="defence", values=numbers(values))

    def _attack_learns(self, state: State, data: AtRest) -> None:
        objective = FlipAndKeep(nu=self.nu)
        state.model.requires_grad_(False)
        for _ in range(self.attack_steps):
            self.attack.descend(
                state.extra["learning_attack"],
                state.optimisers["attack"],
                lambda x: objective.bind(state.model, x),
                minibatch(state, data, self.attack.batch),
                state.rng,
                state.how,
            )
        state.model.requires_grad_(True)
