"""JSON lines: an object per evaluation, as loops of one's own and W&B's `run.history` write them.

Nested objects become dotted names. A file that is one JSON list of objects is read too.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.adopt.logs import Log
from analysis.runs.checks import coercion
from grokpipe.config.fields import flatten
from grokpipe.errors import InputError

ENDINGS = (".jsonl", ".ndjson", ".json")


def read(path: Path, run: str) -> list[Log]:
    """Read a file; a last line that was cut off, by a kill or a full disk, is left out.

    Raises InputError for another broken line, which it names, and for a file without rows.
    """
    text = path.read_text(errors="replace")
    rows = list(_list(text, path) if text.lstrip().startswith("[") else _lines(text, path))
    if not rows:
        raise InputError(f"{path}: no rows")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    return [Log(path, run, pd.DataFrame(columns, copy=False))]


def _lines(text: str, path: Path) -> Iterator[dict[str, Any]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _row(json.loads(line))
        except ValueError as error:
            if number == len(lines) > 1:  # without its end
                return
            shown = line if len(line) <= 60 else f"{line[:60]}…"
            raise InputError(f"{path}, line {number}: {error}: {shown}") from error


def _list(text: str, path: Path) -> Iterator[dict[str, Any]]:
    try:
        for row in json.loads(text):
            yield _row(row)
    except ValueError as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from error


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    nested = any(isinstance(item, dict | list) for item in value.values())
    return flatten(value) if nested else value


def _column(values: list[Any]) -> pd.Series:
    """Numbers, if all are, with what W&B writes for those that are none ("NaN", "Infinity")."""
    column = pd.Series(values)
    if column.dtype != object:
        return column
    known = column.dropna()
    if known.map(type).isin([int, float, str]).all():
        numbers = pd.to_numeric(known, errors="coerce")
        missing = known.isin(coercion.MISSING)
        if (numbers.notna() | missing).all():
            return numbers.astype(float).reindex(column.index)
    if known.map(type).eq(bool).all():
        return column
    return column.map(str, na_action="ignore").astype("category")
