"""Time `python -m analysis status` on many run logs, without its index and with it.

Writes run logs of one sweep, without curves, and their requests into a temporary folder, and runs
the whole command in turns, after deleting the index and after writing it. Prints the median seconds
and the peak memory of the command, with their limits. --store keeps the numbers.

    python -m benchmarks.status [--logs 100000] [--store]
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from analysis.runs.results import INDEX
from benchmarks._common import RESULTS, machine, show, timed
from grokpipe.config.composing import CONF
from grokpipe.config.fields import flatten, scientific_values
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.provenance.fingerprint import fingerprint
from grokpipe.store import manifest, run_log

LIMITS = {"without_index": 20.0, "with_index": 3.0}  # seconds, for 100,000 logs
LIMIT_GIGABYTES = 1.0
SEEDS, TURNS = 10_000, 3


def write_sweep(folder: Path, logs: int) -> None:
    """Write one submission trained by the present code, a hundredth of it unfinished."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = resolve(compose("config", ["arch.depth=2"]))
    result = {"state": "done", "steps": config.steps, "reason": "reached its steps"}
    files = {
        run_log.CONFIG: OmegaConf.to_yaml(asdict(config)),
        run_log.PROVENANCE: "{}\n",
        run_log.RESULT: json.dumps({**result, "code": fingerprint(config)}, indent=2),
    }
    values = flatten(scientific_values(config))
    rows = []
    for number in range(logs):
        key = f"{number:016x}"
        decay = 0.001 * (1 + number // SEEDS)
        rows.append({"key": key, **values, "seed": number % SEEDS, "weight_decay": decay})
        log = manifest.cells_folder(folder) / key
        log.mkdir(parents=True)
        for name in [*files][: 2 if number % 100 == 0 else 3]:
            (log / name).write_text(files[name])
    manifest.record_asked(folder, rows)


def status_seconds(folder: Path, logs: int) -> tuple[float, float]:
    """Run the command and check its result; return seconds and peak gigabytes."""
    command = [sys.executable, "-m", "analysis", "status", str(folder), "--by", "weight_decay"]
    with tempfile.TemporaryFile() as output:
        measured = timed([*command, "--json"], output)
        output.seek(0)
        assert json.load(output)["states"]["done"] == logs - -(-logs // 100)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=100_000)
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()

    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in LIMITS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_sweep(folder, options.logs)
        for _ in range(TURNS):
            (folder / INDEX).unlink(missing_ok=True)
            for name in LIMITS:
                runs[name].append(status_seconds(folder, options.logs))
    result = {
        "logs": options.logs,
        **{
            name: {
                "seconds": round(statistics.median(seconds for seconds, _ in turns), 1),
                "limit_seconds": LIMITS[name],
                "peak_gigabytes": round(max(peak for _, peak in turns), 2),
                "limit_gigabytes": LIMIT_GIGABYTES,
            }
            for name, turns in runs.items()
        },
        "machine": machine(),
    }
    show(result, "status", options.store)


if __name__ == "__main__":
    main()
