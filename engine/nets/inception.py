"""Inception v3 up to its 2,048 pooled features, with the weights that a person has.

Pictures in [0, 1] of any size, grey or in colour -> (n, 2048). They are brought to 299 x 299 and to [−1, 1].
Its weights may not be shipped: they are read from a safetensors file whose tensors have the well-known names
("Conv2d_1a_3x3.conv.weight" …), as torchvision and timm use them; those of the two classifiers are left out.

Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception architecture for computer
vision", CVPR 2016, arXiv:1512.00567; names and the widths within the blocks as in the released networks.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.errors import DataError

FEATURES, SIDE = 2048, 299


class Step(NamedTuple):
    """A convolution with batch normalisation and ReLU: its name, filters, kernel, stride, and whether the
    border is padded so that the side stays.
    """

    name: str
    filters: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


Chain = Sequence[Step | str | tuple[Step, Step]]
"""Steps one after the other; "mean" and "max" are poolings of 3 x 3; a pair is a fork, whose ends are joined.
"""
SQUARE, WIDE, HIGH, LONG, TALL = (3, 3), (1, 3), (3, 1), (1, 7), (7, 1)


def _half(name: str, filters: int) -> Step:
    """A convolution of 3 x 3 that halves the side."""
    return Step(name, filters, SQUARE, 2, False)


def _a(pooled: int) -> Sequence[Chain]:
    return (
        (Step("branch1x1", 64),),
        (Step("branch5x5_1", 48), Step("branch5x5_2", 64, (5, 5))),
        (Step("branch3x3dbl_1", 64), Step("branch3x3dbl_2", 96, SQUARE), Step("branch3x3dbl_3", 96, SQUARE)),
        ("mean", Step("branch_pool", pooled)),
    )


def _b() -> Sequence[Chain]:
    double = (Step("branch3x3dbl_1", 64), Step("branch3x3dbl_2", 96, SQUARE), _half("branch3x3dbl_3", 96))
    return ((_half("branch3x3", 384),), double, ("max",))


def _c(c: int) -> Sequence[Chain]:
    first, double = "branch7x7_", "branch7x7dbl_"
    return (
        (Step("branch1x1", 192),),
        (Step(first + "1", c), Step(first + "2", c, LONG), Step(first + "3", 192, TALL)),
        (
            Step(double + "1", c),
            Step(double + "2", c, TALL),
            Step(double + "3", c, LONG),
            Step(double + "4", c, TALL),
            Step(double + "5", 192, LONG),
        ),
        ("mean", Step("branch_pool", 192)),
    )


def _d() -> Sequence[Chain]:
    name = "branch7x7x3_"
    long = Step(name + "1", 192), Step(name + "2", 192, LONG), Step(name + "3", 192, TALL)
    return (
        (Step("branch3x3_1", 192), _half("branch3x3_2", 320)),
        (*long, _half(name + "4", 192)),
        ("max",),
    )


def _e() -> Sequence[Chain]:
    first, double = "branch3x3_", "branch3x3dbl_"
    return (
        (Step("branch1x1", 320),),
        (Step(first + "1", 384), (Step(first + "2a", 384, WIDE), Step(first + "2b", 384, HIGH))),
        (
            Step(double + "1", 448),
            Step(double + "2", 384, SQUARE),
            (Step(double + "3a", 384, WIDE), Step(double + "3b", 384, HIGH)),
        ),
        ("mean", Step("branch_pool", 192)),
    )


STEM: Chain = (
    _half("Conv2d_1a_3x3", 32),
    Step("Conv2d_2a_3x3", 32, SQUARE, padded=False),
    Step("Conv2d_2b_3x3", 64, SQUARE),
    "max",
    Step("Conv2d_3b_1x1", 80),
    Step("Conv2d_4a_3x3", 192, SQUARE, padded=False),
    "max",
)
MIXED: Mapping[str, Sequence[Chain]] = {
    "Mixed_5b": _a(32),
    "Mixed_5c": _a(64),
    "Mixed_5d": _a(64),
    "Mixed_6a": _b(),
    "Mixed_6b": _c(128),
    "Mixed_6c": _c(160),
    "Mixed_6d": _c(160),
    "Mixed_6e": _c(192),
    "Mixed_7a": _d(),
    "Mixed_7b": _e(),
    "Mixed_7c": _e(),
}


class Normed(nn.Module):
    """A convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, step: Step) -> None:
        super().__init__()
        high, wide = (side // 2 * step.padded for side in step.kernel)
        self.conv = nn.Conv2d(inputs, step.filters, step.kernel, step.stride, (high, wide), bias=False)
        self.bn = nn.BatchNorm2d(step.filters, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class Paths(nn.Module):
    """Paths side by side, whose ends are joined; `filters` is how many maps come out."""

    def __init__(self, inputs: int, paths: Sequence[Chain]) -> None:
        super().__init__()
        self.paths, self.filters = paths, 0
        for path in paths:
            width = inputs
            for step in path:
                if isinstance(step, str):
                    continue
                ends = (step,) if isinstance(step, Step) else step
                for each in ends:
                    self.add_module(each.name, Normed(width, each))
                width = sum(each.filters for each in ends)
            self.filters += width

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._along(path, x) for path in self.paths], dim=1)

    def _along(self, path: Chain, x: Tensor) -> Tensor:
        for step in path:
            if step == "max":
                x = nn.functional.max_pool2d(x, 3, stride=2)
            elif step == "mean":
                x = nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
            elif isinstance(step, Step):
                x = self.get_submodule(step.name)(x)
            else:
                x = torch.cat([self.get_submodule(each.name)(x) for each in step], dim=1)  # type: ignore[union-attr]
        return x


