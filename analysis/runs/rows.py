"""Read run logs as rows of the two tables, in Arrow."""

from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grokpipe.config.fields import of_one_type
from grokpipe.store import files, manifest, run_log
from grokpipe.store.configuration import read_scientific
from grokpipe.store.remeasured import REMEASURED

CELL_COLUMNS = [
    "key", "state", "trained_steps", "reason", "classes", "data", "commit", "dirty", "code",
    "torch", "processor",
]  # fmt: skip
UNKNOWN = "unknown"
PROCESSOR_SEPARATOR = "; "  # between names of processors, which contain spaces


def read(logs: Sequence[Path], training: Container[str] = frozenset()) -> tuple[pa.Table, pa.Table]:
    """Read (curves, cells) of run logs: a row per key and step, and a row per key.

    An unfinished cell is running if its key is in `training`, else interrupted.

    Curves have key, step, measures and configuration; cells have CELL_COLUMNS and configuration.
    Columns that the first log lacks come last; they are null in the logs that lack them.
    """
    measured, values = zip(*(_read_log(log, training) for log in logs), strict=True)
    cells = _table(values)
    repeated = _encoded(cells).take(
        np.repeat(np.arange(len(logs)), [len(table) for table in measured])
    )
    curves = _columns(pa.concat_tables(measured, promote_options="permissive").combine_chunks())
    curves |= _columns(repeated.drop_columns(CELL_COLUMNS[1:]))
    order = dict.fromkeys(
        name
        for table, row in zip(measured, values, strict=True)
        for name in ("key", *table.column_names, *row)
        if name in curves
    )
    return pa.table({name: curves[name] for name in order}), cells


def single_values(column: pd.Series) -> list[str]:
    """Split the texts of a column of CELL_COLUMNS, each of which may hold several values."""
    separator = PROCESSOR_SEPARATOR if column.name == "processor" else None
    return [value for text in column for value in text.split(separator)]


def _read_log(log: Path, training: Container[str]) -> tuple[pa.Table, dict[str, Any]]:
    """Read the curves with every measure, and the row of the cell."""
    result = run_log.read_result(log)
    curves = _with_remeasured(_read_curves(log, finished=result is not None), log)
    if result is None:
        last = curves["step"][-1].as_py() if curves.num_rows else 0
        state = manifest.RUNNING if log.name in training else manifest.INTERRUPTED
        result = {"state": state, "steps": last, "reason": "not finished"}
    provenance = files.read_json(log / run_log.PROVENANCE)
    sessions = [provenance, *provenance.get("resumed", [])]
    cell = dict(
        zip(
            CELL_COLUMNS,
            (
                log.name, result["state"], result["steps"], result["reason"],
                provenance["data"]["classes"], provenance["data"]["fingerprint"],
                _all_of(session["commit"] for session in sessions),
                any(session["dirty"] for session in sessions),
                _all_of(session.get("code") for session in sessions),
                _all_of(session["versions"]["torch"] for session in sessions),
                _all_of(
                    (session.get("processor") for session in sessions), PROCESSOR_SEPARATOR
                ),
            ),
            strict=True,
        )
    )  # fmt: skip
    return curves, cell | read_scientific(log)


def _read_curves(log: Path, finished: bool) -> pa.Table:
    """Read the curves as `run_log.read_curves` does, avoiding pandas where that is slow."""
    path = log / run_log.CURVES
    if finished and path.exists():
        return _read_parquet(path)
    return pa.Table.from_pandas(run_log.read_curves(log), preserve_index=False)


def _with_remeasured(curves: pa.Table, log: Path) -> pa.Table:
    """Add the remeasured columns to the curves, null at steps without a snapshot."""
    path = log / REMEASURED
    if not path.exists():
        return curves
    later = _read_parquet(path)
    at = pc.index_in(curves["step"], value_set=later["step"])
    new = later.drop_columns([name for name in later.column_names if name in curves.column_names])
    return pa.table(_columns(curves) | _columns(new.take(at)))


def _read_parquet(path: Path) -> pa.Table:
    # read_table would first look for a data set of several files, which takes longer than reading
    return pq.ParquetFile(path).read(use_threads=False)


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: of_one_type([row.get(name) for row in rows]) for name in names})


def _encoded(table: pa.Table) -> pa.Table:
    """Encode columns of words as dictionaries, which are faster to repeat and to write."""
    columns = _columns(table)
    for name, column in columns.items():
        if pa.types.is_string(column.type):
            columns[name] = column.dictionary_encode()
    return pa.table(columns)


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _all_of(values: Iterable[str | None], separator: str = " ") -> str:
    """Join the distinct values in their order: a run may resume under new code or elsewhere."""
    return separator.join(dict.fromkeys(value or UNKNOWN for value in values))
