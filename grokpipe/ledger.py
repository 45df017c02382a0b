"""What is known of every cell: what was asked for, and how far it is. Needs no PyTorch."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from grokpipe import runlog

FINISHED = ("done", "diverged")  # never run again; `failed` is


def cells_folder(folder: Path) -> Path:
    return folder / "cells"


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Holds the existing file `path` for this process; False if another one holds it.

    The lock is the system's: it ends with the process, however that ends.
    """
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def record_asked(folder: Path, rows: list[dict[str, Any]]) -> None:
    """One part per submission in `<folder>/asked/`: key, experiment and flat scientific values."""
    asked = folder / "asked"
    asked.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    table = pd.DataFrame(rows).assign(asked=now.isoformat(timespec="seconds"))
    part = asked / f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.parquet"
    with runlog.replacing(part) as temporary:
        table.to_parquet(temporary, index=False)


def read_asked(folder: Path) -> pd.DataFrame:
    """All that was ever asked for in `folder`: a row per submission and cell."""
    parts = [pd.read_parquet(path) for path in sorted((folder / "asked").glob("*.parquet"))]
    return pd.concat(parts) if parts else pd.DataFrame({"key": [], "experiment": []})


def state(folder: Path, key: str) -> str:
    """missing, interrupted (begun, not finished), done, diverged or failed."""
    cell = cells_folder(folder) / key
    if not runlog.is_run_log(cell):
        return "missing"
    result = runlog.read_result(cell)
    return "interrupted" if result is None else str(result["state"])
