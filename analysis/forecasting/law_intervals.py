"""Intervals of numbers fitted to the pooled evaluations of several runs.

Runs (seeds) are resampled or left out one at a time, never evaluations.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.stats import bootstrap
from analysis.stats.intervals import FEW, Interval
from analysis.stats.survival import BOOTSTRAPS, check_method

Floats = NDArray[np.float64]
Fitted = Callable[[Floats], Floats]
"""how often each run is in a sample, (samples, runs) → the numbers of the fit, (samples, k)"""

METHODS = ("BCa", "percentile", "jackknife")
DEFAULT = "BCa"
DEFAULT_FEW = "jackknife"  # below FEW runs (docs/statistics.md)


def of_fit(
    fitted: Fitted, runs: int, generator: np.random.Generator, methods: Sequence[str | None]
) -> list[Interval]:
    """Compute an interval for each number of a fit, all from the same resamples.

    Each distinct sample is fitted once: BCa counts the resamples below the estimate, and one that
    draws every run once must tie with it, to the last bit.
    """
    known: dict[bytes, Floats] = {}

    @functools.cache
    def numbers(drawn: bytes, size: int) -> Floats:
        flat = np.frombuffer(drawn, dtype=np.intp).reshape(-1, size)
        row = np.arange(len(flat))[:, None] * runs
        counts = np.bincount((row + flat).ravel(), minlength=len(flat) * runs)
        distinct, at = np.unique(counts.reshape(-1, runs), axis=0, return_inverse=True)
        names = [sample.tobytes() for sample in distinct]
        new = [number for number, name in enumerate(names) if name not in known]
        if new:
            values = fitted(distinct[new].astype(np.float64))
            known.update(zip((names[number] for number in new), values, strict=True))
        return np.array([known[name] for name in names])[at.reshape(-1)]

    def column_of(indices: NDArray[np.intp], column: int) -> Floats:
        every = numbers(indices.astype(np.intp).tobytes(), indices.shape[-1])
        return every[:, column].reshape(indices.shape[:-1])

    seed = int(generator.integers(2**63))
    return [
        law_interval(
            lambda indices, column=column: column_of(indices, column),
            runs, np.random.default_rng(seed), method,
        )
        for column, method in enumerate(methods)
    ]  # fmt: skip


def law_interval(
    statistic: bootstrap.Statistic,
    runs: int,
    generator: np.random.Generator,
    method: str | None = None,
) -> Interval:
    """Interval of one number by resampling runs; method one of METHODS, None by number of runs.

    Where the jackknife is undefined (an infinite value, a statistic that no run changes) the
    percentile bootstrap replaces it. The result's method states the number of resamples.
    """
    method, note = method or (DEFAULT_FEW if runs < FEW else DEFAULT), ""
    check_method(method, METHODS)
    if method == "jackknife":
        interval = bootstrap.jackknife(statistic, runs)
        if not math.isnan(interval.lower):
            return replace(interval, method="jackknife of runs")
        method, note = "percentile", " (jackknife undefined)"
    interval = bootstrap.interval(statistic, [runs], generator, BOOTSTRAPS[method])
    if interval.method.startswith("none"):
        return interval
    resamples = f"{bootstrap.RESAMPLES:,} resamples of runs"
    return replace(interval, method=f"{interval.method}{note}, {resamples}")


def clipped(interval: Interval, least: float, most: float) -> Interval:
    """Clip the ends of an interval to [least, most]; NaN stays NaN."""
    lower, upper = np.clip([interval.lower, interval.upper], least, most)
    return replace(interval, lower=float(lower), upper=float(upper))
