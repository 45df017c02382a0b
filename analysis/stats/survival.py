"""Survival statistics of right-censored times: Kaplan–Meier, medians and their differences.

Arrays of shape (…, n) hold a sample of n runs in each row, so that a bootstrap is one call. Where a
resample does not determine a number (its median is not reached, its longest run ends before the
horizon), the lower end of the percentile interval uses its least possible value, the upper end its
largest.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats import bootstrap
from analysis.stats.intervals import CONFIDENCE, ENOUGH, Interval, none

DEFAULT = "log-log"
"""default method for a median; also the one with the best coverage for few runs
(docs/statistics.md)"""
DIFFERENCE = "percentile"
"""default method for a difference of medians"""
BOOTSTRAPS = {"BCa": "bca", "percentile": "percentile"}
MEDIAN_METHODS = ("log-log", "order statistics", *BOOTSTRAPS)
FEW_RUNS = "fewer than five runs"
ROUNDING = 1e-12  # a product of fractions may come out slightly above one half

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bounded = Callable[[Array, Mask], tuple[Array, Array, Array]]
"""(…, n) times and observed → a sample's number, its least and its largest possible value, (…)"""


@dataclass(frozen=True, eq=False)
class Times:
    """Times of an arm's runs, in steps, of shape (n,), n ≥ 1, finite and not negative.

    Raises ValueError for anything else.
    """

    times: Array
    observed: Mask
    """False: censored; the event had not happened by then"""

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.observed.shape:
            shapes = f"{self.times.shape} and {self.observed.shape}"
            raise ValueError(f"times and observed of shapes {shapes}: must both be (n,)")
        if not len(self.times):
            raise ValueError("times of no runs")
        if not (np.isfinite(self.times) & (self.times >= 0)).all():
            raise ValueError(f"times={self.times}: must be finite and not negative")

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Range:
    """Two order statistics between which the median lies, with the probability that it does."""

    lower: float
    upper: float
    level: float
    """exact coverage by the binomial distribution; all three are NaN where there is no range"""


@dataclass(frozen=True)
class Median:
    """A median time to an event; infinite where the runs do not bound it from above."""

    n: int
    reached: int
    """number of runs in which the event was observed"""
    median: float
    """as of `medians`: of an even number of runs the mean of the two middle ones; ∞ if the data do
    not reach it"""
    lower: float
    upper: float
    """ends of the 95 % interval; NaN where there is none"""
    followed: float
    """step to which at least five of the runs without the event were followed, or all where there
    are fewer: a lower bound of an infinite median (if half of the runs had the event, the mean of
    that step and of the last event by which they had); the last event if all runs had it"""
    method: str
    """method of the interval, or why there is none"""


def kaplan_meier(times: ArrayLike, observed: ArrayLike) -> tuple[Array, Array]:
    """Kaplan–Meier estimate (1958): ascending times and the survival function S after each, (…, n).

    S is 1 before the first time and constant between times; at equal times, events precede
    censorings, and S is that of the last entry. Raises ValueError for no runs.
    """
    times, observed = np.asarray(times, dtype=float), np.asarray(observed, dtype=bool)
    n = times.shape[-1]
    if not n:
        raise ValueError("survival of no runs")
    order = np.lexsort((~observed, times), axis=-1)
    at_risk = np.arange(n, 0, -1)
    left = np.where(np.take_along_axis(observed, order, -1), (at_risk - 1) / at_risk, 1.0)
    return np.take_along_axis(times, order, -1), left.cumprod(-1)


def medians(times: ArrayLike, observed: ArrayLike) -> Array:
    """Kaplan–Meier medians, (…, n) → (…).

    The first time at which S falls below 1/2; where S is flat at 1/2, the mean of the times that
    bound the step, which without censoring is that of the two middle runs. ∞ if S does not fall
    below 1/2: then half of the runs, or more, are later than any time seen.
    """
    return _median_bounded(np.asarray(times, dtype=float), np.asarray(observed, dtype=bool))[0]


