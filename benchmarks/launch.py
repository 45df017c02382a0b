"""Time launching: submitting 1,000 cells to SLURM, repeating the command once all are done, and a
grid on all local cores against the training inside its packs.

    python -m benchmarks.launch [--store]

The first needs root on Debian, to start a SLURM (tests/end_to_end/slurm/cluster.sh); otherwise it
is skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._common import RESULTS, machine, show
from grokpipe.training.device import cores

ROOT = Path(__file__).resolve().parents[1]
CLUSTER = ROOT / "tests/end_to_end/slurm/cluster.sh"
LIMITS = {"submitted": 8.0, "all_done": 5.0, "local": 1.25}

QUICK = (  # so that a thousand cells can be done in a minute
    "task=mod_add", "task.p=5", "task.fraction=0.6", "arch.width=8", "arch.heads=1",
    "arch.feedforward=8", "batch_size=8", "steps=2", "measures.names=[weights]", "save.final=false",
    "seed=range(1000)",
)  # fmt: skip
GRID = ("weight_decay=0.3,0.1,0.01,0.003", "seed=range(10)", "steps=2000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    store = parser.parse_args().store
    results = {**thousand(), **local(), "machine": machine()}
    for name, limit in LIMITS.items():
        if name in results:
            print(f"{name}: {results[name]:.2f} (at most {limit:g})")
    show(results, "launch", store)


def thousand() -> dict[str, float]:
    """Time the whole command in seconds, until the array is submitted and once all is done."""
    results = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        up = subprocess.run([CLUSTER, "up", folder / "slurm"], capture_output=True, text=True)
        if up.returncode == 0:
            os.environ["SLURM_CONF"] = str(folder / "slurm/slurm.conf")
            try:
                slurm = ("hydra/launcher=slurm", "hydra.launcher.wait=false", "name=slurm")
                results["submitted"] = seconds(folder, *slurm, "pack.width=10", *QUICK)
                arrays = [path.stem for path in (folder / "outputs/slurm/jobs").glob("*.json")]
                subprocess.run(["scancel", *arrays], check=True)
                results["arrays"] = len(arrays)
            finally:
                subprocess.run([CLUSTER, "down", folder / "slurm"], check=False)
        else:
            print(f"no SLURM: {up.stderr.strip()}", file=sys.stderr)
        seconds(folder, "pack.width=100", *QUICK)
        results["all_done"] = seconds(folder, *QUICK)
    return results


def local() -> dict[str, float]:
    """Wall time of a grid's command over that of its packs spread on all cores."""
    with tempfile.TemporaryDirectory() as text:
        whole = seconds(Path(text), *GRID)
        packs: dict[str, float] = {}
        for path in Path(text).glob("outputs/default/cells/*/provenance.json"):
            provenance = json.loads(path.read_text())
            pack, took = provenance["pack"], provenance["wall_seconds"]
            packs[pack] = max(packs.get(pack, 0.0), took)
    inside = sum(packs.values()) / cores()
    return {"local": whole / inside, "local_seconds": whole, "local_packs": len(packs)}


def seconds(cwd: Path, *arguments: str) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "grokpipe", "-m", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
