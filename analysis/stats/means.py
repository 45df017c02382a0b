"""Mean over runs of a number that every run has, with its interval."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.stats import bootstrap
from analysis.stats.intervals import CONFIDENCE, FEW, Interval, none
from analysis.stats.survival import BOOTSTRAPS

METHODS = ("t", *BOOTSTRAPS)
DEFAULT = "BCa"
DEFAULT_FEW = "t"
"""the method for fewer than `FEW` runs"""


def mean(values: ArrayLike, generator: np.random.Generator, method: str | None = None) -> Interval:
    """Mean of the runs' values, (n,), with its 95 % interval by "t" (Student), "BCa" or
    "percentile".

    NaN without an interval where a value is not finite, since a mean without it would be of another
    population. No interval for one run, nor by "t" for equal values, whose spread is unknown rather
    than zero. Raises ValueError for no runs and for an unknown method.
    """
    values = np.sort(np.asarray(values, dtype=float))  # the order of the runs does not matter
    method = method or (DEFAULT_FEW if len(values) < FEW else DEFAULT)
    if method not in METHODS:
        raise ValueError(f"method={method}: must be one of {', '.join(METHODS)}")
    if not len(values):
        raise ValueError("a mean of no runs")
    if not np.isfinite(values).all():
        return none(math.nan, "a value is not finite")
    if method in BOOTSTRAPS:
        return bootstrap.interval(
            bootstrap.mean(values), [len(values)], generator, BOOTSTRAPS[method]
        )
    estimate = float(values.mean())
    if len(values) < 2:
        return none(estimate, "one run")
    if np.ptp(values) == 0:
        return none(estimate, "no spread")
    half = stats.t.isf((1 - CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
    return Interval(estimate, estimate - float(half), estimate + float(half), "t")
