"""Times that may not have been observed: Kaplan–Meier, medians, restricted means, differences.

What takes shape (…, n) has a sample of n runs in each row, so that a bootstrap is one call. Where a
resample leaves a number open (its median is not reached, its longest run ends before the horizon),
the lower end of the percentile interval counts it as the least that it can be, the upper end as the
most.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats import bootstrap
from analysis.stats.intervals import CONFIDENCE, Interval, none

DEFAULT = "log-log"
"""the method for a median; it also covers best for few runs (docs/statistics.md)"""
DIFFERENCE = "percentile"
"""the method for a difference of medians"""
BOOTSTRAPS = {"BCa": "bca", "percentile": "percentile"}
MEDIAN_METHODS = ("log-log", "order statistics", *BOOTSTRAPS)
ENOUGH = 5  # runs at risk that bound the median from below: it is before all with 0.5⁵ < 5 %
FEW_RUNS = "fewer than five runs"
ROUNDING = 1e-12  # a product of fractions may come out slightly above one half

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bounded = Callable[[Array, Mask], tuple[Array, Array, Array]]
"""(…, n) times and observed → a sample's number, the least and the most it can be, each (…)"""


@dataclass(frozen=True, eq=False)
class Times:
    """The times of an arm's runs, in steps, of shape (n,), n ≥ 1, finite and not negative.

    Raises ValueError for anything else.
    """

    times: Array
    observed: Mask
    """False: censored, the event had not happened by then"""

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
class Median:
    """A median time to an event; infinite where the runs do not bound it from above."""

    n: int
    reached: int
    """runs in which the event was observed"""
    median: float
    """the first time by which half of the runs have had the event; ∞ if the data do not reach it"""
    lower: float
    upper: float
    """the 95 % interval; both NaN where there is none"""
    followed: float
    """what five of the runs without the event were followed to, or all where there are fewer: an
    infinite median lies beyond it; the last event if all had it"""
    method: str
    """of the interval, or why there is none"""


