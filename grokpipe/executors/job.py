"""What submitit carries to a process of its own. Needs no PyTorch before it runs, so that signals
are heard from the first moment."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from submitit.helpers import DelayedSubmission

from grokpipe.errors import Interrupted
from grokpipe.launch.signals import stop_requests
from grokpipe.store import lease

GOING = ("RUNNING", "PREEMPTED")  # states of a SLURM job that nobody has cancelled


@dataclass
class Job:
    """Trains the unfinished packs of `files` that are free, one after another."""

    files: list[Path]
    slurm: bool = False
    """whether it is the whole of a SLURM job, to be requeued; a local worker may be part of one"""
    registry: Path | None = None
    """claimed while the job runs: how launchers count the workers of this machine"""
    gpu: str | None = None
    """CUDA_VISIBLE_DEVICES; None: as it is"""

    def __call__(self) -> None:
        if self.gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.gpu
        with contextlib.ExitStack() as stack:
            stop = stack.enter_context(stop_requests())
            if self.registry is not None:
                stack.enter_context(lease.claimed(self.registry, mark=self.gpu))
            from rich.console import Console

            from grokpipe.launch.worker import work

            try:
                work(self.files, stop, Console())
            except Interrupted as interrupted:
                print(interrupted, flush=True)
                if self.slurm and stop.is_set():  # not if its pack has been taken over
                    requeue()

    def checkpoint(self) -> DelayedSubmission:
        """For submitit, if it is told to stop before this job is: the job as it is."""
        return DelayedSubmission(self)


def requeue() -> None:
    """Asks SLURM to start this job again, unless it was cancelled or is at its limit; ends the
    process."""
    # by its own number, the last element of an array stands for the whole
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ["SLURM_JOB_ID"]
    if array is not None:
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    asked = subprocess.run(
        ["squeue", "--noheader", "--jobs", job, "--format", "%T"], capture_output=True, text=True
    )
    if asked.stdout.strip() in GOING:
        subprocess.run(["scontrol", "requeue", job], check=True)
        print(f"asked SLURM to requeue job {job}", flush=True)
    # not through the end of the job's function, which would count as its result
    sys.exit(f"stopped in state {asked.stdout.strip() or 'unknown'}")
