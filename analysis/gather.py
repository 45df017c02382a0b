"""Run logs → two tidy tables: `curves` (a row per key and step) and `cells` (a row per key).

In a folder of run logs the tables are directories of parts, `curves.parquet/` and
`cells.parquet/`, which pandas and pyarrow read like files. A part is written once for the cells
that finished since the last time; cells that are not finished have a part of their own, made anew
each time. Elsewhere (outputs/reference) the same two names are single files.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from grokpipe import ledger, runlog
from grokpipe.errors import InputError

CURVES, CELLS = "curves.parquet", "cells.parquet"
INDEX = "_index.json"  # readers of Parquet folders pass over names with an underscore
UNFINISHED = "unfinished.parquet"


@dataclass(frozen=True)
class Tables:
    """All runs of a folder, sorted by key and step, without wall times."""

    curves: pd.DataFrame
    """key, step, every measure, then the scientific configuration by dotted name"""
    cells: pd.DataFrame
    """key, state, trained_steps, reason, classes, data, commit, dirty, torch, configuration"""

    @property
    def configuration(self) -> list[str]:
        """The names of the configuration columns."""
        return list(self.cells.columns[len(CELL_COLUMNS) :])


CELL_COLUMNS = [
    "key", "state", "trained_steps", "reason", "classes", "data", "commit", "dirty", "torch",
]  # fmt: skip


def gather(folder: Path) -> list[str]:
    """Brings the tables of a folder of run logs up to date; returns what a user should know."""
    logs = sorted(path for path in ledger.cells_folder(folder).iterdir())
    strangers = [path for path in logs if not runlog.is_run_log(path)]
    logs = [path for path in logs if runlog.is_run_log(path)]
    finished = {path.name: _stamp(path) for path in logs if (path / runlog.RESULT).exists()}
    unfinished = [path for path in logs if path.name not in finished]

    index = _read_index(folder)
    if any(finished.get(key) != stamp for key, stamp in index["keys"].items()):
        index = {"parts": 0, "keys": {}}  # a cell is gone or was run again: gather all anew
    new = [path for path in logs if path.name in finished and path.name not in index["keys"]]
    tables = {part: _read_logs(some) for part, some in (("new", new), (UNFINISHED, unfinished))}
    columns = sorted({name for pair in tables.values() for table in pair for name in table})
    if index["parts"] and not set(columns) <= set(index["columns"]):
        # other readers take the columns of the first part for those of all: write it anew
        index = {"parts": 0, "keys": {}}
        new = [path for path in logs if path.name in finished]
        tables["new"] = _read_logs(new)
    _drop_parts_from(folder, index["parts"])
    if new:
        _write_part(folder, f"part-{index['parts']:06d}.parquet", tables["new"])
        stamps = {path.name: finished[path.name] for path in new}
        index = {
            "parts": index["parts"] + 1,
            "columns": index.get("columns", columns),
            "keys": index["keys"] | stamps,
        }
        runlog.write_json(folder / CELLS / INDEX, index)
    if unfinished:
        _write_part(folder, UNFINISHED, tables[UNFINISHED])

    told = [
        f"{folder}: {len(new)} new, {len(finished) - len(new)} gathered before, "
        f"{len(unfinished)} not finished"
    ]
    told += [f"skipped {path}: not a run log" for path in strangers]
    return told


def read(folder: Path) -> Tables:
    """The tables of a folder of run logs, gathered first, or of a folder of gathered tables."""
    if ledger.cells_folder(folder).is_dir():
        gather(folder)
        if not (folder / CURVES).exists():
            raise InputError(f"{folder}: no run log in {ledger.cells_folder(folder)} yet")
    if not (folder / CURVES).exists() or not (folder / CELLS).exists():
        raise InputError(
            f"{folder}: neither run logs (a folder cells/) nor gathered tables "
            f"({CURVES} and {CELLS})"
        )
    return Tables(
        curves=_read_table(folder / CURVES).sort_values(["key", "step"], ignore_index=True),
        cells=_read_table(folder / CELLS).sort_values("key", ignore_index=True),
    )


def write(tables: Tables, folder: Path) -> None:
    """The tables as two single files, as they are kept under outputs/reference."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ((CURVES, tables.curves), (CELLS, tables.cells)):
        with runlog.replacing(folder / name) as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")