def kaplan_meier(times: ArrayLike, observed: ArrayLike) -> tuple[Array, Array]:
    """The times in ascending order and the survival function S after each, both (…, n), by the
    product limit (Kaplan & Meier 1958); at the same time, events come before censorings.

    S is 1 before the first time and constant between two. Of equal times the last one has S; the
    others are on the way there. Raises ValueError without any run.
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
    """The first times at which S ≤ 1/2, (…, n) → (…); ∞ where it stays above."""
    ordered, survival = kaplan_meier(times, observed)
    reached = survival <= 0.5 + ROUNDING
    first = np.take_along_axis(ordered, reached.argmax(-1)[..., None], -1)[..., 0]
    return np.where(reached.any(-1), first, math.inf)


def median(
    times: ArrayLike,
    observed: ArrayLike,
    method: str = DEFAULT,
    generator: np.random.Generator | None = None,
) -> Median:
    """Kaplan–Meier median of right-censored times, both (n,), with its 95 % interval.

    "log-log": the times at which the log-log confidence band of S crosses 1/2 (Brookmeyer &
    Crowley 1982); the lower end is at most the time that five runs were followed to, as 0.5⁵ < 5 %,
    and no interval is given of fewer than five runs. "order statistics": the l-th time from either
    end, or (n ≤ 4) the first time and ∞, whichever covers the median with a probability nearest to
    95 % (by the binomial law; David & Nagaraja 2003, sec. 7.1); `method` states it. That holds
    where no run was censored before the last event; otherwise log-log takes its place and `method`
    says so. "BCa" and "percentile" need the generator.

    Raises ValueError without any run, for an unknown method and for a bootstrap without a
    generator.
    """
    runs = Times(np.asarray(times, dtype=float), np.asarray(observed, dtype=bool))
    check_method(method, MEDIAN_METHODS)
    last_event = runs.times[runs.observed].max(initial=0)
    if method in BOOTSTRAPS:
        found = bootstrapped(_median_bounded, [runs], generator, method)
    elif method == "log-log":
        found = _log_log(runs, method)
    elif (runs.times[~runs.observed] < last_event).any():
        found = _log_log(runs, "log-log (censored before the last event)")
    else:
        found = _order_statistics(runs)
    reached, ends = int(runs.observed.sum()), (found.lower, found.upper)
    censored = runs.times[~runs.observed]
    followed = _of_enough(censored) if len(censored) else float(runs.times.max())
    return Median(len(runs), reached, found.estimate, *ends, followed, found.method)


def median_difference(
    a: Times,
    b: Times,
    generator: np.random.Generator,
    paired: bool = False,
    method: str = DIFFERENCE,
) -> Interval:
    """The median of `a` less the median of `b` with a 95 % bootstrap interval.

    Each arm is resampled by itself; if paired, both have the same seeds in the same order, and a
    seed is resampled with both its runs. `method` is "percentile" or "BCa", which is not the
    default because it rests on the jackknife, inconsistent for a median (Efron &
    Tibshirani 1993, sec. 11.6).

    ∞ − finite is ∞ and ∞ − ∞ is NaN; the interval says what is known. Raises ValueError for an
    unknown method and for pairs of unequal numbers.
    """
    check_method(method, tuple(BOOTSTRAPS))
    return bootstrapped(_median_bounded, [a, b], generator, method, paired)


def check_method(method: str, methods: tuple[str, ...]) -> None:
    if method not in methods:
        raise ValueError(f"method={method}: must be one of {', '.join(methods)}")


def _order_statistics(runs: Times) -> Interval:
    n = len(runs)
    fewer = np.arange(n // 2)  # runs left out at either end
    coverages = np.append(1 - 2 * stats.binom.cdf(fewer, n, 0.5), 1 - 0.5**n)
    nearest = int(np.abs(coverages - CONFIDENCE).argmin())
    first, last = (nearest, n - 1 - nearest) if nearest < n // 2 else (0, n)
    # a censored run's own time is the least that its event's can be, ∞ the most
    least = np.sort(runs.times)
    most = np.append(np.sort(np.where(runs.observed, runs.times, math.inf)), math.inf)
    said = f"order statistics, {100 * coverages[nearest]:.1f} %"
    estimate = float(medians(runs.times, runs.observed))
    return Interval(estimate, float(least[first]), float(most[last]), said)


def _of_enough(times: Array) -> float:
    """What `ENOUGH` of these runs, or all of fewer, were followed to."""
    return float(np.sort(times)[-min(ENOUGH, len(times))])


def _log_log(runs: Times, said: str) -> Interval:
    estimate, followed = float(medians(runs.times, runs.observed)), _of_enough(runs.times)
    if len(runs) < ENOUGH:
        return none(estimate, FEW_RUNS)
    if not runs.observed.any():
        return Interval(estimate, followed, math.inf, said)
    data = stats.CensoredData(
        uncensored=runs.times[runs.observed], right=runs.times[~runs.observed]
    )
    survival = stats.ecdf(data).sf
    # the band is undefined (NaN) where all or none have survived: there it bounds nothing
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = survival.confidence_interval(CONFIDENCE, method="log-log")

    def first_below_half(probabilities: Array) -> float:
        below = np.nan_to_num(probabilities, nan=math.inf) <= 0.5
        return float(survival.quantiles[below.argmax()]) if below.any() else math.inf

    # where fewer are at risk the band is too narrow, or undefined
    lower = min(first_below_half(band.low.probabilities), estimate, followed)
    return Interval(estimate, lower, first_below_half(band.high.probabilities), said)


def _median_bounded(times: Array, observed: Mask) -> tuple[Array, Array, Array]:
    found = medians(times, observed)
    return found, np.minimum(found, times.max(-1)), found


def bootstrapped(
    bounded: Bounded,
    arms: Sequence[Times],
    generator: np.random.Generator | None,
    method: str,
    paired: bool = False,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Of one arm, or of the first less the last."""
    if generator is None:
        raise ValueError(f"method={method}: needs a generator")
    sizes, draws = arm_sizes(arms, paired), generator

    def resampled(of_first: int, of_last: int, by: str) -> Interval:
        def statistic(*indices: NDArray[np.intp]) -> Array:
            drawn = zip(arms, (indices[0], indices[-1]), strict=False)  # in pairs they are the same
            values = [bounded(arm.times[i], arm.observed[i]) for arm, i in drawn]
            first, last = values[0][of_first], values[-1][of_last]
            return first - last if len(arms) > 1 else first

        return bootstrap.interval(statistic, sizes, draws, by, confidence=confidence)

    found = resampled(0, 0, BOOTSTRAPS[method])
    if found.method == "BCa" or math.isnan(found.lower):
        return found
    lower, upper = resampled(1, 2, "percentile").lower, resampled(2, 1, "percentile").upper
    return Interval(found.estimate, lower, upper, found.method)


def arm_sizes(arms: Sequence[Times], paired: bool) -> list[int]:
    sizes = [len(arm) for arm in arms]
    if paired and len(set(sizes)) > 1:
        raise ValueError(f"pairs of {sizes[0]} and {sizes[1]} runs")
    return sizes[:1] if paired else sizes
