"""The rows of one file of another program, as they stand there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.runs.checks import coercion
from grokpipe.errors import InputError


@dataclass(frozen=True)
class Log:
    """Rows of one file, or of one folder of TensorBoard."""

    path: Path
    """where they were read"""
    run: str
    """the name of their run, unless a column of theirs names it"""
    rows: pd.DataFrame
    """a row per evaluation, in the columns of the file"""
    configuration: dict[str, Any] = field(default_factory=dict)
    """values of the run that stand beside the rows, by the file's names"""


def frame(table: pa.Table, path: Path) -> pd.DataFrame:
    """An Arrow table with numbers as float64, int64 or bool, and words as categories.

    Raises InputError where two columns have one name, or there is no row.
    """
    check_once(table.column_names, path)
    if not table.num_rows:
        raise InputError(f"{path}: no rows")
    columns = {}
    for name in table.column_names:
        values = coercion.plain(table[name])
        known = values.dtype != object or pd.api.types.infer_dtype(values, skipna=True) == "boolean"
        columns[str(name)] = values if known else values.astype("category")
    return pd.DataFrame(columns, copy=False)


def check_once(names: Iterable[str], path: Path) -> None:
    """Raise InputError for the first name that stands twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column {twice[0]} stands twice; valid: once")
