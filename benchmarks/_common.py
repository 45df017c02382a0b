"""Shared parts of the benchmarks: timing a command with its memory, the machine, stored results."""

import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from grokpipe.provenance.origin import commit
from grokpipe.training.device import generation, processor

RESULTS = Path(__file__).parent / "results"


def timed(command: list[str], stdout: IO[Any] | int = subprocess.DEVNULL) -> tuple[float, float]:
    """Run a command that must succeed; return seconds and peak gigabytes."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=stdout)
    peak = 0.0
    while process.poll() is None:
        peak = _peak(process.pid) or peak
        time.sleep(0.01)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return seconds, peak


def measured(command: list[str]) -> dict[str, float]:
    """Run a command that must succeed; return its seconds, those of the processor, and its peak
    gigabytes."""
    before = _processor_seconds()
    seconds, gigabytes = timed(command)
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(_processor_seconds() - before, 1),
        "peak_gigabytes": round(gigabytes, 2),
    }


def machine() -> dict[str, Any]:
    """Describe this machine, with the date (UTC) and the commit at which it is measured."""
    head, changed = commit()
    return {
        "processor": processor(),
        **generation(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": f"{head[:7]}{' with changes' if changed else ''}" if head else None,
    }


def folder_of(machine: dict[str, Any]) -> str:
    """Name of the folder that holds the results of a machine: its GPU, if one was measured, else
    its processor with family and model, as amd-epyc-family-25-model-17."""
    parts = [machine.get("gpu") or re.sub(r"\((R|TM|tm)\)", "", machine["processor"]) or "unknown"]
    if "gpu" not in machine:
        parts += [f"{name} {machine[name]}" for name in ("family", "model") if name in machine]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def show(result: dict[str, Any], name: str, store: bool) -> None:
    """Print the result, and keep it as results/<machine>/<name>.json if `store`."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    print(text)
    if store:
        folder = RESULTS / folder_of(result["machine"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(text + "\n")


def _processor_seconds() -> float:
    """Seconds of the processor that ended children have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak(process: int) -> float | None:
    """Peak gigabytes of the process so far; None if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    # unlike resource usage, this does not include the parent's memory at the fork
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmHWM"].split()[0]) / 2**20 if "VmHWM" in lines else None
