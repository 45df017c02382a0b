"""Intervals by resampling runs. The unit is the run, or the seed that several runs share, never the
evaluation: points of one run are not independent.

Runs are resampled by index: a statistic takes, for each sample, an array of indices of shape
(…, runs) and gives an array of shape (…). What belongs to one run, whole curves or its partners in
other arms, so stays together.
"""

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.intervals import CONFIDENCE, Interval, none

RESAMPLES = 10_000
BATCH = 2_000_000  # indices drawn at once: bounds the memory of wide statistics

Statistic = Callable[..., NDArray[np.float64]]


def interval(
    statistic: Statistic,
    sizes: Sequence[int],
    generator: np.random.Generator,
    method: str = "bca",
    confidence: float = CONFIDENCE,
) -> Interval:
    """A bootstrap interval of `statistic(*indices)` for samples of these sizes, each resampled by
    itself.

    `method` is "bca" (Efron 1987, bias-corrected and accelerated) or "percentile". Where BCa is
    undefined (infinite values, a statistic that does not change when a run is left out, no
    resample on one side of the estimate) the percentile interval takes its place, and the
    method says so. The percentile interval holds with infinite values; where a resample
    is undefined (∞ − ∞) it counts as −∞ for the lower end and as +∞ for the upper one. A
    sample of fewer than two runs has no interval.

    The same generator state gives the same interval. Raises ValueError for an empty sample.
    """
    if method not in ("bca", "percentile"):
        raise ValueError(f"method={method}: must be bca or percentile")
    if not sizes or min(sizes) < 1:
        raise ValueError("a bootstrap of no runs")
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is an answer: undefined
        estimate = float(statistic(*(np.arange(size) for size in sizes)))
    if min(sizes) < 2:
        return none(estimate, "one run")
    batch = max(1, min(RESAMPLES, BATCH // max(sizes)))
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # what scipy calls degenerate is what falls back below
        warnings.filterwarnings("ignore", category=stats.DegenerateDataWarning)
        warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)
        result = stats.bootstrap(
            [np.arange(size) for size in sizes],
            lambda *indices, axis: statistic(*(np.moveaxis(i, axis, -1) for i in indices)),
            n_resamples=RESAMPLES,
            batch=batch,
            method=method if math.isfinite(estimate) else "percentile",
            confidence_level=confidence,
            rng=generator,
        )
    ends, drawn = result.confidence_interval, result.bootstrap_distribution
    if method == "bca" and np.isfinite(drawn).all() and np.isfinite(ends).all():
        return Interval(estimate, float(ends.low), float(ends.high), "BCa")
    said = "percentile" if method == "percentile" else "percentile (BCa undefined)"
    return Interval(estimate, *_quantiles(drawn, (1 - confidence) / 2), said)


def jackknife(statistic: Statistic, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval estimate ± t · (jackknife's standard error), with runs − 1 degrees of freedom
    (Tukey 1958), from the statistic with one run left out at a time.

    None for fewer than two runs, where it is not finite with one left out, and where leaving one
    out never changes it.
    """
    estimate = float(statistic(np.arange(runs)))
    if runs < 2:
        return none(estimate, "one run")
    left_out = np.array([np.delete(np.arange(runs), run) for run in range(runs)])
    values = statistic(left_out)
    if not (math.isfinite(estimate) and np.isfinite(values).all()):
        return none(estimate, "not finite without one of the runs")
    if not np.ptp(values) > 0:
        return none(estimate, "the same without any one of the runs")
    error = math.sqrt((runs - 1) / runs * ((values - values.mean()) ** 2).sum())
    half = float(stats.t.ppf((1 + confidence) / 2, runs - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, "jackknife")


def mean(values: NDArray[np.float64]) -> Statistic:
    """The mean of the resampled runs' values, as a statistic."""
    return lambda indices: values[indices].mean(-1)


def _quantiles(drawn: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """The ends that leave `tail` on each side: order statistics, so that infinite values are never
    interpolated."""
    outside = max(math.ceil(tail * len(drawn)), 1)
    lowest = np.sort(np.where(np.isnan(drawn), -math.inf, drawn))
    highest = np.sort(np.where(np.isnan(drawn), math.inf, drawn))
    return float(lowest[outside - 1]), float(highest[-outside])
