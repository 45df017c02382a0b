"""The schema of gathered tables: columns, types and ranges, checked as the tables are read.

Whatever a table holds besides is configuration (of cells) or a measure (of curves). A table that
breaks the schema is refused in one line that names the column, the value and the key; what can be
read without changing a value is read (`coercion`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from analysis.runs.checks import coercion
from analysis.runs.parts import CELLS
from analysis.runs.rows import CELL_COLUMNS, UNKNOWN
from grokpipe.errors import InputError
from grokpipe.store import manifest

STATES = tuple(state for state in manifest.STATES if state != manifest.MISSING)
WHOLE = {"seed": None, "classes": 2, "steps": 1, "trained_steps": 0}
"""columns of cells that hold whole numbers, each with the least valid one"""
WORDS = ("reason", "data", "commit", "code", "torch", "processor")
"""what is known of how a cell was trained; tables stored before a column was added lack it"""
ACCURACY = "accuracy"
ROUNDING = 1e-6  # an accuracy may lie outside [0, 1] by what float32 rounds


@dataclass(frozen=True)
class _Rows:
    """A file and the keys of its rows, which a refusal names."""

    path: Path
    keys: ArrayLike | None = None

    def refuse(self, wrong: NDArray[np.bool_], column: str, values: Any, valid: str) -> None:
        """Raise InputError for the first row that is wrong, if there is one."""
        if not wrong.any():
            return
        row = int(wrong.argmax())
        value = np.asarray(values)[row]
        missing = value is None or value != value
        shown = f"no {column}" if missing else f"{column}={_shown(value)}"
        key = "" if self.keys is None else f", key {np.asarray(self.keys)[row]}"
        number = f"in {wrong.sum():,} of {len(wrong):,} rows"
        raise InputError(f"{self.path}: {shown}{key}, {number}: {valid}")


def check_cells(table: pa.Table, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The table of cells in our types, sorted by key: CELL_COLUMNS as far as they are there, then
    the configuration; and notes. Raises InputError."""
    require(table.column_names, ["key", "state"], path)
    columns = {name: coercion.plain(table[name]) for name in table.column_names if name != "key"}
    keys = _keys(table["key"], path).astype(object)
    rows = _Rows(path, keys)
    for name, least in WHOLE.items():
        if name in columns:
            columns[name] = _whole(columns[name], name, least, rows)
    states = columns["state"]
    valid = f"must be one of {', '.join(STATES)}"
    rows.refuse((~states.isin(STATES)).to_numpy(bool), "state", states, valid)
    for name in WORDS:
        known = columns.get(name, pd.Series([None] * len(keys), dtype=object))
        columns[name] = known.astype(object).where(known.notna(), UNKNOWN).map(str)
    dirty = columns.get("dirty", pd.Series([UNKNOWN] * len(keys), dtype=object))
    columns["dirty"] = dirty.replace({"True": True, "False": False}).infer_objects()
    first = [name for name in CELL_COLUMNS if name in columns]
    others = [name for name in columns if name not in CELL_COLUMNS]
    cells = pd.DataFrame({"key": keys, **{name: columns[name] for name in (*first, *others)}})
    return _once(cells.sort_values("key", kind="stable", ignore_index=True), ["key"], path)


def check_curves(
    names: Sequence[str],
    read: Callable[[str], pa.ChunkedArray],
    cells: pd.DataFrame,
    path: Path,
    needed: Collection[str],
) -> tuple[pd.DataFrame, list[str]]:
    """The columns `names` of the table of curves in our types, sorted by key and step, and notes.

    The columns `needed` and accuracies must be numbers; others may be words. `read` reads a column:
    one after another, so that millions of rows are not held twice. Raises InputError.
    """
    require(names, ["key", "step"], path)
    keys = _keys(read("key"), path)
    rows = _Rows(path, keys)
    columns: dict[str, Any] = {}
    columns["step"] = _whole(coercion.plain(read("step")), "step", 0, rows).to_numpy()
    for name in names:
        if name not in ("key", "step"):
            columns[name] = _measure(coercion.plain(read(name)), name, name in needed, rows)
    known = pd.Index(cells["key"])
    codes = known.get_indexer(keys.categories).astype(np.int32)[keys.codes]
    if (orphans := codes < 0).any():
        key = keys[int(orphans.argmax())]
        number = f"{orphans.sum():,} of {len(codes):,} rows"
        raise InputError(f"{path}: key {key} has a curve but no cell, {number}: must be in {CELLS}")
    if "steps" in cells:
        budgets = cells["steps"].to_numpy()[codes]
        beyond = columns["step"] > budgets
        rows.refuse(beyond, "step", columns["step"], f"must be ≤ steps of {CELLS}, the budget")
    order = _order(codes, columns["step"])
    if order is not None:
        codes = codes[order]
        columns = {name: values[order] for name, values in columns.items()}
    curves = pd.DataFrame({"key": known.to_numpy(object)[codes], **columns}, copy=False)
    return _once(curves, ["key", "step"], path)


