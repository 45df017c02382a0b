"""Medians of times that may not have been observed: Kaplan–Meier, by scipy."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import CensoredData, ecdf

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Median:
    """A median time to an event; infinite where the runs do not bound it from above."""

    n: int
    reached: int
    """runs in which the event was observed"""
    median: float
    """the first time by which half of the runs have had the event; ∞ if the data do not reach it"""
    lower: float
    upper: float
    """the 95 % interval"""
    followed: float
    """the longest time that a run was observed for: an infinite median lies beyond it"""


def median(times: ArrayLike, observed: ArrayLike) -> Median:
    """Kaplan–Meier median of right-censored times with Brookmeyer–Crowley's interval: the times at
    which the log-log confidence band of the survival function crosses one half.

    Raises ValueError without any run.
    """
    times, observed = np.asarray(times, dtype=float), np.asarray(observed, dtype=bool)
    if not len(times):
        raise ValueError("a median of no runs")
    reached, followed = int(observed.sum()), float(times.max())
    if not reached:
        return Median(len(times), 0, math.inf, followed, math.inf, followed)
    data = CensoredData(uncensored=times[observed], right=times[~observed])
    survival = ecdf(data).sf
    # the band is undefined (NaN) where all or none have survived: there it bounds nothing
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = survival.confidence_interval(CONFIDENCE, method="log-log")
    at = survival.quantiles

    def first_below_half(probabilities: np.ndarray) -> float:
        below = np.nan_to_num(probabilities, nan=math.inf) <= 0.5
        return float(at[below.argmax()]) if below.any() else math.inf

    return Median(
        n=len(times),
        reached=reached,
        median=first_below_half(survival.probabilities),
        lower=min(
            first_below_half(band.low.probabilities), first_below_half(survival.probabilities)
        ),
        upper=first_below_half(band.high.probabilities),
        followed=followed,
    )
