"""Numbers of one run (Han et al. 2025, Figure 1 and Proposition 5.3), from its curves."""

import math

import numpy as np
import pandas as pd

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


def cdnv_while_memorising(curve: pd.DataFrame) -> float:
    """ln of CDNV at T_mem over CDNV at the first evaluation."""
    return _while_memorising(curve, CDNV)


def kappa_while_memorising(curve: pd.DataFrame) -> float:
    """ln of κ at T_mem over κ at the first evaluation."""
    return _while_memorising(curve, KAPPA)


def surrogate_while_memorising(curve: pd.DataFrame) -> float:
    """The same of the surrogate."""
    return _while_memorising(curve, SURROGATE)


def released_while_memorising(curve: pd.DataFrame) -> float:
    """The same of the formula of the released code."""
    return _while_memorising(curve, RELEASED)


def kappa_at_generalisation(curve: pd.DataFrame) -> float:
    """ln of κ at the first test accuracy of GENERALISED over its largest value until then."""
    return _at_generalisation(curve, KAPPA)


def surrogate_at_generalisation(curve: pd.DataFrame) -> float:
    """The same of the surrogate."""
    return _at_generalisation(curve, SURROGATE)


def released_at_generalisation(curve: pd.DataFrame) -> float:
    """The same of the formula of the released code."""
    return _at_generalisation(curve, RELEASED)


def final_test_accuracy(curve: pd.DataFrame) -> float:
    """Median of the last LAST evaluations."""
    return final(curve, TEST)


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


def _while_memorising(curve: pd.DataFrame, column: str) -> float:
    reached = curve["step"][MEMORISED.reached(curve["train_accuracy"])]
    if column not in curve or reached.empty:
        return math.nan
    steps, values = known(curve["step"], curve[column])
    values = values[steps <= reached.iloc[0]]
    return _log_ratio(values[-1], values[0]) if len(values) else math.nan


def _at_generalisation(curve: pd.DataFrame, column: str) -> float:
    reached = curve["step"][curve[TEST] >= GENERALISED]
    if column not in curve or reached.empty:
        return math.nan
    steps, values = known(curve["step"], curve[column])
    values = values[steps <= reached.iloc[0]]
    return _log_ratio(values[-1], values.max()) if len(values) else math.nan


def _log_ratio(value: float, over: float) -> float:
    return math.log(value / over) if value > 0 and over > 0 else math.nan


def _collapsed(curve: pd.DataFrame, column: str) -> pd.DataFrame:
    """The evaluations of a collapsed network at which κ and another column are known."""
    if not {RNC1, KAPPA, column} <= set(curve):
        return curve.iloc[:0]
    return curve[curve[RNC1] <= COLLAPSED].dropna(subset=[KAPPA, column])
