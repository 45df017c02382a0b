"""Effect sizes between two arms, and proportions of runs, each with its 95 % interval."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.stats import bootstrap
from analysis.stats.intervals import CONFIDENCE, FEW, Interval, none
from analysis.stats.ranks import known_order
from analysis.stats.survival import BOOTSTRAPS, Times

DEFAULT = "BCa"
COHEN_D_FEW = "noncentral t"
CLIFF_DELTA_FEW = "Cliff"
"""methods used where an arm has fewer than `FEW` runs"""
COHEN_D_METHODS = ("noncentral t", "BCa", "percentile")
CLIFF_DELTA_METHODS = ("Cliff", "BCa", "percentile")
FARTHEST = 1e4  # largest t for which scipy's noncentral t is reliable

Array = NDArray[np.float64]


def cohen_d(
    a: Times, b: Times, generator: np.random.Generator, method: str | None = None
) -> Interval:
    """Cohen's d: the mean time of `a` less that of `b`, over the pooled standard deviation (Cohen
    1988, sec. 2.5; without correction for bias).

    NaN without an interval where a run was censored, since the mean is then unknown. Without spread
    d is ±∞, or NaN for equal means, without an interval.

    Args:
        a, b: times of the two arms.
        generator: of the bootstraps.
        method: "noncentral t", which inverts that distribution for normal times (Steiger & Fouladi
            1997), or "BCa" or "percentile" (`bootstrap.interval`). None: `COHEN_D_FEW` if an arm
            has fewer than `FEW` runs, else `DEFAULT`.

    Raises:
        ValueError: the method is unknown.
    """
    method = _method(method, COHEN_D_METHODS, COHEN_D_FEW, a, b)
    if not (a.observed.all() and b.observed.all()):
        return none(math.nan, "a run was censored")
    if len(a) == len(b) == 1:
        return none(math.nan, "one run in each arm")
    if np.ptp(a.times) == np.ptp(b.times) == 0:
        apart = float(a.times[0] - b.times[0])
        return none(math.copysign(math.inf, apart) if apart else math.nan, "no spread")

    def statistic(i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
        return _standardised(a.times[i], b.times[j])

    if method in BOOTSTRAPS:
        return bootstrap.interval(statistic, (len(a), len(b)), generator, BOOTSTRAPS[method])
    return _noncentral_t(float(_standardised(a.times, b.times)), len(a), len(b))


def cliff_delta(
    a: Times, b: Times, generator: np.random.Generator, method: str | None = None
) -> Interval:
    """Cliff's delta, P(a later) − P(b later), in [−1, 1].

    Pairs of runs at the same evaluation or of unknown order (`ranks.known_order`) count 0. At ±1
    all resamples are equal and the variance is 0: every method is then replaced by the limit from
    the largest possible variance, (1 − δ²)/n of the smaller arm, and says so. No interval where an
    arm has one run or no two runs are known to differ.

    Args:
        a, b: times of the two arms.
        generator: of the bootstraps.
        method: "Cliff", his asymmetric interval with the consistent variance (Cliff 1993; Feng &
            Cliff 2004), or "BCa" or "percentile" (`bootstrap.interval`). None: `CLIFF_DELTA_FEW` if
            an arm has fewer than `FEW` runs, else `DEFAULT`.

    Raises:
        ValueError: the method is unknown.
    """
    method = _method(method, CLIFF_DELTA_METHODS, CLIFF_DELTA_FEW, a, b)
    order = known_order(a, b)
    estimate, smaller = float(order.mean()), min(order.shape)
    if not order.any():
        return none(0.0, "no two runs are known to differ")
    if smaller < 2:
        return none(estimate, "one run")
    if abs(estimate) == 1:
        z2 = stats.norm.isf((1 - CONFIDENCE) / 2) ** 2
        inner = float((smaller - z2) / (smaller + z2))
        used = f"largest variance ({method} undefined at ±1)"
        return Interval(estimate, *((inner, 1.0) if estimate > 0 else (-1.0, -inner)), used)

    def statistic(i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
        # count how often each run was drawn: n + m numbers per resample instead of n · m
        pairs = (_counts(i, len(a)) @ order) * _counts(j, len(b))
        return pairs.sum(-1) / (i.shape[-1] * j.shape[-1])

    if method in BOOTSTRAPS:
        return bootstrap.interval(statistic, (len(a), len(b)), generator, BOOTSTRAPS[method])
    return _cliff(order)


@cache  # tables of a thousand arms ask for the same few counts
def proportion(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Proportion k/n of runs with the exact interval of Clopper & Pearson (1934).

    NaN without an interval for no runs. Raises ValueError unless 0 ≤ k ≤ n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"k={k}: must be between 0 and n={n}")
    if not n:
        return none(math.nan, "no runs")
    ends = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    return Interval(k / n, float(ends.low), float(ends.high), "Clopper–Pearson")


def _method(method: str | None, methods: tuple[str, ...], few: str, a: Times, b: Times) -> str:
    method = method or (few if min(len(a), len(b)) < FEW else DEFAULT)
    if method not in methods:
        raise ValueError(f"method={method}: must be one of {', '.join(methods)}")
    return method


def _standardised(x: Array, y: Array) -> Array:
    """Cohen's d of samples (…, n) and (…, m): (…)."""
    squares = sum(((arm - arm.mean(-1, keepdims=True)) ** 2).sum(-1) for arm in (x, y))
    return (x.mean(-1) - y.mean(-1)) / np.sqrt(squares / (x.shape[-1] + y.shape[-1] - 2))


def _noncentral_t(d: float, n: int, m: int) -> Interval:
    scale, freedom = math.sqrt(1 / n + 1 / m), n + m - 2
    t = abs(d) / scale
    if t > FARTHEST:
        return none(d, "too little spread")
    # t is (Z + noncentrality)/s: outside this bracket, either tail is below 0.0011
    smallest, largest = np.sqrt(stats.chi2.ppf([0.001, 0.999], freedom) / freedom)
    bracket = (t * smallest - 4, t * largest + 4)
    tail = (1 - CONFIDENCE) / 2

    def end(probability: float) -> float:
        def excess(noncentrality: float) -> float:
            return float(stats.nct.cdf(t, freedom, noncentrality)) - probability

        return scale * float(optimize.brentq(excess, *bracket))

    lower, upper = end(1 - tail), end(tail)
    if d < 0:
        lower, upper = -upper, -lower
    return Interval(d, lower, upper, "noncentral t")


def _counts(indices: NDArray[np.intp], n: int) -> Array:
    """Count how often each of n runs is among the indices: (…, k) → (…, n)."""
    rows = indices.reshape(-1, indices.shape[-1])
    shifted = rows + n * np.arange(len(rows))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=n * len(rows)).astype(float)
    return counts.reshape(*indices.shape[:-1], n)


def _cliff(order: Array) -> Interval:
    """Cliff's interval: all δ with (δ − d)² ≤ z² s² (1 − δ²)/(1 − d²), s² the variance of d."""
    n, m = order.shape
    d = float(order.mean())
    of_a, of_b = order.mean(1).var(ddof=1), order.mean(0).var(ddof=1)
    variance = ((m - 1) * of_a + (n - 1) * of_b + order.var(ddof=1)) / (n * m)
    q = stats.norm.isf((1 - CONFIDENCE) / 2) ** 2 * variance
    rest = 1 - d**2
    half = math.sqrt(q * (rest**2 + q))
    lower, upper = (d * rest - half) / (rest + q), (d * rest + half) / (rest + q)
    return Interval(d, float(lower), float(upper), "Cliff")
