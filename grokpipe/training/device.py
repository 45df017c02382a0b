"""Devices, cores and threads that this process may use."""

import os
import platform
import re
import time
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


def computing_seconds() -> float:
    """A clock for timing arithmetic on a CPU: processor time of this process where it computes by
    one thread, so that whatever else runs on the machine hardly counts; wall time for several."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def idle_cores(seconds: float = 0.2) -> float:
    """Measure how many of those cores are idle, on average over that time."""
    before = _ticks()
    time.sleep(seconds)
    shares = [
        (idle - idle_before) / max(1, total - total_before)
        for (idle_before, total_before), (idle, total) in zip(before, _ticks(), strict=True)
    ]
    return min(sum(shares), cores())


def _ticks() -> list[tuple[int, int]]:
    """Idle and total clock ticks, since the machine was started, of each core of the affinity."""
    lines = Path("/proc/stat").read_text().splitlines()
    by_core = {name: [*map(int, ticks)] for name, *ticks in map(str.split, lines)}
    # user, nice, system, idle, waiting for disks, interrupts (2), taken by other guests; then parts
    # of the first two
    chosen = [by_core[f"cpu{core}"][:8] for core in sorted(os.sched_getaffinity(0))]
    return [(ticks[3] + ticks[4], sum(ticks)) for ticks in chosen]


def thread_advice(threads: int, processes: int, cells: int, cores: int, idle: float) -> str | None:
    """Advise on several threads for each of some processes that train cells on a CPU.

    Args:
        threads: threads of a process, more than one.
        processes: processes at once.
        cells: number of cells to be trained.
        cores: cores that the processes may use.
        idle: average number of them that are idle now.

    Returns:
        one line, or None where nothing slows the threads down.
    """
    has = f"{cores} core{'s' * (cores > 1)}"
    if threads > cores:
        return f"threads={threads}: only {has} to use; more threads than that are slower"
    if threads * processes > idle + 0.5:
        return (
            f"threads={threads}: other processes leave {idle:.1f} of {has} idle; threads wait for "
            "the slowest of them, so threads=1 may be faster now"
        )
    if cells > processes:
        return (
            f"threads={threads}: {cells} cells train faster in packs of one thread, one on each "
            "core; threads=1 does that"
        )
    return None


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


def generation() -> dict[str, int]:
    """Family and model number of an x86 processor, whose name alone may not tell generations
    apart (that of a virtual machine is often just "AMD EPYC"); empty where Linux has none."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    found = {
        name: re.search(rf"^{line}\s*:\s*(\d+)$", text, flags=re.M)
        for name, line in (("family", "cpu family"), ("model", "model"))
    }
    return {name: int(match[1]) for name, match in found.items() if match}
