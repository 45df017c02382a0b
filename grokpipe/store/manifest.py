"""Requested cells and their states, per output folder. Needs no PyTorch."""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import parquet

from grokpipe.config.fields import of_one_type
from grokpipe.errors import InputError
from grokpipe.store import files, run_log

MISSING, RUNNING, INTERRUPTED = "missing", "running", "interrupted"
FINISHED = ("done", "diverged")  # never run again
ENDED = (*FINISHED, "failed")  # a failed cell is run again when it is requested again
STATES = (MISSING, RUNNING, INTERRUPTED, *ENDED)
"""every state of a cell, in the order in which they are shown.

missing: requested, not begun; running: a living process trains it; interrupted: begun, and no
process trains it now; done: at its budget or its stop rule; diverged: its loss or weights left the
finite numbers; failed: it raised, traceback.txt says what.
"""


def cells_folder(folder: Path) -> Path:
    """Folder of the run logs below `outputs/<name>`."""
    return folder / "cells"


def run_logs(folder: Path) -> list[Path]:
    """List the run logs of `folder`, by key. Raises InputError, naming valid folders, for none."""
    logs = [path for path in cells_folder(folder).glob("*") if run_log.is_run_log(path)]
    if not logs:
        near = {path.parent for above in (folder, folder.parent) for path in above.glob("*/cells")}
        valid = ", ".join(sorted(map(str, near))) or "outputs/<name>"
        raise InputError(f"{folder}: no run logs (in a folder cells/); valid: {valid}")
    return sorted(logs)


def record_asked(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Record the cells of one submission as a table in `<folder>/asked/`; return its file.

    Args:
        folder: `outputs/<name>`.
        rows: a cell each: key, experiment and flat scientific values.
    """
    asked = folder / "asked"
    asked.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: of_one_type([row.get(name) for row in rows]) for name in names}
    table = pd.DataFrame(columns).assign(asked=now.isoformat(timespec="seconds"))
    part = asked / f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.parquet"
    with files.replacing(part) as temporary:
        table.to_parquet(temporary, index=False)
    return part


def read_asked(folder: Path) -> pd.DataFrame:
    """Read every cell ever requested in `folder`: one row per submission and cell."""
    paths = sorted((folder / "asked").glob("*.parquet"))
    parts = [pd.read_parquet(path, use_threads=False) for path in paths]
    if not parts:
        return pd.DataFrame({"key": [], "experiment": []})
    # as objects, since a column may be null throughout one request and numbers in another
    return pd.concat([part.astype(object) for part in parts]).infer_objects()


def read_columns(folder: Path, names: Sequence[str]) -> set[tuple[Any, ...]]:
    """Distinct values of these columns of all requested cells; None where a request lacks one."""
    found: set[tuple[Any, ...]] = set()
    for path in (folder / "asked").glob("*.parquet"):
        with parquet.ParquetFile(path) as file:
            present = file.schema_arrow.names
            table = file.read([name for name in names if name in present], use_threads=False)
        nothing = [None] * table.num_rows
        found |= {
            *zip(
                *(table[name].to_pylist() if name in present else nothing for name in names),
                strict=True,
            )
        }
    return found


def states(
    folder: Path, keys: Iterable[str], training: Container[str] = frozenset()
) -> dict[str, str]:
    """State of each cell by key, one of STATES; those in `training` that have no result run."""
    found = {key: run_log.state(cells_folder(folder) / key) for key in keys}
    return {
        key: RUNNING if key in training and state not in ENDED else state
        for key, state in found.items()
    }


def told(counts: Mapping[str, int]) -> str:
    """How many cells are in each state, for people: `10 running, 20 done`."""
    return ", ".join(f"{counts[state]:,} {state}" for state in STATES if counts.get(state))


def all_ended(folder: Path, keys: Iterable[str]) -> bool:
    """Return whether every one of these cells is done, diverged or failed."""
    return all(state in ENDED for state in states(folder, keys).values())
