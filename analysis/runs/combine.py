"""Combine tables: join several experiments, thin out evaluations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables


def join(several: Sequence[Tables], folder: Path) -> Tables:
    """Join the runs of several tables; a run of several experiments is kept once.

    A configuration column that only some tables have is missing in the runs of the others.
    """
    curves = _stacked([tables.curves for tables in several])
    cells = _stacked([tables.cells for tables in several])
    first = [column for column in CELL_COLUMNS if column in cells]
    cells = cells[first + [column for column in cells if column not in first]]
    return Tables(
        curves=curves.drop_duplicates(["key", "step"]).sort_values(
            ["key", "step"], ignore_index=True
        ),
        cells=cells.drop_duplicates("key").sort_values("key", ignore_index=True),
        folder=folder,
    )


def every(tables: Tables, steps: int) -> Tables:
    """Keep the evaluations at multiples of `steps`, as if runs had been evaluated that often."""
    return replace(tables, curves=tables.curves[tables.curves["step"] % steps == 0])


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables; a column without values in one table does not decide the type in the others."""
    columns = list(dict.fromkeys(name for table in tables for name in table))
    known = [table.dropna(axis=1, how="all") for table in tables]
    return pd.concat(known, ignore_index=True).reindex(columns=columns)
