"""The picklable job that submitit runs in a process of its own.

Needs no PyTorch before it runs, so that signals are handled from the first moment. Queued pickles
name this module, the class and its attributes.
"""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from submitit.helpers import DelayedSubmission

from grokpipe.errors import Interrupted
from grokpipe.executors.waiting import wait_asleep
from grokpipe.launch.signals import stop_requests
from grokpipe.store.files import LITERAL, remove_if_empty
from grokpipe.store.lease import held

REQUEUED = ("RUNNING", "PREEMPTED")  # states of a SLURM job that has not been cancelled


@dataclass
class Job:
    """Trains the unfinished packs of `files` that no other process trains, one after another."""

    files: list[Path]
    slurm: bool = False
    """whether this is a whole SLURM job, to be requeued; a local worker may be part of one"""
    lease: Path | None = None
    """lease held while the job runs, by which launchers count the workers of this machine"""
    gpu: str | None = None
    """CUDA_VISIBLE_DEVICES; None leaves it as it is"""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load pickles of earlier releases too, which call `lease` `registry`."""
        if "registry" in state:
            state["lease"] = state.pop("registry")
        self.__dict__.update(state)

    def __call__(self) -> None:
        wait_asleep()  # a SLURM job may not inherit the environment of the launcher
        if self.gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.gpu
        with contextlib.ExitStack() as stack:
            stop = stack.enter_context(stop_requests())
            if self.lease is not None:
                remove_if_empty(self.lease.parent.parent / LITERAL)
                stack.enter_context(held(self.lease, mark=self.gpu))
            from rich.console import Console

            from grokpipe.launch.worker import work

            try:
                work(self.files, stop, Console())
            except Interrupted as interrupted:
                print(interrupted, flush=True)
                if self.slurm and stop.is_set():  # not if another process took its pack over
                    requeue()

    def checkpoint(self) -> DelayedSubmission:
        """Resubmit the job unchanged, if submitit receives the signal before this job does."""
        return DelayedSubmission(self)


def requeue() -> None:
    """End the process, and requeue its SLURM job unless that was cancelled or is at its limit."""
    # SLURM_JOB_ID of an array's last element is the number of the whole array
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ["SLURM_JOB_ID"]
    if array is not None:
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    asked = subprocess.run(
        ["squeue", "--noheader", "--jobs", job, "--format", "%T"], capture_output=True, text=True
    )
    if asked.stdout.strip() in REQUEUED:
        subprocess.run(["scontrol", "requeue", job], check=True)
        print(f"asked SLURM to requeue job {job}", flush=True)
    # exit here: returning from the job's function would count as its result
    sys.exit(f"stopped in state {asked.stdout.strip() or 'unknown'}")