def of_experiment(tables: Tables, folder: Path, experiment: str) -> Tables:
    """The cells that `experiment` asked for in a folder of run logs, which others may share.
    Raises InputError if it never did."""
    asked = ledger.read_asked(folder)
    keys = asked["key"][asked["experiment"] == experiment]
    if not len(keys):
        valid = ", ".join(sorted(asked["experiment"].dropna().unique())) or "none"
        raise InputError(f"--experiment {experiment}: not asked for in {folder}; valid: {valid}")
    return Tables(
        tables.curves[tables.curves["key"].isin(keys)], tables.cells[tables.cells["key"].isin(keys)]
    )


def mixtures(tables: Tables) -> list[str]:
    """One line each where cells were trained by different code or software."""
    told = []
    for column in ("commit", "torch"):
        values = {value for text in tables.cells[column] for value in text.split()}
        if len(values) > 1:
            told.append(f"note: cells were trained by {len(values)} versions of {column}")
    if tables.cells["dirty"].eq(True).any():
        told.append("note: some cells were trained by code that differs from its commit")
    return told


def varied(tables: Tables) -> list[str]:
    """Configuration columns with more than one value, the seed and repetitions left out."""
    several = [c for c in tables.configuration if tables.cells[c].nunique(dropna=False) > 1]
    return [
        column
        for column in several
        if column != "seed" and not _repeats_a_dial(tables.cells, column)
    ]


def _repeats_a_dial(cells: pd.DataFrame, column: str) -> bool:
    """Whether `group.x` is the dial `x` again, from which the group takes its value."""
    group, _, dial = column.rpartition(".")
    return bool(group) and dial in cells and cells[dial].equals(cells[column])


def _stamp(log: Path) -> int:
    return (log / runlog.RESULT).stat().st_mtime_ns


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / CELLS / INDEX).read_text())
        return index
    except (FileNotFoundError, ValueError):
        return {"parts": 0, "keys": {}}


def _drop_parts_from(folder: Path, first: int) -> None:
    """Removes parts that the index does not know: old ones, unfinished ones, those of a crash."""
    known = {f"part-{number:06d}.parquet" for number in range(first)}
    for name in (CURVES, CELLS):
        if (folder / name).is_file():  # single files were put where the parts belong
            raise InputError(f"{folder / name}: a file where the parts of this folder belong")
        for path in (folder / name).glob("*.parquet"):
            if path.name not in known:
                path.unlink()
    if first == 0:
        shutil.rmtree(folder / CELLS, ignore_errors=True)


def _write_part(folder: Path, part: str, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    for name, table in zip((CURVES, CELLS), tables, strict=True):
        (folder / name).mkdir(exist_ok=True)
        with runlog.replacing(folder / name / part) as temporary:
            table.to_parquet(temporary, index=False)


def _read_logs(logs: Sequence[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not logs:
        return pd.DataFrame(), pd.DataFrame()
    curves, cells = zip(*(_read_log(log) for log in logs), strict=True)
    return _concat(curves), _concat(cells)


def _read_log(log: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One run log as its rows of both tables."""
    key, curves = log.name, runlog.read_curves(log)
    result = runlog.read_result(log)
    last = int(curves["step"].iloc[-1]) if len(curves) else 0
    if result is None:
        result = {"state": "interrupted", "steps": last, "reason": "not finished"}
    provenance = runlog.read_json(log / runlog.PROVENANCE)
    sessions = [provenance, *provenance.get("resumed", [])]
    cell = dict(
        zip(
            CELL_COLUMNS,
            (
                key, result["state"], result["steps"], result["reason"],
                provenance["data"]["classes"], provenance["data"]["fingerprint"],
                _all_of(session["commit"] for session in sessions),
                any(session["dirty"] for session in sessions),
                _all_of(session["versions"]["torch"] for session in sessions),
            ),
            strict=True,
        )
    )  # fmt: skip
    values = {
        name: float("nan") if value is None else value
        for name, value in runlog.read_scientific(log).items()
    }
    curves.insert(0, "key", key)
    return curves.assign(**values), pd.DataFrame([{**cell, **values}])


def _all_of(values: Iterable[str | None]) -> str:
    """The different values in their order, as one text: a run may have gone on under new code."""
    return " ".join(dict.fromkeys(value or "unknown" for value in values))


def _read_table(path: Path) -> pd.DataFrame:
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return _concat([pd.read_parquet(part) for part in parts])


def _concat(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or list(tables)[:1], ignore_index=True)
