"""The export of a W&B chart: a column of steps, then `run-name - metric` for each run.

Beside each there may be its smallest and largest value (`run-name - metric__MIN`). The other
exports of W&B, with `_step` or as lines of `run.history()`, are read as any CSV or JSON lines.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.runs.adopt.logs import Log, frame
from grokpipe.errors import InputError

BETWEEN = " - "
BESIDE = ("__MIN", "__MAX")
INTERNAL = ("_step", "_runtime", "_timestamp", "_wandb")
"""columns that W&B adds to every history"""
RUN = "run"


def is_wide(names: Sequence[str]) -> bool:
    """Whether all columns but the first are named by run and metric."""
    return len(names) > 1 and BETWEEN not in names[0] and all(BETWEEN in n for n in names[1:])


def unpivoted(table: pa.Table, path: Path, run: str) -> Log:
    """The same values with a row per run and step, and a column per metric."""
    wide = frame(table, path)
    axis = str(wide.columns[0])
    runs: dict[str, dict[str, pd.Series]] = {}
    for name in map(str, wide.columns[1:]):
        of, _, metric = name.rpartition(BETWEEN)
        if not metric.endswith(BESIDE) and metric not in INTERNAL:
            runs.setdefault(of, {})[metric] = wide[name]
    if not runs:
        raise InputError(f"{path}: no metric among its columns: {', '.join(wide.columns)}")
    parts = []
    for of, metrics in runs.items():
        known = pd.DataFrame(metrics).dropna(how="all")
        if len(known):
            parts.append(known.assign(**{axis: wide.loc[known.index, axis], RUN: of}))
    if not parts:
        raise InputError(f"{path}: no rows")
    rows = pd.concat(parts, ignore_index=True)
    return Log(path, run, rows.assign(**{RUN: rows[RUN].astype("category")}))
