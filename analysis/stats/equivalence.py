"""Equivalence tests for claims that two arms are the same: "unchanged", "equally", "consistent".

Such a claim names a margin within which a difference counts as none, and holds if the data exclude
a larger one. p > 0.05 in a test for a difference never shows equivalence.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from analysis.stats.intervals import Interval, none
from grokpipe.errors import InputError

ALPHA = 0.05


@dataclass(frozen=True)
class Equivalence:
    """Result of an equivalence test. Not equivalent means not shown, never that the arms differ."""

    difference: Interval
    """first less second, with its interval of 1 − 2·alpha (90 %)"""
    margin: tuple[float, float]
    """the ends between which a difference counts as none"""
    p: float
    """the larger of the two one-sided p-values; NaN if at most the interval is known"""
    equivalent: bool
    """p < alpha or, equivalently, the interval lies inside the margin"""
    method: str


def equivalent_means(
    a: ArrayLike, b: ArrayLike, margin: float, alpha: float = ALPHA, paired: bool = False
) -> Equivalence:
    """Show by two one-sided t-tests (Schuirmann 1987) that two means differ by less than a margin.

    Welch's tests, or t-tests of the differences a[i] − b[i] if paired. Equivalence is not shown,
    with the reason in `method`, where a value is not finite, an arm has one run, or the values have
    no spread.

    Args:
        a, b: values of the two arms, (n,) and (m,).
        margin: differences below it count as none.
        alpha: level of the test.
        paired: a[i] and b[i] belong together, as runs of the same seed.

    Raises:
        InputError: the margin is not positive and finite.
        ValueError: no runs, pairs of unequal number, or an alpha outside (0, 0.5).
    """
    ends = _margin(margin, math.inf)
    _check_alpha(alpha)
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if not len(a) or not len(b):
        raise ValueError("means of no runs")
    if paired and len(a) != len(b):
        raise ValueError(f"pairs of {len(a)} and {len(b)} runs")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return _not_shown(math.nan, ends, "a value is not finite")
    difference = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return _not_shown(difference, ends, "one run")
    if np.ptp(a - b) == 0 if paired else np.ptp(a) == np.ptp(b) == 0:
        return _not_shown(difference, ends, "no spread")
    name = "paired t" if paired else "Welch t"
    with warnings.catch_warnings():  # one arm without spread is fine: the other's spread counts
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        both, above, below = (
            stats.ttest_1samp(a - b, -shift, alternative=tail)
            if paired
            else stats.ttest_ind(a + shift, b, equal_var=False, alternative=tail)
            for shift, tail in ((0.0, "two-sided"), (margin, "greater"), (-margin, "less"))
        )
    limits = both.confidence_interval(1 - 2 * alpha)
    interval = Interval(difference, float(limits.low), float(limits.high), _with_level(name, alpha))
    p = float(max(above.pvalue, below.pvalue))
    return Equivalence(interval, ends, p, p < alpha, f"two one-sided tests, {name}")


def equivalent_proportions(
    k1: int, n1: int, k2: int, n2: int, margin: float, alpha: float = ALPHA
) -> Equivalence:
    """Test that the proportions k1/n1 and k2/n2 differ by less than the margin.

    The distance of each limit from the difference is the root of the sum of squares of the two
    proportions' distances from their own limits (Newcombe 1998, method 10; Zou & Donner 2008), here
    those of Clopper & Pearson: with Wilson's, small arms would be called equivalent up to twice too
    often. By enumeration, arms of 3 to 100 runs that differ by the whole margin are called
    equivalent with a probability of at most 0.055 for alpha = 0.05. p is the alpha at which a limit
    meets the margin.

    Not shown where an arm has no runs. Raises InputError unless 0 < margin ≤ 0.5, beyond which that
    probability is larger, and ValueError unless 0 ≤ k ≤ n and 0 < alpha < 0.5.
    """
    ends = _margin(margin, 0.5)
    _check_alpha(alpha)
    for k, n in ((k1, n1), (k2, n2)):
        if not 0 <= k <= n:
            raise ValueError(f"k={k}: must be between 0 and n={n}")
    if not n1 or not n2:
        return _not_shown(math.nan, ends, "no runs")
    # exchanging the arms, the upper limit is the lower one of the reversed difference
    first, second = (k1, n1, k2, n2), (k2, n2, k1, n1)
    name = "Clopper–Pearson limits, squares added"
    interval = Interval(
        k1 / n1 - k2 / n2,
        _lower_limit(*first, alpha),
        -_lower_limit(*second, alpha),
        _with_level(name, alpha),
    )
    p = max(_p_above(*first, margin), _p_above(*second, margin))
    return Equivalence(interval, ends, p, p < alpha, name)


def equivalent_intervals(interval: Interval, margin: float) -> Equivalence:
    """Check whether a difference's 90 % interval, as from a bootstrap, lies inside the margin.

    p is NaN. An unbounded or missing interval never lies inside. Raises InputError unless the
    margin is positive and finite.
    """
    ends = _margin(margin, math.inf)
    inside = ends[0] < interval.lower and interval.upper < ends[1]
    return Equivalence(interval, ends, math.nan, inside, f"interval in margin, {interval.method}")


def _margin(margin: float, largest: float) -> tuple[float, float]:
    if not (0 < margin <= largest and math.isfinite(margin)):
        valid = "positive and finite" if math.isinf(largest) else f"above 0, at most {largest:g}"
        raise InputError(f"margin={margin:g}: must be {valid}")
    return -margin, margin


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha={alpha}: must be between 0 and 0.5")


def _with_level(name: str, alpha: float) -> str:
    return f"{name}, {100 * (1 - 2 * alpha):g} %"


def _not_shown(difference: float, margin: tuple[float, float], why: str) -> Equivalence:
    return Equivalence(none(difference, why), margin, math.nan, False, f"none: {why}")


def _lower_limit(k1: int, n1: int, k2: int, n2: int, alpha: float) -> float:
    """One-sided lower limit of k1/n1 − k2/n2; as alpha goes to 1, the difference itself."""
    first, second = k1 / n1, k2 / n2
    lower = min(stats.beta.ppf(alpha, k1, n1 - k1 + 1), first) if k1 else 0.0
    upper = max(stats.beta.isf(alpha, k2 + 1, n2 - k2), second) if k2 < n2 else 1.0
    return float(first - second - math.hypot(first - lower, upper - second))


def _p_above(k1: int, n1: int, k2: int, n2: int, margin: float) -> float:
    """One-sided p against k1/n1 − k2/n2 ≤ −margin."""

    def excess(alpha: float) -> float:
        return _lower_limit(k1, n1, k2, n2, alpha) + margin

    least, most = 1e-12, 1 - 1e-12
    if excess(least) > 0:
        return 0.0
    return float(optimize.brentq(excess, least, most)) if excess(most) > 0 else 1.0
