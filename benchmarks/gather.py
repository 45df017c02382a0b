"""Time `python -m analysis gather` on many run logs, and again after ten more.

Writes run logs of one sweep (300 rows of 25 measures from the stored reference runs, each with its
own seed, weight decay and key) into a temporary folder, times the whole command the first time and
after ten more logs, and prints both with their limits and the command's peak memory. --store keeps
the numbers.

    python -m benchmarks.gather [--logs 10000] [--store]
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

from benchmarks._common import RESULTS, machine, show, timed
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.provenance.origin import provenance
from grokpipe.store import run_log

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "outputs" / "reference" / "collapse" / "weight_decay" / "curves.parquet"
ROWS, MEASURES, MORE = 300, 25, 10
LIMITS = {"first": 30.0, "ten_more": 4.0}  # seconds, for 10,000 logs


class Sweep:
    """A sweep's run logs in a folder, as training writes them."""

    def __init__(self, folder: Path):
        self.folder = folder
        register()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            self.config = OmegaConf.to_yaml(asdict(resolve(compose("config", ["arch.depth=2"]))))
        self.provenance = json.dumps(
            provenance() | {"dirty": False, "data": {"classes": 10, "fingerprint": "f" * 16}},
            indent=2,
        )
        self.result = json.dumps({"state": "done", "steps": 100_000, "reason": "reached its steps"})
        self.curves = self._write_curves()

    def _write_curves(self) -> list[Path]:
        """Write a file for each reference run, its rows repeated until there are enough."""
        (self.folder / "curves").mkdir()
        paths = []
        for key, run in pd.read_parquet(REFERENCE).groupby("key"):
            table = run.iloc[:, 1 : 2 + MEASURES]
            table = pd.concat([table] * (1 + ROWS // len(table)))[:ROWS].assign(step=range(ROWS))
            paths.append(self.folder / "curves" / f"{key}.parquet")
            table.to_parquet(paths[-1], index=False)
        return paths

    def add(self, first: int, logs: int) -> None:
        """Write run logs from number `first` on."""
        for number in range(first, first + logs):
            log = self.folder / "cells" / f"{number:016x}"
            log.mkdir(parents=True)
            values = {"seed": number, "weight_decay": round(1e-4 * (1 + number), 4)}
            (log / run_log.CONFIG).write_text(_replaced(self.config, values))
            (log / run_log.PROVENANCE).write_text(self.provenance)
            shutil.copy(self.curves[number % len(self.curves)], log / run_log.CURVES)
            (log / run_log.RESULT).write_text(self.result)


def _replaced(config: str, values: dict[str, float]) -> str:
    """Replace values in the YAML text, in groups too."""
    lines = config.splitlines(keepends=True)
    for at, line in enumerate(lines):
        name = line.partition(":")[0]
        if name.strip() in values:
            lines[at] = f"{name}: {values[name.strip()]}\n"
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=10_000)
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()

    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        sweep = Sweep(Path(temporary))
        for name, first, logs in (("first", 0, options.logs), ("ten_more", options.logs, MORE)):
            sweep.add(first, logs)
            seconds, gigabytes = timed(
                [sys.executable, "-m", "analysis", "gather", str(sweep.folder)]
            )
            results[name] = {
                "seconds": round(seconds, 1),
                "limit_seconds": LIMITS[name],
                "peak_gigabytes": round(gigabytes, 2),
            }
    result = {
        "logs": options.logs,
        "rows": ROWS,
        "measures": MEASURES,
        **results,
        "machine": machine(),
    }
    show(result, "gather", options.store)


if __name__ == "__main__":
    main()
