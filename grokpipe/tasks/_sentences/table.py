"""Tables with a column of text and a column of labels: CSV, TSV and Parquet, by their ending."""

import csv
import io
import warnings
from typing import Any

import pandas as pd

from grokpipe.errors import InputError
from grokpipe.tasks._sentences.source import Rows, Source

DELIMITERS = {".csv": ",", ".tsv": "\t"}
ENDINGS = (*DELIMITERS, ".parquet")


def read(source: Source) -> Rows:
    """Read a table whose columns are called `text` and `label` unless the source says otherwise."""
    ending = source.path.suffix.lower()
    if ending == ".parquet":
        try:
            table = pd.read_parquet(source.path, use_threads=False)
        except (OSError, ValueError) as error:  # pyarrow's errors are of these kinds
            raise InputError(f"{source.key}: not a Parquet file") from error
        return columns(source, table, "text", "label")
    if ending not in DELIMITERS:
        raise InputError(
            f"{source.key}: unknown ending {ending or '(none)'}; valid: {', '.join(ENDINGS)}, or "
            "another task.format"
        )
    table = delimited(source, DELIMITERS[ending], source.decoded("utf-8"))
    return columns(source, table, "text", "label")


def delimited(source: Source, delimiter: str, text: str, **options: Any) -> pd.DataFrame:
    """Parse delimited text, every value as it is written; `options` are pandas' own.

    Blank lines are rows, so that they can be named; values that are missing are empty. Raises
    InputError for a line with too many values, or an unclosed quotation.
    """
    given = {"quoting": csv.QUOTE_MINIMAL, **options}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text),
                sep=delimiter,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                index_col=False,
                **given,
            )
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{source.key}: empty; must have a line for each sentence") from error
    except pd.errors.ParserError as error:
        why = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(
            f"{source.key}: {why}; text that holds the delimiter must be in quotes"
        ) from error
    except pd.errors.ParserWarning as error:
        raise InputError(
            f"{source.key}: its rows have more values than its first line has names; text that "
            "holds the delimiter must be in quotes"
        ) from error
    return table.fillna("")


def columns(source: Source, table: pd.DataFrame, text: str, label: str) -> Rows:
    """Take the columns of text and labels, of these names unless the source says otherwise."""
    chosen = {"text": source.text or text, "label": source.label or label}
    for key, name in chosen.items():
        if name not in table:
            valid = ", ".join(map(str, table.columns))
            raise InputError(f"task.{key}={name}: no such column in {source.path}; valid: {valid}")
    texts, labels = table[chosen["text"]], table[chosen["label"]]
    for row, value in enumerate(texts, start=1):
        if not (isinstance(value, str) or pd.isna(value)):
            raise InputError(
                f"task.text={chosen['text']}: row {row:,} of {source.path} is {value!r}; must be "
                "text"
            )
    return Rows(
        ["" if pd.isna(value) else value for value in texts],
        [_label(value, chosen["label"]) for value in labels],
    )


def _label(value: Any, column: str) -> str:
    """The name of a class: text, or a whole number."""
    if isinstance(value, str):
        return value.strip()
    if pd.isna(value):
        return ""
    try:
        if int(value) == value:
            return str(int(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"task.label={column}: {value!r}; must be classes: text or whole numbers")
