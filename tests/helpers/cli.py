"""Commands as a user types them, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
TINY = ("train_size=64", "batch_size=16", "arch.width=12", "steps=40", "threads=1")
SERIAL = "hydra/launcher=serial"  # where processes of their own are not what is tested


def run(arguments: list[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in `cwd` and returns what it printed; never raises for its exit code."""
    return subprocess.run(
        arguments,
        cwd=cwd,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def grokpipe(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "grokpipe", *arguments], cwd, **variables)