def median(
    times: ArrayLike,
    observed: ArrayLike,
    method: str = DEFAULT,
    generator: np.random.Generator | None = None,
) -> Median:
    """Kaplan–Meier median of right-censored times, both (n,), with its 95 % interval.

    Methods:
        "log-log": the times at which the log-log confidence band of S crosses 1/2 (Brookmeyer &
            Crowley 1982). The lower end is at most the time to which five runs were followed, as
            0.5⁵ < 5 %; fewer than five runs have no interval.
        "order statistics": the l-th time from either end, or (n ≤ 4) the first time and ∞,
            whichever coverage is nearest to 95 % by the binomial distribution (David & Nagaraja
            2003, sec. 7.1); the result's method states it. Valid where no run was censored before
            the last event; otherwise log-log replaces it, and the result's method says so.
        "BCa", "percentile": bootstraps, which need the generator.

    Raises ValueError for no runs, an unknown method, and a bootstrap without a generator.
    """
    runs = Times(np.asarray(times, dtype=float), np.asarray(observed, dtype=bool))
    check_method(method, MEDIAN_METHODS)
    if method in BOOTSTRAPS:
        interval = bootstrapped(_median_bounded, [runs], generator, method)
    elif method == "log-log":
        interval = _log_log(runs, method)
    elif _censored_early(runs):
        interval = _log_log(runs, "log-log (censored before the last event)")
    else:
        interval = _order_statistics(runs)
    reached, ends = int(runs.observed.sum()), (interval.lower, interval.upper)
    censored = runs.times[~runs.observed]
    followed = _of_enough(censored) if len(censored) else float(runs.times.max())
    if math.isinf(interval.estimate):
        followed = min(followed, float(_median_bounded(runs.times, runs.observed)[1]))
    return Median(len(runs), reached, interval.estimate, *ends, followed, interval.method)


def order_range(times: ArrayLike, observed: ArrayLike) -> Range:
    """Order statistics, (n,) → the l-th time from either end whose exact coverage of the median,
    1 − 2 P(B < l) with B ~ Bin(n, 1/2), is nearest to 95 % (David & Nagaraja 2003, sec. 7.1).

    Of five and six runs these are the first and the last time, at 93.8 and 96.9 %: the log-log
    interval has no upper end there. NaN for one run, where a run was censored before the last
    event, and where the upper of the two was not observed.
    """
    runs = Times(np.asarray(times, dtype=float), np.asarray(observed, dtype=bool))
    n, nothing = len(runs), Range(math.nan, math.nan, math.nan)
    if n < 2 or _censored_early(runs):
        return nothing
    coverages = _coverages(n)
    nearest = int(np.abs(coverages - CONFIDENCE).argmin())
    order = np.argsort(np.where(runs.observed, runs.times, math.inf))
    last = order[n - 1 - nearest]
    if not runs.observed[last]:
        return nothing
    first = runs.times[order[nearest]]
    return Range(float(first), float(runs.times[last]), float(coverages[nearest]))


def median_difference(
    a: Times,
    b: Times,
    generator: np.random.Generator,
    paired: bool = False,
    method: str = DIFFERENCE,
) -> Interval:
    """Median of `a` less median of `b`, with a 95 % bootstrap interval.

    Arms are resampled independently; if paired, both have the same seeds in the same order, and a
    seed is resampled with both its runs. `method` is "percentile" or "BCa", which is not the
    default because it relies on the jackknife, inconsistent for a median (Efron & Tibshirani 1993,
    sec. 11.6). ∞ − finite is ∞ and ∞ − ∞ is NaN.

    Raises ValueError for an unknown method and for pairs of unequal numbers.
    """
    check_method(method, tuple(BOOTSTRAPS))
    return bootstrapped(_median_bounded, [a, b], generator, method, paired)


def check_method(method: str, methods: tuple[str, ...]) -> None:
    """Raise ValueError unless `method` is one of `methods`."""
    if method not in methods:
        raise ValueError(f"method={method}: must be one of {', '.join(methods)}")


def _order_statistics(runs: Times) -> Interval:
    n = len(runs)
    coverages = np.append(_coverages(n), 1 - 0.5**n)
    nearest = int(np.abs(coverages - CONFIDENCE).argmin())
    first, last = (nearest, n - 1 - nearest) if nearest < n // 2 else (0, n)
    # the event of a censored run lies between its own time and ∞
    least = np.sort(runs.times)
    most = np.append(np.sort(np.where(runs.observed, runs.times, math.inf)), math.inf)
    method = f"order statistics, {100 * coverages[nearest]:.1f} %"
    estimate = float(medians(runs.times, runs.observed))
    return Interval(estimate, float(least[first]), float(most[last]), method)


