"""Intervals of numbers that are fitted to the evaluations of several runs, pooled: runs (seeds) are
resampled, or left out one at a time, never evaluations."""

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
    """An interval for each of the numbers of a fit, from the same resamples."""
    known: dict[bytes, Floats] = {}

    def numbers(indices: NDArray[np.intp]) -> Floats:
        if (name := indices.tobytes()) not in known:
            flat = indices.reshape(-1, indices.shape[-1])
            row = np.arange(len(flat))[:, None] * runs
            counts = np.bincount((row + flat).ravel(), minlength=len(flat) * runs)
            distinct, at = np.unique(counts.reshape(-1, runs), axis=0, return_inverse=True)
            found = fitted(distinct.astype(np.float64))[at.reshape(-1)]
            known[name] = found.reshape(*indices.shape[:-1], -1)
        return known[name]

    seed = int(generator.integers(2**63))
    return [
        law_interval(
            lambda indices, column=column: numbers(indices)[..., column],
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
    """A bootstrap's method is named with its number of resamples. Where the jackknife is undefined
    (an infinite value, a statistic that no run changes) the percentile takes its place."""
    method, said = method or (DEFAULT_FEW if runs < FEW else DEFAULT), ""
    check_method(method, METHODS)
    if method == "jackknife":
        found = bootstrap.jackknife(statistic, runs)
        if not math.isnan(found.lower):
            return replace(found, method="jackknife of runs")
        method, said = "percentile", " (jackknife undefined)"
    found = bootstrap.interval(statistic, [runs], generator, BOOTSTRAPS[method])
    if found.method.startswith("none"):
        return found
    resamples = f"{bootstrap.RESAMPLES:,} resamples of runs"
    return replace(found, method=f"{found.method}{said}, {resamples}")


def clipped(found: Interval, least: float, most: float) -> Interval:
    lower, upper = np.clip([found.lower, found.upper], least, most)  # NaN stays
    return replace(found, lower=float(lower), upper=float(upper))
