"""Write tables in the formats of other programs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.output.csv import csv_text
from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables
from grokpipe.errors import missing_package
from grokpipe.store import event_files, files
from grokpipe.store.event_files import EventFile

HASH = "[0-9a-f]{16}"
"""keys of our own, which say nothing; those of adopted runs are their names"""


def as_csv(tables: Tables, folder: Path) -> list[Path]:
    """`curves.csv`, a row per run and evaluation with measures and configuration, and `cells.csv`,
    a row per run."""
    paths = [folder / "curves.csv", folder / "cells.csv"]
    others = [name for name in tables.configuration if name not in tables.curves]
    curves = tables.spread(others).curves
    for path, table in zip(paths, (curves, tables.cells), strict=True):
        files.write_text(path, csv_text(table))
    return paths


def as_tensorboard(tables: Tables, folder: Path) -> list[Path]:
    """An event file per run, in a folder of its own, with the configuration as hyperparameters.

    Event files hold float32. Raises InputError where the package is not installed.
    """
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise missing_package("--to tensorboard", "tensorboard") from error
    cells = {str(row["key"]): row for row in tables.cells.to_dict("records")}
    measures = [
        name for name in tables.curves
        if name not in ("key", *tables.configuration)
        and pd.api.types.is_numeric_dtype(tables.curves[name])
    ]  # fmt: skip
    written: set[str] = set()
    for key, rows in tables.curves.groupby("key", sort=False, observed=True):
        values = _configuration(cells[str(key)])
        name = event_files.run_name(str(key), values if re.fullmatch(HASH, str(key)) else {})
        if name in written:  # names of runs that differ in what a folder's name cannot have
            name = f"{name}-{len(written)}"
        written.add(name)
        EventFile(folder / name, values).rewrite(rows[measures].to_dict("records"))
    return [folder]


def _configuration(cell: Mapping[Any, Any]) -> dict[str, Any]:
    """What the hyperparameters of a run say: its configuration, the classes and the state."""
    others = set(CELL_COLUMNS) - {"classes", "state"}
    return {str(name): value for name, value in cell.items() if name not in others}
