"""Parquet."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.runs.adopt.logs import Log, frame
from grokpipe.errors import InputError

ENDINGS = (".parquet", ".pq")
INDEX = "__index_level_0__"  # the index that pandas writes


def read(path: Path, run: str) -> list[Log]:
    """Read a file. Raises InputError for one that is damaged, or has no row."""
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{path}: not readable as parquet ({why})") from error
    table = table.drop_columns([name for name in table.column_names if name == INDEX])
    return [Log(path, run, frame(table, path))]
