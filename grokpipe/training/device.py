"""Devices and cores that this process may use."""

import os
import platform
from pathlib import Path

import torch

from grokpipe.errors import InputError


def device_of(name: str) -> torch.device:
    """Resolve the configuration key `device`; `auto` is CUDA where available, else the CPU.

    Raises InputError for a device that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    valid = ["auto", "cpu"]
    if torch.cuda.is_available():
        valid += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name not in valid:
        raise InputError(f"device={name}: not on this machine; valid: {', '.join(valid)}")
    return torch.device(name)


def cores() -> int:
    """Number of cores that this process may use: its affinity, within the control group's quota."""
    count = len(os.sched_getaffinity(0))
    share = Path("/sys/fs/cgroup/cpu.max")
    if share.exists() and (quota := share.read_text().split())[0] != "max":
        count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def gpus(device: torch.device) -> list[str | None]:
    """Values of CUDA_VISIBLE_DEVICES that select the GPUs of `device` one by one.

    [None] for a CPU, and for a single GPU chosen by its number.
    """
    if device.type != "cuda" or device.index is not None:
        return [None]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible:
        return [name for name in visible.split(",")]
    return [str(i) for i in range(torch.cuda.device_count())]


def processor() -> str:
    """Name of the processor according to Linux, else according to Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
