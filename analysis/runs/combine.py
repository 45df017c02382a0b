"""Tables made of others: several experiments together, fewer evaluations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables


def join(several: Sequence[Tables], folder: Path) -> Tables:
    """All of their runs, a run of several experiments once. A dial that only some of them have is
    missing in the others."""
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
    """As if the runs had been evaluated every so many steps: the paper's text says 200, its counts
    of points 100."""
    return replace(tables, curves=tables.curves[tables.curves["step"] % steps == 0])


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One below the other; a column without any value decides nothing about the types of others."""
    columns = list(dict.fromkeys(name for table in tables for name in table))
    known = [table.dropna(axis=1, how="all") for table in tables]
    return pd.concat(known, ignore_index=True).reindex(columns=columns)
