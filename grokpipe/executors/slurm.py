"""Train packs as elements of a SLURM job array."""

import contextlib
import io
import math
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import submitit
from submitit.core.utils import FailedJobError

from grokpipe.cell import Cell
from grokpipe.config.invocation import called
from grokpipe.config.names import counted
from grokpipe.errors import InputError, Refused
from grokpipe.executors.job import Job
from grokpipe.executors.settings import SlurmSettings
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.launch.pack_plan import Place, Plan
from grokpipe.launch.supervisor import supervise
from grokpipe.store import lease
from grokpipe.store.files import LITERAL, folders, read_json, write_json

WARNING = 120  # seconds before its limit at which a job is signalled; at most a quarter of its time
POLL = 5.0  # seconds between queries to SLURM
NEVER = 10**6  # submitit limits the time-outs of jobs that it requeues; ours may have any number


@dataclass
class Slurm(SlurmSettings):
    """Executor for the launcher `slurm`."""

    def __post_init__(self) -> None:
        at_least = {"time_min": 1, "gpus": 0, "cpus": 1, "array_parallelism": 1, "packs_per_job": 1}
        for name, least in at_least.items():
            if getattr(self, name) < least:
                raise InputError(f"hydra.launcher.{name}={getattr(self, name)}: must be ≥ {least}")
        if self.memory_gb is not None and not 0 < self.memory_gb < math.inf:
            raise InputError(f"hydra.launcher.memory_gb={self.memory_gb:g}: must be > 0 and finite")

    def place(self, cells: Sequence[Cell]) -> Place:
        config = cells[0].config
        if self.gpus == 0 and config.device.startswith("cuda"):
            raise InputError(f"device={config.device}: needs hydra.launcher.gpus=1")
        if (config.threads or 1) > self.cpus:
            raise InputError(
                f"threads={config.threads}: must be ≤ hydra.launcher.cpus={self.cpus}, the CPUs of "
                "a job"
            )
        if shutil.which("sbatch") is None and not self.dry_run:
            raise InputError(
                "hydra/launcher=slurm: sbatch is not on this machine; valid: local, serial"
            )
        device = "cuda" if self.gpus and config.device != "cpu" else "cpu"
        free = int(1e9 * self.memory_gb) if self.memory_gb and device == "cpu" else None
        return Place(device, 1, config.threads or self.cpus, free)

    def describe(self, packs: int, place: Place) -> str:
        jobs = -(-packs // self.packs_per_job)
        where = f"partition {self.partition}" if self.partition else "the default partition"
        gpus = f", {self.gpus} GPU" if self.gpus else ""
        return (
            f"as {jobs} SLURM job{'s' if jobs > 1 else ''} in {where}: at most "
            f"{self.array_parallelism} at once, {self.cpus} CPU{gpus}, {self.time_min} min each"
        )

    def run(self, plans: Sequence[Plan], reporter: SweepReporter) -> bool:
        if not plans:
            return True
        jobs = Jobs(plans, self)
        if self.wait:
            supervise(plans, jobs, reporter)
            return True
        jobs.start(plans)
        reporter.say(
            f"{counted(len(plans), 'pack')} queued or running in SLURM as "
            f"{' '.join(jobs.arrays())}; wait=false returns no results to a sweeper. The same "
            "command, or "
            f"{called('analysis')} status, shows their progress"
        )
        return False


class Jobs:
    """The SLURM jobs for the packs of a sweep, those of earlier launchers included."""

    def __init__(self, plans: Sequence[Plan], settings: Slurm):
        self.settings = settings
        self.folders = sorted({plan.folder for plan in plans})
        self.listed: dict[str, str] | None = None
        """job by pack, for the jobs that SLURM lists; None while SLURM does not answer"""
        self.seen: dict[str, str] = {}
        """job by pack, for every job listed since this launcher started"""
        self.states: dict[str, str] = {}
        """state by job, for jobs that are no longer listed"""
        self.submitted = False
        """whether SLURM has taken jobs of this launcher"""
        self._asked = -math.inf

    def start(self, waiting: Sequence[Plan]) -> Sequence[Plan]:
        self._ask()
        if not waiting or self.listed is None:
            return []
        new = [p for p in waiting if p.id not in self.listed and not self.cancelled(p)]
        each = self.settings.packs_per_job
        parts = [new[i : i + each] for i in range(0, len(new), each)]
        most = largest_array() if parts else 1
        for i in range(0, len(parts), most):
            self._submit(parts[i : i + most])
        if new:
            self._asked = -math.inf  # query again: SLURM lists more jobs now
        return new

    def _ask(self) -> None:
        """Query SLURM for its jobs, at most every few seconds so as not to load it."""
        if time.monotonic() - self._asked < POLL:
            return
        jobs = listed_jobs()
        self.listed = None if jobs is None else self._packs_of(jobs)
        self.seen |= self.listed or {}
        self._asked = time.monotonic()

    def _submit(self, parts: Sequence[Sequence[Plan]]) -> None:
        """Submit one array, and record its elements so that any launcher finds them again.

        Raises Refused if SLURM does not take it, and no job of the sweep is known yet.
        """
        settings, folder = self.settings, self.folders[0]
        executor = submitit.SlurmExecutor(folder / LITERAL, max_num_timeout=NEVER)
        resources: dict[str, Any] = {
            "partition": settings.partition,
            "gpus_per_node": settings.gpus or None,
            "mem": f"{settings.memory_gb * 1000:.0f}M" if settings.memory_gb else None,
            "additional_parameters": options(settings.sbatch) or None,
        }
        executor.update_parameters(
            **{name: value for name, value in resources.items() if value is not None},
            job_name=f"grokpipe-{folder.name}",
            time=settings.time_min,
            cpus_per_task=settings.cpus,
            array_parallelism=settings.array_parallelism,
            signal_delay_s=min(WARNING, 60 * settings.time_min // 4),
            stderr_to_stdout=True,
            # srun does not inherit this from sbatch
            setup=["export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK", *settings.setup],
        )
        files = [[plan.file.resolve() for plan in part] for part in parts]
        jobs_folder = folder / "jobs"
        with folders(jobs_folder), lease.wait_for(folder / "starting.claim"):
            earlier = {*jobs_folder.iterdir()}
            try:
                # submitit prints the error too
                with contextlib.redirect_stderr(io.StringIO()), executor.batch():  # one array
                    jobs = [executor.submit(Job(part, slurm=True)) for part in files]
            except FailedJobError as error:
                for path in {*jobs_folder.iterdir()} - earlier:
                    path.unlink()  # what was to be submitted
                why = f"hydra/launcher=slurm: {'; '.join(str(error).split(chr(10)))}"
                raise (InputError if self.seen or self.submitted else Refused)(why) from error
        elements = {
            job.job_id: [plan.id for plan in part] for job, part in zip(jobs, parts, strict=True)
        }
        array = jobs[0].job_id.partition("_")[0]
        write_json(jobs_folder / f"{array}.json", elements)
        self.submitted = True

    def cancelled(self, plan: Plan) -> bool:
        job = self.seen.get(plan.id)
        if job is None or self.listed is None or plan.id in self.listed:
            return False
        if job not in self.states:
            self.states[job] = job_state(job)
        return self.states[job].startswith("CANCELLED")

    def _packs_of(self, listed: set[str]) -> dict[str, str]:
        """Job by pack, for the recorded jobs that SLURM lists."""
        return {
            pack: job
            for folder in self.folders
            for path in (folder / "jobs").glob("*.json")
            for job, packs in read_json(path).items()
            if job in listed
            for pack in packs
        }

    def arrays(self) -> list[str]:
        """Numbers of the sweep's arrays that SLURM still lists."""
        listed = {job.partition("_")[0] for job in listed_jobs() or set()}
        recorded = {
            path.stem for folder in self.folders for path in (folder / "jobs").glob("*.json")
        }
        return sorted(listed & recorded)

    def interrupt(self) -> str:
        arrays = " ".join(self.arrays())
        return (
            f"the jobs continue in SLURM ({arrays}); the same command follows them again, and "
            f"scancel {arrays} ends them with checkpoints"
        )

    def kill(self) -> None:
        """Leave the jobs running: only the launcher ends."""

    def trace(self) -> str:
        return f"{self.folders[0] / 'jobs'}/*/*_log.out"


def options(texts: Sequence[str]) -> dict[str, str | bool]:
    """Options of sbatch such as `account=x` or `--exclusive` in the form that submitit takes."""
    parts = [text.lstrip("-").partition("=") for text in texts]
    return {name: value if equals else True for name, equals, value in parts}


def listed_jobs() -> set[str] | None:
    """Ids of this user's unfinished jobs, each array element by itself; None if SLURM fails."""
    asked = subprocess.run(
        ["squeue", "--me", "--noheader", "--array", "--format", "%i"],
        capture_output=True,
        text=True,
    )
    return {*asked.stdout.split()} if asked.returncode == 0 else None


def job_state(job: str) -> str:
    """State of a job as SLURM reports it, for some minutes after the job's end; then ""."""
    asked = subprocess.run(
        ["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True
    )
    match = re.search(r"JobState=(\w+)", asked.stdout)
    return match[1] if match else ""


def largest_array() -> int:
    """Largest number of elements that an array may have on this cluster."""
    asked = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True)
    match = re.search(r"MaxArraySize\s*=\s*(\d+)", asked.stdout)
    return int(match[1]) - 1 if match else 1000
