"""Bootstrap and jackknife intervals over runs.

The unit is the run, or the seed that several runs share, never the evaluation: points of one run
are not independent. Runs are resampled by index: a statistic takes, for each sample, an array of
indices of shape (…, runs) and returns an array of shape (…). Everything that belongs to one run,
such as whole curves or its partners in other arms, thus stays together.
"""

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats.intervals import CONFIDENCE, Interval, none

RESAMPLES = 10_000
BATCH = 2_000_000  # indices drawn at once, to bound the memory of wide statistics

Statistic = Callable[..., NDArray[np.float64]]


def interval(
    statistic: Statistic,
    sizes: Sequence[int],
    generator: np.random.Generator,
    method: str = "bca",
    confidence: float = CONFIDENCE,
) -> Interval:
    """Bootstrap interval of `statistic(*indices)` over samples resampled independently.

    Where BCa is undefined (infinite values, a statistic that does not change when a run is left
    out, no resample on one side of the estimate) the percentile interval replaces it, and the
    method says so. The percentile interval admits infinite values; an undefined resample (∞ − ∞)
    counts as −∞ for the lower end and as +∞ for the upper one. A sample of fewer than two runs has
    no interval. Equal generator states give equal intervals.

    Args:
        statistic: see the module.
        sizes: number of runs in each sample.
        generator: of the resamples.
        method: "bca" (Efron 1987, bias-corrected and accelerated) or "percentile".
        confidence: nominal coverage.

    Raises:
        ValueError: a sample is empty, or the method is unknown.
    """
    if method not in ("bca", "percentile"):
        raise ValueError(f"method={method}: must be bca or percentile")
    if not sizes or min(sizes) < 1:
        raise ValueError("a bootstrap of no runs")
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is undefined, which is a valid estimate here
        estimate = float(statistic(*(np.arange(size) for size in sizes)))
    if min(sizes) < 2:
        return none(estimate, "one run")
    batch = max(1, min(RESAMPLES, BATCH // max(sizes)))
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # scipy warns of degenerate cases, which fall back to the percentile interval below
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
    used = "percentile" if method == "percentile" else "percentile (BCa undefined)"
    return Interval(estimate, *_quantiles(drawn, (1 - confidence) / 2), used)


def jackknife(statistic: Statistic, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """Jackknife interval: estimate ± t · standard error, with runs − 1 degrees of freedom (Tukey
    1958), leaving one run out at a time.

    No interval for fewer than two runs, or if the statistic is not finite without one of the runs,
    or never changes.
    """
    left_out = np.array([np.delete(np.arange(runs), run) for run in range(runs)])
    values = statistic(left_out) if runs > 1 else np.empty(0)
    return _jackknifed(float(statistic(np.arange(runs))), values, "run", confidence)


def cluster_jackknife(
    statistic: Statistic, clusters: ArrayLike, confidence: float = CONFIDENCE
) -> Interval:
    """Jackknife interval of a statistic of runs that belong to clusters, such as seeds, leaving one
    cluster out at a time: as `jackknife`, with clusters − 1 degrees of freedom.

    `clusters` labels the runs, (n,). The statistic takes the indices of the runs left in, (m,), of
    a number that differs where clusters do, and returns one number, such as a correlation. Runs of
    one cluster may depend on one another; clusters may not.
    """
    labels, of = np.unique(np.asarray(clusters), return_inverse=True)
    whole, kept = np.arange(len(of)), range(len(labels) if len(labels) > 1 else 0)
    values = np.array([float(statistic(np.flatnonzero(of != left_out))) for left_out in kept])
    return _jackknifed(float(statistic(whole)), values, "cluster", confidence)


def _jackknifed(
    estimate: float, values: NDArray[np.float64], unit: str, confidence: float
) -> Interval:
    """Interval from the values without one unit each."""
    n = len(values)
    if n < 2:
        return none(estimate, f"one {unit}")
    if not (math.isfinite(estimate) and np.isfinite(values).all()):
        return none(estimate, f"not finite without one of the {unit}s")
    if not np.ptp(values) > 0:
        return none(estimate, f"the same without any one of the {unit}s")
    error = math.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, "jackknife")


def mean(values: NDArray[np.float64]) -> Statistic:
    """Build the statistic that averages the resampled runs' values."""
    return lambda indices: values[indices].mean(-1)


def _quantiles(drawn: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """Ends of an interval that leaves `tail` on each side.

    Order statistics are used, so that infinite values are never interpolated.
    """
    outside = max(math.ceil(tail * len(drawn)), 1)
    lowest = np.sort(np.where(np.isnan(drawn), -math.inf, drawn))
    highest = np.sort(np.where(np.isnan(drawn), math.inf, drawn))
    return float(lowest[outside - 1]), float(highest[-outside])
