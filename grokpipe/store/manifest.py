"""What is known of every cell: what was asked for, and how far it is. Needs no PyTorch."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from grokpipe.config.fields import of_one_type
from grokpipe.store import files, run_log

FINISHED = ("done", "diverged")  # never run again
ENDED = (*FINISHED, "failed")  # the last is run again when it is asked for again


def cells_folder(folder: Path) -> Path:
    return folder / "cells"


def record_asked(folder: Path, rows: list[dict[str, Any]]) -> None:
    """One part per submission in `<folder>/asked/`: key, experiment and flat scientific values."""
    asked = folder / "asked"
    asked.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: of_one_type([row.get(name) for row in rows]) for name in names}
    table = pd.DataFrame(columns).assign(asked=now.isoformat(timespec="seconds"))
    part = asked / f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.parquet"
    with files.replacing(part) as temporary:
        table.to_parquet(temporary, index=False)


def read_asked(folder: Path) -> pd.DataFrame:
    """All that was ever asked for in `folder`: a row per submission and cell."""
    parts = [pd.read_parquet(path) for path in sorted((folder / "asked").glob("*.parquet"))]
    return pd.concat(parts) if parts else pd.DataFrame({"key": [], "experiment": []})


def states(folder: Path, keys: Iterable[str]) -> dict[str, str]:
    """missing, interrupted (begun, not finished), done, diverged or failed, by key."""
    return {key: run_log.state(cells_folder(folder) / key) for key in keys}


def all_ended(folder: Path, keys: Iterable[str]) -> bool:
    return all(state in ENDED for state in states(folder, keys).values())
