"""Runs of several experiments as one pair of tables."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.gather import Tables
from analysis.rows import CELL_COLUMNS


def join(several: Sequence[Tables], folder: Path) -> Tables:
    """All of their runs, a run of several experiments once. A dial that only some of them have is
    missing in the others."""
    curves = pd.concat([tables.curves for tables in several], ignore_index=True)
    cells = pd.concat([tables.cells for tables in several], ignore_index=True)
    first = [column for column in CELL_COLUMNS if column in cells]
    cells = cells[first + [column for column in cells if column not in first]]
    return Tables(
        curves=curves.drop_duplicates(["key", "step"]).sort_values(
            ["key", "step"], ignore_index=True
        ),
        cells=cells.drop_duplicates("key").sort_values("key", ignore_index=True),
        folder=folder,
    )
