"""Numbers of one run (Han et al. 2025, Figure 1 and Proposition 5.3), from its curves."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.claims.arguments import CurveValue
from grokpipe.curves.definitions import MEMORISED
from grokpipe.curves.events import RNC1, known

TEST = "test_accuracy"
CDNV, KAPPA = "collapse/cdnv", "flatness/kappa"
SURROGATE, RELEASED = "flatness/kappa_surrogate", "flatness/kappa_released"
GENERALISED = 0.98
"""test accuracy at which the paper's Figure 1 has its κ at 14 % of the peak"""
COLLAPSED = 0.1
"""RNC1 up to which a network counts as collapsed"""
LAST = 10
"""evaluations whose median is a final value: one may be a spike of the loss"""


def while_memorising(column: str) -> CurveValue:
    """The function of a curve: ln of a column at T_mem over its value at the first evaluation."""

    def value(curve: pd.DataFrame) -> float:
        values = _until(curve, column, MEMORISED.reached(curve["train_accuracy"]))
        return _log_ratio(values[-1], values[0]) if len(values) else math.nan

    return value


def at_generalisation(column: str) -> CurveValue:
    """The function of a curve: ln of a column at the first test accuracy of GENERALISED over its
    largest value until then."""

    def value(curve: pd.DataFrame) -> float:
        values = _until(curve, column, curve[TEST] >= GENERALISED)
        return _log_ratio(values[-1], values.max()) if len(values) else math.nan

    return value


cdnv_while_memorising = while_memorising(CDNV)
kappa_while_memorising = while_memorising(KAPPA)
surrogate_while_memorising = while_memorising(SURROGATE)
released_while_memorising = while_memorising(RELEASED)

kappa_at_generalisation = at_generalisation(KAPPA)
surrogate_at_generalisation = at_generalisation(SURROGATE)
released_at_generalisation = at_generalisation(RELEASED)


def final(curve: pd.DataFrame, column: str) -> float:
    """Median of a column over its last LAST known evaluations; NaN without any."""
    values = curve[column].dropna() if column in curve else pd.Series(dtype=float)
    return float(values.tail(LAST).median())


def within_bound(curve: pd.DataFrame) -> bool | None:
    """Whether κ is within Proposition 5.3's bound at every evaluation of a collapsed network; None
    if the run has none."""
    rows = _collapsed(curve, "simplex/bound")
    return None if rows.empty else bool((rows[KAPPA] <= rows["simplex/bound"]).all())


def log_ratio_to_simplex(curve: pd.DataFrame) -> float:
    """ln of κ over that of an exact simplex of the same margin, mean over the evaluations of a
    collapsed network; NaN if the run has none."""
    rows = _collapsed(curve, "simplex/kappa")
    rows = rows[rows["simplex/kappa"] > 0]
    return float(np.log(rows[KAPPA] / rows["simplex/kappa"]).mean())


def _until(curve: pd.DataFrame, column: str, shown: ArrayLike) -> NDArray[np.float64]:
    """The known values of a column up to the first evaluation at which something is shown; none if
    it never is, or the column was not measured."""
    reached = curve["step"][np.asarray(shown)]
    if column not in curve or reached.empty:
        return np.empty(0)
    steps, values = known(curve["step"], curve[column])
    return values[steps <= reached.iloc[0]]


def _log_ratio(value: float, over: float) -> float:
    return math.log(value / over) if value > 0 and over > 0 else math.nan


def _collapsed(curve: pd.DataFrame, column: str) -> pd.DataFrame:
    """The evaluations of a collapsed network at which κ and another column are known."""
    if not {RNC1, KAPPA, column} <= set(curve):
        return curve.iloc[:0]
    return curve[curve[RNC1] <= COLLAPSED].dropna(subset=[KAPPA, column])
