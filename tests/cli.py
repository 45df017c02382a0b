"""Commands as a user types them, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
TINY = ("train_size=64", "batch_size=16", "arch.width=12", "steps=40", "threads=1")


def python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `python <arguments>` in `cwd` and returns what it printed; never raises."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def grokpipe(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "grokpipe", *arguments, cwd=cwd, **variables)


def analysis(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return python("-m", "analysis", *arguments, cwd=cwd)
