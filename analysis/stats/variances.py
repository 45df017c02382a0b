"""The variance of a number that every run has, with its interval."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.stats.intervals import CONFIDENCE, Interval, none


def variance(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The variance (n − 1) of the runs' values, (n,), with the interval of a normal sample,
    (n − 1)s²/χ²; none for one run or without spread.

    Of ten values it held 95 % of the time where they are normal, 99 % where uniform, 89 % where
    log-normal with σ = 0.3 (400 simulations each); BCa held 80, 91 and 78 %: a resample of ten
    holds about six different ones.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return none(math.nan, "one run")
    estimate = float(values.var(ddof=1))
    if not estimate > 0:
        return none(estimate, "no spread")
    freedom, tail = len(values) - 1, (1 - confidence) / 2
    lower, upper = freedom * estimate / stats.chi2.isf([tail, 1 - tail], freedom)
    level = "" if confidence == CONFIDENCE else f", {confidence:.0%}"
    return Interval(estimate, float(lower), float(upper), f"χ² (normal){level}")
