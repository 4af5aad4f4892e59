"""`serve`: a Dask scheduler with lanes of worker processes. Nothing here imports torch."""

import asyncio
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import dask
from distributed import Nanny, Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

CONFIG: dict[str, Any] = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ": {},  # Dask's own would leave PyTorch one thread
    "distributed.admin.tick.limit": "1h",
    "distributed.comm.timeouts.connect": "30s",
}


ALLOWED_FAILURES = 1
"""A task whose worker died is tried once more, for it may only have stood beside the culprit; `workers` lets
no run begin twice.
"""


def serve(address_file: Path | None = None, port: int = 0) -> None:
    """Run scheduler and lanes on loopback until SIGTERM or SIGINT. Writes its address to `address_file` when
    it is ready.
    """
    with (
        tempfile.TemporaryDirectory(prefix="feint-") as scratch,
        dask.config.set({**CONFIG, "temporary-directory": scratch}),
    ):
        asyncio.run(_serve(address_file, port))


async def _serve(address_file: Path | None, port: int) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, done.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(done.set))
    async with Scheduler(
        host="127.0.0.1", port=port, dashboard=False, allowed_failures=ALLOWED_FAILURES
    ) as scheduler:
        opener = _Opener(scheduler)
        scheduler.add_plugin(opener)
        await opener.open("train")
        if address_file:
            partial = address_file.with_name(f".{address_file.name}.{os.getpid()}")
            partial.write_text(scheduler.address)
            partial.replace(address_file)
        await opener.open("play")
        await done.wait()
        await opener.close()


class _Opener(SchedulerPlugin):
    """Opens lanes when they are first needed; lives in the scheduler's process."""

    name = "feint"

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.nannies: dict[str, list[Nanny]] = {}
        self._one = asyncio.Lock()

    async def open(self, lane: str) -> None:
        """Start the lane's workers unless they are there."""
        async with self._one:
            if lane in self.nannies:
                return
            gpus = _gpus() if lane == "train" else []
            places = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus] or [{}]
            self.nannies[lane] = [
                await Nanny(
                    self.scheduler.address,
                    name=f"{lane}-{number}",
                    nthreads=1,
                    memory_limit=0,
                    resources={lane: 1},
                    env=place,
                    host="127.0.0.1",
                    dashboard=False,
                )
                for number, place in enumerate(places)
            ]

    async def close(self) -> None:  # type: ignore[override]
        """End all workers."""
        every = [nanny for nannies in self.nannies.values() for nanny in nannies]
        await asyncio.gather(*(nanny.close(timeout=1) for nanny in every))


async def open_lane(lane: str, dask_scheduler: Scheduler) -> bool:
    """In the scheduler's process: make sure that somebody works in the lane. False where nobody does nor can
    be started.
    """
    opener = dask_scheduler.plugins.get("feint")
    if isinstance(opener, _Opener):
        await opener.open(lane)
        return True
    return any(lane in worker.resources for worker in dask_scheduler.workers.values())


def tasks(dask_scheduler: Scheduler) -> list[str]:
    """In the scheduler's process: keys of unfinished tasks, the next one first."""
    waiting = [
        task
        for task in dask_scheduler.tasks.values()
        if task.state not in ("memory", "erred", "released", "forgotten")
    ]
    return [str(task.key) for task in sorted(waiting, key=lambda task: task.priority or ())]


def _gpus() -> list[str]:
    """Numbers of the NVIDIA GPUs that the driver lists and CUDA_VISIBLE_DEVICES allows."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [gpu for gpu in allowed.split(",") if gpu.strip() and gpu.strip() != "-1"]
    try:
        said = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [
        str(number)
        for number, line in enumerate(line for line in said.splitlines() if line.startswith("GPU "))
    ]
