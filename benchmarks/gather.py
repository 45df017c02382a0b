"""Time `python -m analysis gather` and the commands that read what it gathered, on many run logs.

Writes run logs of one sweep (300 rows of 25 measures from the stored reference runs; so many weight
decays with as many seeds each) into a folder, times the command `gather` the first time and after
ten more logs, then `timescales`, `compare`, `fit` and `figures`, and prints each with its processor
time (on a busy machine the wall time is not the command's own), its peak memory and its limits.
--store keeps the numbers.

    python -m benchmarks.gather [--logs 10000] [--arms 10] [--folder FOLDER] [--store]
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from benchmarks._common import RESULTS, machine, measured, show
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.provenance.origin import provenance
from grokpipe.store import run_log

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "outputs" / "reference" / "collapse" / "weight_decay" / "curves.parquet"
ROWS, MEASURES, MORE = 300, 25, 10
SCALES = 10  # arms differ by as many factors of their steps
LIMITS = (
    {"first": (30.0, None), "ten_more": (4.0, None)}
    | {command: (10.0, 0.8) for command in ("timescales", "compare", "fit")}
    | {"figures": (15.0, 1.0)}
)  # seconds and gigabytes, for 10,000 logs of 10 arms
COMMANDS = {
    "timescales": [],
    "compare": ["--event", "t_mem", "--by", "weight_decay", "--baseline", "0.1"],
    "fit": ["--event", "t_mem"],
    "figures": ["--by", "weight_decay"],
}


class Sweep:
    """A sweep's run logs in a folder, as training writes them."""

    def __init__(self, folder: Path, arms: int):
        self.folder, self.arms = folder, arms
        register()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            self.config = OmegaConf.to_yaml(asdict(resolve(compose("config", ["arch.depth=2"]))))
        self.provenance = json.dumps(
            provenance() | {"dirty": False, "data": {"classes": 10, "fingerprint": "f" * 16}},
            indent=2,
        )
        self.result = json.dumps({"state": "done", "steps": 100_000, "reason": "reached its steps"})
        self.curves = self._write_curves()

    def _write_curves(self) -> list[list[Path]]:
        """Write a file for each scale and reference run, its rows repeated until there are
        enough."""
        (self.folder / "curves").mkdir(parents=True)
        paths: list[list[Path]] = [[] for _ in range(SCALES)]
        for key, run in pd.read_parquet(REFERENCE).groupby("key"):
            table = run.iloc[:, 1 : 2 + MEASURES]
            table = pd.concat([table] * (1 + ROWS // len(table)))[:ROWS]
            for scale in range(SCALES):
                path = self.folder / "curves" / f"{key}_{scale}.parquet"
                steps = range(0, ROWS * (1 + scale), 1 + scale)
                table.assign(step=steps).to_parquet(path, index=False)
                paths[scale].append(path)
        return paths

    def add(self, first: int, logs: int) -> None:
        """Write run logs from number `first` on."""
        for number in range(first, first + logs):
            seed, arm = divmod(number, self.arms)
            log = self.folder / "cells" / f"{number:016x}"
            log.mkdir(parents=True)
            values = {"seed": seed, "weight_decay": round(1 / (10 + arm), 6)}
            (log / run_log.CONFIG).write_text(_replaced(self.config, values))
            (log / run_log.PROVENANCE).write_text(self.provenance)
            of_scale = self.curves[arm % SCALES]
            shutil.copy(of_scale[(7 * seed + arm) % len(of_scale)], log / run_log.CURVES)
            (log / run_log.RESULT).write_text(self.result)


def _replaced(config: str, values: dict[str, float]) -> str:
    """Replace values in the YAML text, in groups too."""
    lines = config.splitlines(keepends=True)
    for at, line in enumerate(lines):
        name = line.partition(":")[0]
        if name.strip() in values:
            lines[at] = f"{name}: {values[name.strip()]}\n"
    return "".join(lines)


def run(folder: Path, logs: int, arms: int) -> dict[str, dict[str, float | None]]:
    """Write the run logs and time each command, by its name."""
    sweep = Sweep(folder, arms)
    results = {}
    for name, first, number in (("first", 0, logs), ("ten_more", logs, MORE)):
        sweep.add(first, number)
        results[name] = measured([sys.executable, "-m", "analysis", "gather", str(folder)])
    for name, options in COMMANDS.items():
        command = [sys.executable, "-m", "analysis", name, str(folder), *options]
        results[name] = measured(command)
    return {
        name: {
            **numbers,
            "limit_seconds": LIMITS[name][0],
            "limit_gigabytes": LIMITS[name][1],
        }
        for name, numbers in results.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=10_000)
    parser.add_argument("--arms", type=int, default=10, help="weight decays; default: 10")
    parser.add_argument("--folder", type=Path, help="keep the run logs in this new folder")
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        results = run(options.folder or Path(temporary) / "runs", options.logs, options.arms)
    result = {
        "logs": options.logs,
        "arms": options.arms,
        "rows": ROWS,
        "measures": MEASURES,
        **results,
        "machine": machine(),
    }
    show(result, "gather", options.store)


if __name__ == "__main__":
    main()
