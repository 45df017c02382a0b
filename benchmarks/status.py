"""How long `python -m analysis status` takes for many run logs, without its index and with it.

Writes run logs of one sweep, without curves, and what was asked for, into a temporary folder, and
runs the whole command in turns, after the index was removed and after it was made. Prints the
median seconds and the most memory that the command held, beside their limits. With --store keeps
the numbers.

    python benchmarks/status.py [--logs 100000] [--store]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from analysis.results import INDEX
from grokpipe import ledger, runlog
from grokpipe.__main__ import CONF
from grokpipe.config import register, resolve
from grokpipe.fingerprint import fingerprint
from grokpipe.provenance import processor
from grokpipe.schema import flatten, scientific_values

STORED = Path(__file__).parent / "results" / "status.json"
LIMITS = {"without_index": 20.0, "with_index": 3.0}  # seconds, for 100,000 logs
LIMIT_GIGABYTES = 1.0
SEEDS, TURNS = 10_000, 3


def write_sweep(folder: Path, logs: int) -> None:
    """One submission, a hundredth of it unfinished, trained by the present code."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = resolve(compose("config"))
    result = {"state": "done", "steps": config.steps, "reason": "reached its steps"}
    files = {
        runlog.CONFIG: OmegaConf.to_yaml(asdict(config)),
        runlog.PROVENANCE: "{}\n",
        runlog.RESULT: json.dumps({**result, "code": fingerprint(config)}, indent=2),
    }
    values = flatten(scientific_values(config))
    rows = []
    for number in range(logs):
        key = f"{number:016x}"
        decay = 0.001 * (1 + number // SEEDS)
        rows.append({"key": key, **values, "seed": number % SEEDS, "weight_decay": decay})
        log = ledger.cells_folder(folder) / key
        log.mkdir(parents=True)
        for name in [*files][: 2 if number % 100 == 0 else 3]:
            (log / name).write_text(files[name])
    ledger.record_asked(folder, rows)


def timed(folder: Path, logs: int) -> tuple[float, float]:
    """Seconds and most gigabytes of the command."""
    command = [sys.executable, "-m", "analysis", "status", str(folder), "--by", "weight_decay"]
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen([*command, "--json"], stdout=output)
        peak = 0.0
        while process.poll() is None:
            peak = _peak(process.pid) or peak
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        if process.returncode:
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
        output.seek(0)
        assert json.load(output)["states"]["done"] == logs - -(-logs // 100)
    return seconds, peak


def _peak(process: int) -> float | None:
    """Gigabytes that the process has held at most so far; None where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    # unlike resource usage, this does not begin with what the parent held at the fork
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmHWM"].split()[0]) / 2**20 if "VmHWM" in lines else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=100_000)
    parser.add_argument("--store", action="store_true", help=f"write {STORED}")
    options = parser.parse_args()

    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in LIMITS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_sweep(folder, options.logs)
        for _ in range(TURNS):
            (folder / INDEX).unlink(missing_ok=True)
            for name in LIMITS:
                runs[name].append(timed(folder, options.logs))
    result = {
        "logs": options.logs,
        **{
            name: {
                "seconds": round(statistics.median(seconds for seconds, _ in found), 1),
                "limit_seconds": LIMITS[name],
                "peak_gigabytes": round(max(peak for _, peak in found), 2),
                "limit_gigabytes": LIMIT_GIGABYTES,
            }
            for name, found in runs.items()
        },
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }
    print(json.dumps(result, indent=2))
    if options.store:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
