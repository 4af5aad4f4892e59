"""How much faster an ACAI step is than the same step in plain eager float32: `python -m
tests.benchmarks.acai_step`.

Both train 784-500-500-2000-10 at batch 256 on the same pictures. The plain one writes the method as its paper
tells it: every network called where it is needed, PyTorch's default Adam, float32. Steps alternate, so that
whoever else uses the machine slows both. Then both go on alone from the same weights, to compare where their
losses end.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.data.views import AtRest
from engine.device import choose
from engine.models.acai import ACAI, coefficients
from engine.models.pretraining import autoencoder_of
from engine.models.state import State

SETTINGS = ACAI(rate=1e-3)


@dataclass
class Plain:
    """The same networks with default Adam, stepped without autocast."""

    state: State

    def __post_init__(self) -> None:
        for name, fused in self.state.optimisers.items():
            self.state.optimisers[name] = torch.optim.Adam(fused.param_groups[0]["params"], lr=SETTINGS.rate)

    def update(self, x: Tensor) -> dict[str, Tensor]:
        """One iteration: an Adam step of the autoencoder, then one of the critic on what was computed
        before.
        """
        model, critic, optimisers = (
            autoencoder_of(self.state),
            self.state.extra["critic"],
            self.state.optimisers,
        )
        alpha, beta = (
            coefficients(len(x), self.state.rng, True),
            coefficients(1, self.state.rng, True).squeeze(),
        )
        z = model.encoder(x)
        x_hat, x_mixed = model.decoder(z), model.decoder(alpha * z + (1 - alpha) * z.flip(0))
        reconstruction = (x - x_hat).square().mean()
        optimisers["autoencoder"].zero_grad()
        (reconstruction + SETTINGS.lam * critic(x_mixed).mean(1).square().mean()).backward(
            inputs=list(_weights(optimisers["autoencoder"]))
        )
        optimisers["autoencoder"].step()
        optimisers["critic"].zero_grad()
        blend = beta * x + (1 - beta) * x_hat.detach()
        loss = (critic(x_mixed.detach()).mean(1) - alpha.squeeze(1)).square().mean() + critic(blend).mean(
            1
        ).square().mean()
        loss.backward()
        optimisers["critic"].step()
        return {"reconstruction": reconstruction.detach(), "critic": loss.detach()}


def _weights(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimiser.param_groups for weight in group["params"]]


def pictures(n: int = 4096) -> AtRest:
    """Smooth random pictures of 28 x 28 with as many dark pixels as handwriting."""
    rng = torch.Generator().manual_seed(7)
    rough = torch.nn.functional.interpolate(torch.randn(n, 1, 7, 7, generator=rng), size=28, mode="bilinear")
    return AtRest(((rough.clamp(0, 1) * 255).to(torch.uint8),), (255.0,))


def fresh(data: AtRest, precision: str, threads: int | None = None) -> State:
    """The same weights and draws, whatever the precision."""
    return SETTINGS.skeleton(data, 10, torch.Generator().manual_seed(0), choose("cpu", precision, threads))


def seconds(step: Callable[[Tensor], object], x: Tensor, clock: Callable[[], float]) -> float:
    """Time of one step."""
    began = clock()
    step(x)
    return clock() - began


def main() -> None:
    """Print the median ratio, both medians, and the losses after a short run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument(
        "--run", type=int, default=300, help="iterations of the comparison of losses; 0 for none"
    )
    parser.add_argument(
        "--cpu-time", action="store_true", help="CPU seconds of one thread, for a machine that others use too"
    )
    asked = parser.parse_args()
    data, clock, threads = (
        pictures(),
        (time.process_time if asked.cpu_time else time.perf_counter),
        1 if asked.cpu_time else None,
    )
    ours, plain = fresh(data, "auto", threads), Plain(fresh(data, "float32", threads))
    whole = autoencoder_of(ours).units(data.all())
    batches = [
        whole[torch.randint(len(whole), (256,), generator=torch.Generator().manual_seed(number))]
        for number in range(16)
    ]

    def own(x: Tensor) -> object:
        return SETTINGS.update(ours, x)

    for x in batches[:5]:
        own(x), plain.update(x)
    rounds = [batches[number % 16] for number in range(asked.rounds)]
    pairs = [(seconds(plain.update, x, clock), seconds(own, x, clock)) for x in rounds]
    ratios = sorted(slow / fast for slow, fast in pairs)
    slow, fast = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    quartiles = f"{ratios[len(ratios) // 4]:.2f} to {ratios[-(len(ratios) // 4) - 1]:.2f}"
    print(
        f"plain eager float32, default Adam: {slow:.1f} ms; ours ({ours.how.precision}, fused Adam):"
        f" {fast:.1f} ms a step"
    )
    print(
        f"median of {asked.rounds} ratios on {ours.how.threads} threads: {statistics.median(ratios):.2f}"
        f" (quartiles {quartiles})"
    )
    if asked.run:
        compare(data, batches, asked.run)


def compare(data: AtRest, batches: list[Tensor], iterations: int) -> None:
    """Print the reconstruction losses that both end at from the same weights, batches and draws."""
    ours, plain = fresh(data, "auto"), Plain(fresh(data, "float32"))
    ends: dict[str, list[float]] = {"ours": [], "plain": []}
    for number in range(iterations):
        x = batches[number % 16]
        for name, told in (("ours", SETTINGS.update(ours, x)), ("plain", plain.update(x))):
            ends[name].append(float(told["reconstruction"]))
    own, other = (statistics.mean(ends[name][-16:]) for name in ("ours", "plain"))
    print(
        f"reconstruction after {iterations} iterations: ours {own:.5f}, plain {other:.5f}:"
        f" {100 * (own / other - 1):+.2f} %"
    )


if __name__ == "__main__":
    main()