def _coverages(n: int) -> Array:
    """Chance that the median lies between the l-th times from either end of n, l = 1 … n // 2."""
    return np.asarray(1 - 2 * stats.binom.cdf(np.arange(n // 2), n, 0.5))


def _censored_early(runs: Times) -> bool:
    """Whether a run was censored before the last event, so that the order is not known."""
    return bool((runs.times[~runs.observed] < runs.times[runs.observed].max(initial=0)).any())


def _of_enough(times: Array) -> float:
    """Time to which `ENOUGH` of these runs were followed, or all of them if fewer."""
    return float(np.sort(times)[-min(ENOUGH, len(times))])


def _log_log(runs: Times, method: str) -> Interval:
    estimate, followed = float(medians(runs.times, runs.observed)), _of_enough(runs.times)
    if len(runs) < ENOUGH:
        return none(estimate, FEW_RUNS)
    if not runs.observed.any():
        return Interval(estimate, followed, math.inf, method)
    data = stats.CensoredData(
        uncensored=runs.times[runs.observed], right=runs.times[~runs.observed]
    )
    survival = stats.ecdf(data).sf
    # the band is undefined (NaN), and so no bound, where all or none have survived
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = survival.confidence_interval(CONFIDENCE, method="log-log")

    def first_below_half(probabilities: Array) -> float:
        below = np.nan_to_num(probabilities, nan=math.inf) <= 0.5
        return float(survival.quantiles[below.argmax()]) if below.any() else math.inf

    # where fewer runs are at risk the band is too narrow, or undefined
    lower = min(first_below_half(band.low.probabilities), estimate, followed)
    return Interval(estimate, lower, first_below_half(band.high.probabilities), method)


def _median_bounded(times: Array, observed: Mask) -> tuple[Array, Array, Array]:
    ordered, survival = kaplan_meier(times, observed)

    def first(reached: Mask) -> Array:
        at = np.take_along_axis(ordered, reached.argmax(-1)[..., None], -1)[..., 0]
        return np.where(reached.any(-1), at, math.inf)

    begins, ends = first(survival <= 0.5 + ROUNDING), first(survival < 0.5 - ROUNDING)
    values, longest = (begins + ends) / 2, times.max(-1)
    least = (np.minimum(begins, longest) + np.minimum(ends, longest)) / 2
    return values, least, values


def bootstrapped(
    bounded: Bounded,
    arms: Sequence[Times],
    generator: np.random.Generator | None,
    method: str,
    paired: bool = False,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Bootstrap interval of a number of one arm, or of the first arm's less the last's.

    `bounded` computes the number with its least and largest possible value. Raises ValueError
    without a generator.
    """
    if generator is None:
        raise ValueError(f"method={method}: needs a generator")
    sizes, draws = arm_sizes(arms, paired), generator

    def resampled(of_first: int, of_last: int, by: str) -> Interval:
        def statistic(*indices: NDArray[np.intp]) -> Array:
            drawn = zip(arms, (indices[0], indices[-1]), strict=False)  # pairs share their indices
            values = [bounded(arm.times[i], arm.observed[i]) for arm, i in drawn]
            first, last = values[0][of_first], values[-1][of_last]
            return first - last if len(arms) > 1 else first

        return bootstrap.interval(statistic, sizes, draws, by, confidence=confidence)

    interval = resampled(0, 0, BOOTSTRAPS[method])
    if interval.method == "BCa" or math.isnan(interval.lower):
        return interval
    lower, upper = resampled(1, 2, "percentile").lower, resampled(2, 1, "percentile").upper
    return Interval(interval.estimate, lower, upper, interval.method)


def arm_sizes(arms: Sequence[Times], paired: bool) -> list[int]:
    """Sizes of the samples to resample: one per arm, or one in all if paired.

    Raises ValueError for pairs of unequal numbers.
    """
    sizes = [len(arm) for arm in arms]
    if paired and len(set(sizes)) > 1:
        raise ValueError(f"pairs of {sizes[0]} and {sizes[1]} runs")
    return sizes[:1] if paired else sizes