class Inception(Paths):
    """The whole network. It is used for inference alone."""

    def __init__(self) -> None:
        super().__init__(3, (STEM,))
        width = self.filters
        for name, paths in MIXED.items():
            self.add_module(name, block := Paths(width, paths))
            width = block.filters

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2048"]:
        """The pooled features. Raises DataError for pictures that are neither grey nor in colour."""
        if x.shape[1] not in (1, 3):
            raise DataError(
                f"Inception sees pictures, grey or in colour; got {x.shape[1]} channels. Take the features of"
                " the classifier."
            )
        x = nn.functional.interpolate(x.float(), (SIDE, SIDE), mode="bilinear", antialias=True)
        x = super().forward(2 * x.expand(-1, 3, -1, -1) - 1)
        for name in MIXED:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))


def inception_of(path: Path) -> Inception:
    """The network with the weights of a safetensors file. Raises DataError as `check`."""
    check(path)
    network = _empty()
    with _opened(path) as file:
        found = {name: file.get_tensor(name).float() for name in _needed(network)}
    counters = {name: torch.tensor(0) for name in network.state_dict() if name not in found}
    network.load_state_dict(found | counters, assign=True)
    return network.eval().requires_grad_(False)


def check(path: Path) -> None:
    """Raises DataError for a file of something else: what it must hold, and what came. Reads no number."""
    with _opened(path) as file:
        known = set(file.keys())
        for name, own in _needed(_empty()).items():
            if name not in known:
                raise _other(path, f"it lacks {name}")
            if (shape := tuple(file.get_slice(name).get_shape())) != tuple(own.shape):
                raise _other(path, f"{name} has the shape {shape} in place of {tuple(own.shape)}")


def _empty() -> Inception:
    """The network without numbers, which takes no time."""
    with torch.device("meta"):
        return Inception()


def _needed(network: Inception) -> dict[str, Tensor]:
    """What a file must hold: all but how many batches were seen."""
    state = network.state_dict().items()
    return {name: tensor for name, tensor in state if not name.endswith("num_batches_tracked")}


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, "pt")
    except (OSError, SafetensorError) as error:
        raise _other(path, f"it cannot be read as such ({error})") from None


def _other(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} must be a safetensors file with the weights of Inception v3, by the names of torchvision and"
        f" timm; {why}. Take the model.safetensors of timm/inception_v3.tf_in1k."
    )
