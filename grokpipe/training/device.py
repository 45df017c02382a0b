"""The devices and cores that this process may use."""

import os
from pathlib import Path

import torch

from grokpipe.errors import InputError


def device_of(name: str) -> torch.device:
    """The device of a name, `auto` being CUDA where there is one. Raises InputError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    valid = ["auto", "cpu"]
    if torch.cuda.is_available():
        valid += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name not in valid:
        raise InputError(f"device={name}: not on this machine; valid: {', '.join(valid)}")
    return torch.device(name)


def cores() -> int:
    """Cores that this process may use: those it is bound to, within a control group's share."""
    count = len(os.sched_getaffinity(0))
    share = Path("/sys/fs/cgroup/cpu.max")
    if share.exists() and (quota := share.read_text().split())[0] != "max":
        count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def gpus(device: torch.device) -> list[str | None]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs of `device`; [None] for a CPU, or for one GPU that
    has been chosen by its number."""
    if device.type != "cuda" or device.index is not None:
        return [None]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible:
        return [name for name in visible.split(",")]
    return [str(i) for i in range(torch.cuda.device_count())]
