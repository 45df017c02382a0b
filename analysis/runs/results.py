"""Results of all cells of a folder, each read once and then kept in an index.

The index is `status.parquet` beside `cells/`. It repeats the run logs and may be deleted at any
time.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from grokpipe.store import files, manifest, run_log

INDEX = "status.parquet"
SCHEMA = pa.schema(  # an index with other columns is ignored and rewritten
    {
        "key": pa.string(), "stamp": pa.int64(), "state": pa.string(), "steps": pa.int64(),
        "code": pa.string(), "reason": pa.string(),
    }
)  # fmt: skip
REASON = 200  # characters that are kept


class Result(NamedTuple):
    """Contents of a `result.json`."""

    stamp: int
    """modification time in ns, which changes when the cell is run again"""
    state: str
    """done, diverged or failed"""
    steps: int
    code: str
    """fingerprints of the scientific code, separated by spaces; empty if not recorded"""
    reason: str


def read(folder: Path) -> tuple[dict[str, Result], list[str]]:
    """Read the results by key, and the keys of the run logs without a result."""
    known = _read_index(folder)
    cells = manifest.cells_folder(folder)
    results: dict[str, Result] = {}
    begun = []
    for key in os.listdir(cells) if cells.is_dir() else ():
        path = f"{cells}/{key}/{run_log.RESULT}"
        try:
            stamp = os.stat(path).st_mtime_ns
            result = known.get(key)
            if result is None or result.stamp != stamp:
                result = _read_result(path, stamp)
            results[key] = result
        except (FileNotFoundError, NotADirectoryError):
            if run_log.is_run_log(cells / key):
                begun.append(key)
    if results != known:
        with contextlib.suppress(OSError):  # an index only saves time
            _write_index(folder, results)
    return results, begun


def _read_result(path: str, stamp: int) -> Result:
    """Read a result; a damaged file gives a failed result. Raises FileNotFoundError."""
    with open(path, "rb") as file:
        text = file.read()
    try:
        result = json.loads(text)
        if result["state"] in manifest.ENDED:
            code, reason = str(result.get("code") or ""), str(result["reason"])[:REASON]
            return Result(stamp, result["state"], int(result["steps"]), code, reason)
    except (ValueError, TypeError, KeyError):
        pass
    return Result(stamp, "failed", 0, "", f"{run_log.RESULT} is damaged")


def _read_index(folder: Path) -> dict[str, Result]:
    """Read the results as of the last time; empty if the index is missing or damaged."""
    try:
        with pq.ParquetFile(folder / INDEX, page_checksum_verification=True) as file:
            table = file.read(use_threads=False)
        if table.schema != SCHEMA:
            return {}
        keys, *rest = (column.to_pylist() for column in table.columns)
    except (OSError, ValueError, pa.ArrowException):
        return {}
    return dict(zip(keys, map(Result._make, zip(*rest, strict=True)), strict=True))


def _write_index(folder: Path, results: dict[str, Result]) -> None:
    columns = [[*results], *zip(*results.values(), strict=True)] if results else [[]] * len(SCHEMA)
    table = pa.table(columns, schema=SCHEMA)
    repeated = [name for name in SCHEMA.names if name not in ("key", "stamp")]
    with files.replacing(folder / INDEX) as temporary:
        pq.write_table(table, temporary, use_dictionary=repeated, write_page_checksum=True)
