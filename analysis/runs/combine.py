"""Combine tables: join several experiments, thin out evaluations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables
from grokpipe.config.fields import of_one_type


def join(several: Sequence[Tables], folder: Path) -> Tables:
    """Join the runs of several tables; a run of several experiments is kept once, as the first of
    them has it.

    A configuration column that only some tables have is missing in the runs of the others.
    """
    known: set[str] = set()
    parts = []
    for tables in several:
        parts.append(tables.only(set(tables.cells["key"]) - known))
        known |= set(tables.cells["key"])
    curves = _stacked([tables.curves for tables in parts])
    cells = _stacked([tables.cells for tables in parts])
    first = [column for column in CELL_COLUMNS if column in cells]
    cells = cells[first + [column for column in cells if column not in first]]
    return Tables(
        curves=curves.sort_values(["key", "step"], ignore_index=True),
        cells=cells.sort_values("key", ignore_index=True),
        folder=folder,
        notes=tuple(dict.fromkeys(note for tables in several for note in tables.notes)),
    )


def every(tables: Tables, steps: int) -> Tables:
    """Keep the evaluations at multiples of `steps`, as if runs had been evaluated that often."""
    return replace(tables, curves=tables.curves[tables.curves["step"] % steps == 0])


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables. A column without values in one table does not decide the type in the others;
    one of numbers here and words there is text."""
    columns = list(dict.fromkeys(name for table in tables for name in table))
    known = [table.dropna(axis=1, how="all") for table in tables]
    stacked = pd.concat(known, ignore_index=True).reindex(columns=columns)
    for name in columns:
        several = len({table[name].dtype for table in known if name in table}) > 1
        if several and stacked[name].dtype == object:
            values = stacked[name].where(stacked[name].notna(), None)
            stacked[name] = of_one_type(values.to_list())
    return stacked
