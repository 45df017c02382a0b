"""What the benchmarks share: a command timed with its memory, the machine, the stored result."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from grokpipe.provenance.origin import processor

RESULTS = Path(__file__).parent / "results"


def timed(command: list[str], stdout: IO[Any] | int = subprocess.DEVNULL) -> tuple[float, float]:
    """Seconds, and the most gigabytes held at once, of a command that must succeed."""
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


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def show(result: dict[str, Any], name: str, store: bool) -> None:
    """Prints the result, and keeps it as results/<name>.json if it is to be stored."""
    text = json.dumps(result, indent=2)
    print(text)
    if store:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text + "\n")


def _peak(process: int) -> float | None:
    """Gigabytes that the process has held at most so far; None where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    # unlike resource usage, this does not begin with what the parent held at the fork
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmHWM"].split()[0]) / 2**20 if "VmHWM" in lines else None
