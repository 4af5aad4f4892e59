"""`serve`: a Dask scheduler with lanes of worker processes. Nothing here imports torch."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import dask
from distributed import Nanny, Scheduler, Worker
from distributed.core import Server
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.security import Security

from engine.home import make_home
from engine.pool import certificate

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
    # clocks that nobody reads: they took a sixth of a core from an app that nobody looked at
    "distributed.admin.tick.interval": "1h",
    "distributed.admin.tick.cycle": "1h",
    "distributed.admin.system-monitor.interval": "1h",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.client.scheduler-info-interval": "1h",
    "distributed.client.heartbeat": "30s",
}
RARELY = 30.0
"""Seconds between what scheduler and workers do and say to one another while nobody asks anything: a worker
that ends is noticed by its connection.
"""


ALLOWED_FAILURES = 1
"""A task whose worker died is tried once more, for it may only have stood beside the culprit; `workers` lets
no run begin twice.
"""


def serve(address_file: Path | None = None, port: int = 0) -> None:
    """Run scheduler and lanes on loopback until SIGTERM or SIGINT; nobody connects without the certificate.

    When it is ready, address and certificate are written to `address_file` for whoever started it; without
    one, the certificate lies in the store while this runs, and a line says where.
    """
    file = certificate.given()
    pem = file.read_text() if file else certificate.new()
    with (
        tempfile.TemporaryDirectory(prefix="feint-") as scratch,
        dask.config.set({**CONFIG, "temporary-directory": scratch}),
        ExitStack() as at_the_end,
    ):
        ready = partial(_tell, address_file, pem, at_the_end)
        asyncio.run(_serve(certificate.security(pem), ready, port))


def _tell(address_file: Path | None, pem: str, at_the_end: ExitStack, address: str) -> None:
    if address_file:
        certificate.write(address_file, f"{address}\n{pem}")
        return
    file = certificate.given()
    if file is None:
        file = certificate.place(int(address.rsplit(":", 1)[-1]))
        make_home()
        certificate.write(file, pem)
        at_the_end.callback(file.unlink, missing_ok=True)
    print(f"FEINT_ENGINE={address} FEINT_CERTIFICATE={file}", flush=True)


async def _serve(security: Security, ready: Callable[[str], None], port: int) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, done.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(done.set))
    async with _Scheduler(
        host="127.0.0.1",
        port=port,
        protocol="tls://",
        security=security,
        dashboard=False,
        allowed_failures=ALLOWED_FAILURES,
    ) as scheduler:
        opener = _Opener(scheduler)
        scheduler.add_plugin(opener)
        await opener.open("train")
        ready(scheduler.address)
        await opener.open("play")
        await done.wait()
        await opener.close()


def _calm(node: Server) -> None:
    """Let the clocks of a node that is not started yet tick rarely."""
    for clock in node.periodic_callbacks.values():
        clock.callback_time = max(clock.callback_time, RARELY * 1000)


class _NoPages:
    """Without Dask's own web pages, whose port answers whoever asks."""

    def start_http_server(self, *given: Any, **options: Any) -> None:
        """Not here."""


class _Scheduler(_NoPages, Scheduler):
    """A scheduler that does next to nothing while nobody asks it anything."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _calm(self)

    def heartbeat_worker(self, *given: Any, **named: Any) -> dict[str, Any]:
        """As Dask's, which would hear each worker twice a second."""
        answer: dict[str, Any] = super().heartbeat_worker(*given, **named)
        return answer | {"heartbeat-interval": RARELY} if "heartbeat-interval" in answer else answer


class _Worker(_NoPages, Worker):
    """A worker that does next to nothing while it has no task."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        _calm(self)


class _Nanny(Nanny):
    """The keeper of such a worker."""

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(address, worker_class=_Worker, **options)
        _calm(self)


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
                await _Nanny(
                    self.scheduler.address,
                    security=self.scheduler.security,
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
