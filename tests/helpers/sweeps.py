"""Sweeps in processes of their own, as a user starts them, and what they leave."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from analysis.runs import gather
from analysis.runs.tables import write_gathered
from grokpipe.store import lease
from tests.helpers.cli import ENVIRONMENT

GRID = (
    "train_size=64", "batch_size=16", "arch.width=12", "threads=1", "pack.width=3", "seed=range(6)",
    "weight_decay=0.1,0.3", "eval={schedule: regular, every: 1000}", "measures.names=[weights]",
    "checkpoint.every=0.1",
)  # fmt: skip
LONG = (*GRID, "steps=3000")


def start(cwd: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grokpipe", "-m", *arguments],
        cwd=cwd, env={**ENVIRONMENT, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def workers(folder: Path) -> list[int]:
    """The processes of workers that live."""
    found = map(lease.read_live, (folder / "workers").glob("*.claim"))
    return [claim["pid"] for claim in found if claim is not None]


def results(folder: Path) -> dict[str, dict]:
    found = (folder / "cells").glob("*/result.json")
    return {path.parent.name: json.loads(path.read_text()) for path in found}


def assert_same_tables(folder: Path, expected: Path) -> None:
    for path in (folder, expected):
        shutil.rmtree(path / "gathered", ignore_errors=True)
        write_gathered(gather.read(path), path / "gathered")
    ours, theirs = (path / "gathered/curves.parquet" for path in (folder, expected))
    assert ours.read_bytes() == theirs.read_bytes()
    assert results(folder) == results(expected)
