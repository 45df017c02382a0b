"""When accuracies and RNC1 change in one run (Sakamoto & Sato 2026, Figures 3 and 6 to 12)."""

import math

import pandas as pd

from analysis.papers.collapse.estimates.lags import log_lag
from grokpipe.curves.columns import COLUMNS
from grokpipe.curves.events import RNC1, known, plateaus

TRAIN, TEST = "train_accuracy", "test_accuracy"
RISE = 0.1
"""share of its range by which RNC1 must rise to a peak"""
FALLEN = 0.5
"""share of that peak to which it must fall"""


def last_unfitted(curve: pd.DataFrame) -> float:
    """The last step with a training accuracy below 1; 0 if there is none."""
    return float(curve.loc[curve[TRAIN] < 1, "step"].max()) if (curve[TRAIN] < 1).any() else 0.0


def log_lag_of_rnc1(curve: pd.DataFrame) -> float:
    """How much later than test accuracy RNC1 changes (`log_lag`)."""
    return log_lag(curve, TEST, RNC1)


def nearer_to_test(curve: pd.DataFrame) -> float:
    """The size of RNC1's lag from test accuracy less that from training accuracy."""
    return abs(log_lag(curve, TEST, RNC1)) - abs(log_lag(curve, TRAIN, RNC1))


def log_delay(curve: pd.DataFrame) -> float:
    """How much later than training accuracy test accuracy changes (`log_lag`)."""
    return log_lag(curve, TRAIN, TEST)


def rnc1_peaks_then_falls(curve: pd.DataFrame) -> bool | None:
    """Whether RNC1 rises by RISE of its range at least, from its least value so far, and ends at
    FALLEN of that peak or below. None where it was not measured."""
    if RNC1 not in curve:
        return None
    values = pd.Series(known(curve["step"], curve[RNC1])[1])
    if values.empty:
        return None
    risen = values[values - values.cummin() >= RISE * (values.max() - values.min())]
    rises = values.max() > values.min() and not risen.empty
    return bool(rises and plateaus(values)[1] <= FALLEN * risen.max())


def rank_by_lag(curve: pd.DataFrame) -> float:
    """RNC1's rank by the size of its lag from test accuracy among all measures that were logged
    while training, other forms of RNC1 aside: 1 for the least. NaN if RNC1 has no lag."""
    own = abs(log_lag_of_rnc1(curve))
    if math.isnan(own):
        return math.nan
    rivals = (abs(log_lag(curve, TEST, column)) for column in _rivals(curve))
    return 1.0 + sum(lag < own for lag in rivals)


def _rivals(curve: pd.DataFrame) -> list[str]:
    """Columns of measures, which have a slash or are declared, that most evaluations know."""
    measures = [str(name) for name in curve if "/" in str(name) or name in COLUMNS]
    others = [name for name in measures if not name.startswith(("train_", "test_", RNC1))]
    return [name for name in others if curve[name].notna().mean() > 0.5]