def require(there: Collection[str], names: Collection[str], path: Path, why: str = "") -> None:
    """Raise InputError for the first of these columns that a table does not have."""
    for name in names:
        if name not in there:
            shown = ", ".join(map(str, there))
            raise InputError(f"{path}: no column {name}{why and f', {why}'}; there are: {shown}")


def _keys(column: pa.ChunkedArray, path: Path) -> pd.Categorical:
    """Keys as text; other programs make numbers of them."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    keys = column.unify_dictionaries().combine_chunks()
    keys = keys.chunk(0) if isinstance(keys, pa.ChunkedArray) else keys
    null = keys.is_null().to_numpy(zero_copy_only=False)
    _Rows(path).refuse(null, "key", np.full(len(keys), None), "must be the key of a cell")
    values = coercion.plain(pa.chunked_array([keys.dictionary]))
    texts = keys.dictionary.to_pandas()
    if pd.api.types.is_numeric_dtype(texts.dtype):
        wholes, wrong = coercion.whole(texts)
        texts = values if wrong.any() else wholes
    codes = keys.indices.to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(codes, texts.map(str))


def _whole(values: pd.Series, name: str, least: int | None, rows: _Rows) -> pd.Series:
    numbers, wrong = coercion.whole(values)
    valid = "must be a whole number" + ("" if least is None else f" ≥ {least}")
    if least is not None:
        wrong = wrong | (numbers < least).to_numpy()
    rows.refuse(wrong, name, values, valid)
    return numbers


def _measure(values: pd.Series, name: str, needed: bool, rows: _Rows) -> NDArray[Any]:
    """A measure: numbers, NaN where it is not known; an accuracy within [0, 1]."""
    accuracy = name.rpartition("_")[2] == ACCURACY
    if values.dtype == object:
        parsed = pd.to_numeric(values, errors="coerce")
        words = (parsed.isna() & values.notna()).to_numpy(bool)
        if words.any() and not (needed or accuracy):
            return values.to_numpy()
        rows.refuse(words, name, values, "must be a number")
        values = parsed.astype(float)
    numbers = values.to_numpy()
    if accuracy:
        outside = (numbers < -ROUNDING) | (numbers > 1 + ROUNDING)
        rows.refuse(outside, name, numbers, "must be within [0, 1], a share and not a percentage")
    return numbers


def _order(codes: NDArray[np.int32], step: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """The rows sorted by key and step; None if they are already."""
    same, later = codes[1:] == codes[:-1], step[1:] >= step[:-1]
    if ((codes[1:] > codes[:-1]) | (same & later)).all():
        return None
    return np.lexsort((step, codes))


def _once(table: pd.DataFrame, by: list[str], path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Each row of a sorted table once, with a note if any stood twice. Raises InputError for rows
    that contradict one another."""
    pairs = [table[name].to_numpy() for name in by]
    again = np.logical_and.reduce([values[1:] == values[:-1] for values in pairs])
    rows = np.flatnonzero(again) + 1
    if not len(rows):
        return table, []
    for name in table.columns.difference(by, sort=False):
        before, after = table[name].iloc[rows - 1], table[name].iloc[rows]
        other = (before.to_numpy() != after.to_numpy()) & ~(
            before.isna().to_numpy() & after.isna().to_numpy()
        )
        if other.any():
            at = int(other.argmax())
            of = ", ".join(f"{key} {table[key].iloc[rows[at]]}" for key in by)
            two = " and ".join(_shown(values.iloc[at]) for values in (before, after))
            raise InputError(f"{path}: {of} stands twice, with {name} {two}; valid: once")
    table = table.drop(index=table.index[rows]).reset_index(drop=True)
    number = f"{len(rows):,} row{'s' * (len(rows) != 1)}"
    return table, [f"note: {path}: {number} repeated with equal values: counted once"]


def _shown(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
