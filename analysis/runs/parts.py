"""The two tables of a folder of run logs, as directories of Parquet files that others read as one.

part-000000.parquet   some hundred finished cells; written once
unfinished.parquet    the cells that are not finished; made anew each time
columns.parquet       all columns and no row; sorts first, and readers take the columns of the
                      first file for those of all
_index.json           in cells.parquet/: which cells a part holds, and the stamps of their logs
"""

import json
import shutil
from collections.abc import Container, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grokpipe.errors import InputError
from grokpipe.store import files

CURVES, CELLS = "curves.parquet", "cells.parquet"
UNFINISHED, COLUMNS = "unfinished.parquet", "columns.parquet"
INDEX = "_index.json"  # readers of Parquet folders pass over names with an underscore
FORMAT = 3  # raised when run logs come to give other columns: what is gathered is then dropped

Index = dict[str, dict[str, list[int]]]
"""part → key → stamp"""


def read_index(folder: Path) -> Index:
    """The parts that are there; none of those of another format."""
    try:
        index = json.loads((folder / CELLS / INDEX).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if index.get("format") != FORMAT:
        return {}
    parts: Index = index["parts"]
    return {
        part: stamps
        for part, stamps in parts.items()
        if all((folder / name / part).exists() for name in (CURVES, CELLS))
    }


def write_index(folder: Path, index: Index) -> None:
    files.write_text(folder / CELLS / INDEX, json.dumps({"format": FORMAT, "parts": index}) + "\n")


def next_part(index: Index) -> str:
    numbers = [int(part.removeprefix("part-").removesuffix(".parquet")) for part in index]
    return f"part-{max(numbers, default=-1) + 1:06d}.parquet"


def write(folder: Path, part: str, tables: tuple[pa.Table, pa.Table]) -> None:
    """Writes curves and cells as one part."""
    for name, table in zip((CURVES, CELLS), tables, strict=True):
        (folder / name).mkdir(exist_ok=True)
        repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
        with files.replacing(folder / name / part) as temporary:
            # a dictionary of numbers that hardly repeat would cost more than all the rest; without
            # Arrow's own schema, encoded words are read as what they are
            pq.write_table(table, temporary, use_dictionary=repeated, store_schema=False)


def drop_others(folder: Path, known: Container[str]) -> None:
    """Removes files that are not `known` parts: outdated ones, unfinished ones, those of a crash.
    Raises InputError where a single file stands in the place of the parts."""
    for name in (CURVES, CELLS):
        if (folder / name).is_file():
            raise InputError(f"{folder / name}: a file where the parts of this folder belong")
        for path in _files(folder / name):
            if path.name not in known:
                path.unlink()


def write_columns(folder: Path) -> None:
    """Brings columns.parquet up to date: the columns of all parts, in the order in which they come,
    each with a type that holds all its values, text if nothing else does. Without any part, the
    tables go."""
    for name in (CURVES, CELLS):
        schemas = [pq.read_schema(path) for path in _files(folder / name)]
        if not schemas:
            shutil.rmtree(folder / name, ignore_errors=True)
            continue
        fields = [field for schema in schemas for field in schema]
        names = dict.fromkeys(field.name for field in fields)
        schema = pa.schema(_merged([f for f in fields if f.name == name]) for name in names)
        path = folder / name / COLUMNS
        if not path.exists() or pq.read_schema(path) != schema:
            with files.replacing(path) as temporary:
                pq.write_table(schema.empty_table(), temporary)


def _merged(fields: Sequence[pa.Field]) -> pa.Field:
    """One column of several parts. Without any value it is one of numbers, all NaN."""
    try:
        schemas = [pa.schema([field]) for field in fields]
        (merged,) = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowTypeError:  # numbers in one part, words in another
        return fields[0].with_type(pa.string())
    return merged.with_type(pa.float64()) if pa.types.is_null(merged.type) else merged


def _files(table: Path) -> list[Path]:
    return sorted(path for path in table.glob("*.parquet") if path.name != COLUMNS)
