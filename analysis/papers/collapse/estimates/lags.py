"""Half-changes of one run, and lags between them: ln of the ratio of two steps."""

import math

import pandas as pd

from grokpipe.curves.conditions import HalfChange
from grokpipe.curves.definitions import run_events


def half(curve: pd.DataFrame, column: str) -> float:
    """The step of a column's half-change (`definitions.half_of`); NaN where it was not seen or was
    seen at step 0, whose logarithm is none."""
    if column not in curve:
        return math.nan
    name = str(HalfChange(column, False))
    columns = dict.fromkeys(["step", "train_accuracy", column])
    budget = float(curve["steps"].iloc[-1])
    finished = bool(curve["step"].iloc[-1] >= budget)  # a run that diverged has no final value
    values = {one: curve[one].to_numpy(float) for one in columns}
    found = run_events(values, math.nan, budget, finished, names=[name])[name]
    return found.step if found.observed and found.step > 0 else math.nan


def log_lag(curve: pd.DataFrame, first: str, second: str) -> float:
    """ln of the second column's half-change over the first one's: positive where the second changes
    later; NaN without one of them. Both are read at the evaluations that know both, or plateaus of
    five evaluations would span different times."""
    columns = [first, second]
    if not {*columns} <= {*curve}:
        return math.nan
    shared = curve[columns].where(curve[columns].notna().all(axis=1))
    read = curve.assign(**{column: shared[column] for column in columns})
    return math.log(half(read, second) / half(read, first))
