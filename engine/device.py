"""Which device, which precision, how many threads: the *how* of a run, recorded beside it and never
hashed.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from engine.errors import ResumeRefused, SettingsError

MOST_THREADS = 1024
"""No machine that trains here has more cores."""


@dataclass(frozen=True)
class How:
    """Where and in what arithmetic a run computes."""

    device: str
    precision: str
    threads: int
    torch: str
    machine: str

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of network forwards: bf16 where that was chosen. Cast what comes out to float32 at
        once.
        """
        if self.precision == "bfloat16":
            return torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16)
        return nullcontext()

    def values(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def has_bf16_units(device: str) -> bool:
    """Whether the device multiplies bf16 matrices in hardware (AMX or AVX-512 BF16 on a CPU, tensor cores on
    a GPU).
    """
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def choose(device: str = "auto", precision: str = "auto", threads: int | None = None) -> How:
    """Resolve `auto`: CUDA where it is there, bf16 where the device has matrix units for it, all cores.

    Raises SettingsError for a device or precision that this machine does not have.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _check_device(device)
    if precision == "auto":
        precision = "bfloat16" if has_bf16_units(device) else "float32"
    if precision not in ("float32", "bfloat16"):
        raise SettingsError(f"precision must be auto, float32 or bfloat16; got {precision!r}.")
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not 1 <= threads <= MOST_THREADS:
        raise SettingsError(
            f"threads must be from 1 to {MOST_THREADS}; got {threads}. Leave it out, and there are as many as"
            " this machine has cores."
        )
    torch.set_num_threads(threads)
    return How(device, precision, threads, torch.__version__, platform.machine())


def _check_device(device: str) -> None:
    """Raises SettingsError for a device that is none, or that this machine does not have."""
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (device != kind and (kind == "cpu" or not number.isdecimal())):
        raise SettingsError(f"device must be auto, cpu, cuda, or one such as cuda:1; got {device!r}.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            f"device must be one this machine has; got {device!r} but PyTorch sees no CUDA device. Use cpu or"
            " auto."
        )
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise SettingsError(f"device must be one this machine has, up to cuda:{last}; got {device!r}.")


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: sums so small that to share them out takes longer than they do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def of_answers() -> dict[str, Any]:
    """The how of answers: this machine's best device and all its threads, always in float32."""
    return replace(choose(), precision="float32").values()


def same(recorded: dict[str, Any]) -> How:
    """The recorded how again, for a resume. Raises ResumeRefused where this machine cannot compute the same
    way.
    """
    try:
        how = choose(recorded["device"], recorded["precision"], recorded["threads"])
    except SettingsError as error:
        raise ResumeRefused(
            f"This run was computed on {recorded['device']} in {recorded['precision']}; {error} Or train it"
            " anew."
        ) from None
    if how.precision == "bfloat16" and not has_bf16_units(how.device):
        raise ResumeRefused(
            "This run was computed in bfloat16, for which this machine has no matrix units; train it anew"
            " here."
        )
    return how
