"""Train packs in processes of this machine: one per core, or a few per GPU."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import submitit
from submitit.local.local import LocalJob

from grokpipe.cell import Cell
from grokpipe.config.invocation import called
from grokpipe.config.names import counted
from grokpipe.errors import InputError
from grokpipe.executors.job import Job
from grokpipe.executors.settings import LocalSettings
from grokpipe.launch import pack_plan
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.launch.pack_plan import Place, Plan
from grokpipe.launch.supervisor import supervise
from grokpipe.store import lease
from grokpipe.store.files import LITERAL, remove_if_empty
from grokpipe.training import memory
from grokpipe.training.device import cores, device_of, gpus

LIMIT = 365 * 24 * 60  # minutes; submitit's own default ends a local job after two


@dataclass
class Local(LocalSettings):
    """Executor for the launcher `local`."""

    def __post_init__(self) -> None:
        if self.packs_per_gpu < 1:
            raise InputError(f"hydra.launcher.packs_per_gpu={self.packs_per_gpu}: must be ≥ 1")

    def place(self, cells: Sequence[Cell]) -> Place:
        config = cells[0].config
        device = device_of(config.device)
        if device.type == "cuda":
            slots = len(gpus(device)) * self.packs_per_gpu
            free = memory.free_bytes(device) // self.packs_per_gpu
        else:
            slots = max(1, cores() // (config.threads or 1))
        slots = min(slots, len(cells))
        if device.type == "cpu":
            free = memory.free_bytes(device) // slots
        threads = config.threads or (1 if device.type == "cpu" else max(1, cores() // slots))
        return Place(device.type, slots, threads, free, cores())

    def describe(self, packs: int, place: Place) -> str:
        threads, processes = counted(place.threads, "thread"), min(place.slots, packs)
        if processes == 1:
            return f"on this machine, 1 process with {threads}"
        return f"on this machine, {processes} processes at once with {threads} each"

    def run(self, plans: Sequence[Plan], reporter: SweepReporter) -> bool:
        if not plans:
            return True
        workers = Workers(plans, self.packs_per_gpu)
        if self.wait:
            supervise(plans, workers, reporter)
            workers.remove_logs()
            return True
        started = workers.start([plan for plan in plans if not lease.read_live(plan.lease)])
        begun = counted(len(started), "process", "processes")
        reporter.say(
            f"started {begun} for {counted(len(plans), 'pack')}, {len(workers.live())} running "
            "now; wait=false returns no results to a sweeper. The same command, or "
            f"{called('analysis')} status, shows their progress"
        )
        return False


class Workers:
    """The worker processes of this machine for one sweep.

    They include those that an earlier launcher started for the same folders and that still run.
    """

    def __init__(self, plans: Sequence[Plan], packs_per_gpu: int):
        self.device = device_of(plans[0].configs[0]["device"])
        self.folders = sorted({plan.folder for plan in plans})
        self.keys = {key for plan in plans for key in plan.keys}
        self.jobs: list[tuple[submitit.Job[None], Path]] = []
        """jobs of this launcher, each with the lease that it takes once it runs"""
        if self.device.type == "cuda":
            self.slots = len(gpus(self.device)) * packs_per_gpu
        else:
            self.slots = max(1, cores() // max(plan.threads for plan in plans))

    def start(self, waiting: Sequence[Plan]) -> Sequence[Plan]:
        """Start workers in the free slots; a lease lets one launcher at a time count and start."""
        with lease.wait_for(self.folders[0] / "starting.claim"):
            live = self.live()
            packs = [lease.read(path) for f in self.folders for path in f.glob("packs/*.claim")]
            training = {holder["pid"] for holder in packs if holder is not None}
            idle = sum(worker["pid"] not in training for worker in live)
            count = max(0, min(self.slots - len(live), len(waiting) - idle))
            used = Counter(worker["mark"] for worker in live)
            for _ in range(count):
                gpu = min(gpus(self.device), key=lambda name: used[name])
                used[gpu] += 1
                self._submit([plan.file for plan in waiting], gpu)
            while not all(path.exists() or job.done() for job, path in self.jobs):
                time.sleep(0.05)  # until other launchers can count them too
        return waiting[:count]

    def _submit(self, files: list[Path], gpu: str | None) -> None:
        folder = self.folders[0]
        (folder / "workers").mkdir(exist_ok=True)
        executor = Detached(folder / LITERAL)
        executor.update_parameters(timeout_min=LIMIT, stderr_to_stdout=True)
        path = folder / "workers" / f"{uuid4().hex[:12]}.claim"
        files = [file.resolve() for file in files]
        self.jobs.append((executor.submit(Job(files, lease=path.resolve(), gpu=gpu)), path))

    def live(self) -> list[dict[str, Any]]:
        """Leases of the live workers of this machine; deletes the leases of dead workers."""
        local = []
        for path in (path for f in self.folders for path in (f / "workers").glob("*.claim")):
            worker = lease.read_live(path)
            if worker is None:
                path.unlink(missing_ok=True)
            elif lease.is_local(worker):
                local.append(worker)
        return local

    def cancelled(self, plan: Plan) -> bool:
        return False

    def interrupt(self) -> str:
        """Stop every worker of the sweep with a checkpoint."""
        ending = self._of_sweep()
        self._signal(signal.SIGTERM, ending)
        while ending & self._of_sweep():
            time.sleep(0.1)
        return "stopped, with checkpoints; the same command resumes from there"

    def kill(self) -> None:
        self._signal(signal.SIGKILL, self._of_sweep())

    def _of_sweep(self) -> set[int]:
        """Process numbers of this sweep's workers: all but those that train another sweep's packs,
        which another launcher supervises."""
        others = (
            p for f in self.folders for p in pack_plan.on_disk(f) if not self.keys & {*p.keys}
        )
        busy = {holder["pid"] for plan in others if (holder := lease.read_live(plan.lease))}
        ours = {int(job.job_id) for job, _ in self.jobs if not job.done()}
        return ours | {worker["pid"] for worker in self.live()} - busy

    def _signal(self, number: signal.Signals, processes: set[int]) -> None:
        for group in {os.getpgid(pid) for pid in processes if Path(f"/proc/{pid}").exists()}:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)

    def trace(self) -> str:
        return str(self.jobs[-1][0].paths.stdout) if self.jobs else str(self.folders[0] / "jobs")

    def remove_logs(self) -> None:
        """Delete the logs of this launcher's processes, once all have ended without an error.

        Folders that are empty then go too, unless another launcher is about to use them.
        """
        for job, _ in self.jobs:
            job.wait()
            shutil.rmtree(job.paths.folder, ignore_errors=True)
        with lease.wait_for(self.folders[0] / "starting.claim"):
            for part in (LITERAL, "jobs", "workers"):
                remove_if_empty(self.folders[0] / part)


class Detached(submitit.LocalExecutor):
    """Starts each process in a session of its own, so that it outlives the launcher: neither ^C at
    the terminal nor closing the terminal reaches it."""

    def _submit_command(self, command: str) -> "LocalJob[Any]":
        minutes = self.parameters["timeout_min"]
        environment = {
            **os.environ,
            "SUBMITIT_EXECUTOR": "local",
            "SUBMITIT_LOCAL_COMMAND": command,
            "SUBMITIT_LOCAL_NTASKS": "1",
            "SUBMITIT_LOCAL_NODEID": "0",
            "SUBMITIT_LOCAL_JOB_NUM_NODES": "1",
            "SUBMITIT_LOCAL_TIMEOUT_S": str(60 * minutes),
            "SUBMITIT_LOCAL_SIGNAL_DELAY_S": "60",
            "SUBMITIT_STDERR_TO_STDOUT": "1",
            "SUBMITIT_LOCAL_WITH_SHELL": "",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "submitit.local._local", str(self.folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return LocalJob(folder=self.folder, job_id=str(process.pid), process=process, tasks=[0])
