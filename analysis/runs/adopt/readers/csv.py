"""CSV and TSV, gzipped or not; among them the two forms in which W&B exports a chart."""

import gzip
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from analysis.runs.adopt.logs import Log, check_once, frame
from analysis.runs.adopt.readers import wandb
from grokpipe.errors import InputError

ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
LARGEST = 1 << 30  # bytes over which the types of columns are inferred
INTERNAL = ("", "Unnamed: 0")  # the index that pandas writes


def read(path: Path, run: str) -> list[Log]:
    """Read a file. A column is of numbers only if all of it is; what is empty is missing.

    Raises InputError for a file that is no table, or has no row.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        header = file.readline()
    if not header.strip():
        raise InputError(f"{path}: no rows")
    # by default Arrow infers types from the first MB, and then refuses an integer's first fraction
    block = min(max(16 * path.stat().st_size, 1 << 20), LARGEST)
    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(block_size=block),
            parse_options=csv.ParseOptions(
                delimiter=_delimiter(header.decode(errors="replace")), newlines_in_values=True
            ),
            convert_options=csv.ConvertOptions(strings_can_be_null=True),
        )
    except (pa.ArrowException, UnicodeError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not readable as a table ({why})") from error
    check_once(table.column_names, path)
    table = table.drop_columns([name for name in table.column_names if name in INTERNAL])
    if wandb.is_wide(table.column_names):
        return [wandb.unpivoted(table, path, run)]
    return [Log(path, run, frame(table, path))]


def _delimiter(header: str) -> str:
    return max(",\t;", key=header.count)
