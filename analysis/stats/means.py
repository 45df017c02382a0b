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


def prediction(values: ArrayLike, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """Interval that holds the mean of `runs` further runs of the same normal distribution, with the
    runs' own mean, (n,), as the estimate: mean ± t · s · √(1/n + 1/runs), n − 1 degrees of freedom
    (Hahn & Meeker 1991, sec. 4.7).

    A replication by the same rules differs from the mean by more than this in 5 % of cases. NaN and
    none as for `mean` by "t". Raises ValueError for no runs, here or there.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if not n or runs < 1:
        raise ValueError(f"a replication of {runs} runs, predicted from {n}: must be at least 1")
    if not np.isfinite(values).all():
        return none(math.nan, "a value is not finite")
    estimate = float(values.mean())
    if n < 2:
        return none(estimate, "one run")
    if np.ptp(values) == 0:
        return none(estimate, "no spread")
    error = float(values.std(ddof=1)) * math.sqrt(1 / n + 1 / runs)
    half = float(stats.t.isf((1 - confidence) / 2, n - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, f"t, prediction for {runs} runs")
