"""The tables of a folder of run logs as directories of Parquet files, which readers see as one.

part-000000.parquet   some hundred finished cells; written once
unfinished.parquet    the unfinished cells; rewritten each time
columns.parquet       all columns and no row; sorts first, since readers take the columns of the
                      first file for those of all files
_index.json           in cells.parquet/: the cells of each part, and the stamps of their run logs
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
ADOPTED = "adopted.json"  # beside tables of other programs' logs: the files that they are from
UNFINISHED, COLUMNS = "unfinished.parquet", "columns.parquet"
INDEX = "_index.json"  # readers of Parquet folders skip names with an underscore
FORMAT = 3  # increment when run logs yield other columns: gathered parts are then dropped

Index = dict[str, dict[str, list[int]]]
"""part → key → stamp"""


def read_index(folder: Path) -> Index:
    """Read the index of the parts on disk; empty if they have another format."""
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
    """Write the index of the parts."""
    files.write_text(folder / CELLS / INDEX, json.dumps({"format": FORMAT, "parts": index}) + "\n")


def next_part(index: Index) -> str:
    """File name of the next part."""
    numbers = [int(part.removeprefix("part-").removesuffix(".parquet")) for part in index]
    return f"part-{max(numbers, default=-1) + 1:06d}.parquet"


def write(folder: Path, part: str, tables: tuple[pa.Table, pa.Table]) -> None:
    """Write curves and cells as one part."""
    for name, table in zip((CURVES, CELLS), tables, strict=True):
        (folder / name).mkdir(exist_ok=True)
        repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
        with files.replacing(folder / name / part) as temporary:
            # Dictionaries of floats that hardly repeat would cost more than all the rest. Without
            # Arrow's own schema, encoded words are read as plain words.
            pq.write_table(table, temporary, use_dictionary=repeated, store_schema=False)


def drop_others(folder: Path, known: Container[str]) -> None:
    """Delete files that are not `known` parts: outdated, unfinished, or left by a crash.

    Raises InputError where a single file stands in the place of the parts.
    """
    for name in (CURVES, CELLS):
        if (folder / name).is_file():
            raise InputError(f"{folder / name}: must be a folder of parts, but is a file")
        for path in _files(folder / name):
            if path.name not in known:
                path.unlink()


def write_columns(folder: Path) -> None:
    """Bring columns.parquet up to date; without any part, delete the tables.

    It has the columns of all parts in their order, each with a type that holds all values, text if
    no other does.
    """
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
    """Merge the types of one column over several parts; a column without values is float64."""
    try:
        schemas = [pa.schema([field]) for field in fields]
        (merged,) = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowTypeError:  # numbers in one part, words in another
        return fields[0].with_type(pa.string())
    return merged.with_type(pa.float64()) if pa.types.is_null(merged.type) else merged


def _files(table: Path) -> list[Path]:
    return sorted(path for path in table.glob("*.parquet") if path.name != COLUMNS)
