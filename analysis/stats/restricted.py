"""Restricted mean times: areas under the survival function up to a horizon."""

import math
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.stats.intervals import CONFIDENCE, Interval, none
from analysis.stats.survival import (
    BOOTSTRAPS,
    ROUNDING,
    Array,
    Mask,
    Times,
    arm_sizes,
    bootstrapped,
    check_method,
    kaplan_meier,
)

METHODS = ("normal", "t", *BOOTSTRAPS)
DEFAULT = "t"


def horizon(arms: Iterable[tuple[Times, Array]]) -> float:
    """Largest horizon at which the restricted mean of every arm is known.

    The least budget, or less where an arm was not followed as far; ∞ if all runs had the event.
    `arms` are times with the budgets of their runs.
    """
    bounds = [math.inf]
    for times, budgets in arms:
        if not times.observed.all():
            bounds += [float(budgets.min()), float(times.times.max())]
    return min(bounds)


def restricted_means(times: ArrayLike, observed: ArrayLike, horizon: float) -> Array:
    """Restricted means of samples of runs, the areas under S up to the horizon: (…, n) → (…).

    NaN where the longest run was censored before the horizon, so that the rest of the area is
    unknown. An infinite horizon gives plain means. Raises ValueError for a horizon that is not
    positive.
    """
    return _restricted_mean_bounded(np.asarray(times), np.asarray(observed), horizon)[0]


def restricted_mean(
    times: ArrayLike,
    observed: ArrayLike,
    horizon: float,
    generator: np.random.Generator | None = None,
    method: str = DEFAULT,
) -> Interval:
    """Restricted mean time, the area under S up to the horizon, with its 95 % interval.

    Methods: "normal", by the variance of the area (Klein & Moeschberger 2003, eq. 4.5.2); "t", by
    that variance times m/(m − 1), with m − 1 degrees of freedom, for the m runs known until the
    event or the horizon (without censoring before the horizon, Student's interval of the mean of
    min(time, horizon)); "BCa" and "percentile", which need the generator. Intervals of "normal" and
    "t" are cut at 0 and at the horizon.

    NaN without an interval where the longest run was censored before the horizon, and where no run
    had the event before it: the area is then the horizon, whatever the runs are. No interval by
    "normal" and "t" where all runs are equal, whose spread is unknown rather than zero. Raises
    ValueError for no runs, an unknown method, a bootstrap without a generator, and a horizon that
    is not positive.
    """
    runs = Times(np.asarray(times, dtype=float), np.asarray(observed, dtype=bool))
    return _restricted([runs], horizon, generator, method)


def restricted_mean_difference(
    a: Times,
    b: Times,
    horizon: float,
    generator: np.random.Generator | None = None,
    paired: bool = False,
    method: str = DEFAULT,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Restricted mean of `a` less that of `b`; methods, refusals and errors as for
    `restricted_mean`.

    By "normal" and "t" the variances of the arms add up (Welch 1947); if paired, the variance is
    that of the differences between the influences of each seed's runs. Without censoring before the
    horizon, "t" is Welch's interval, or the paired one, of min(time, horizon). It needs m ≥ 2 in
    each arm, or two pairs of which both runs are known.
    """
    return _restricted([a, b], horizon, generator, method, paired, confidence)


def stratified_mean_difference(
    strata: Sequence[tuple[Times, Times]], horizon: float, paired: bool = False
) -> Interval:
    """Mean over strata of the difference of restricted means, first arm less second, with its 95 %
    interval by "t".

    The weights are n m/(n + m) of a stratum's n and m runs (Mantel & Haenszel 1959; of the least
    variance where all runs scatter alike). Strata are independent, so that the variances of
    `restricted_mean_difference` add up with the squares of the weights, and the degrees of freedom
    are Satterthwaite's (1946). NaN without an interval
    where a stratum's difference is not known, or has no event before the horizon. Raises ValueError
    as that function does, and for no strata.
    """
    if not strata:
        raise ValueError("no strata")
    sizes = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in strata])
    known: list[Mask] = []
    influences: list[Array] = []
    estimate = scale = 0.0
    for weight, arms in zip(sizes / sizes.sum(), strata, strict=True):
        arm_sizes(arms, paired)
        values, why = _values(arms, horizon)
        if why:
            return none(math.nan, f"in a stratum {why}")
        estimate += float(weight) * (values[0] - values[1])
        scale = max(scale, *values)
        own_known, own = _influence_of_each(arms, horizon, paired)
        known += own_known
        influences += [weight * influence for influence in own]
    return _by_influence(estimate, -horizon, horizon, scale, known, influences, DEFAULT, CONFIDENCE)


def _restricted_mean_bounded(
    times: Array, observed: Mask, horizon: float
) -> tuple[Array, Array, Array]:
    """Restricted mean, the least and the most that it can be.

    At the least, S falls to 0 after the last run (Efron 1967); at the most, S stays constant (Gill
    1980).
    """
    if not horizon > 0:
        raise ValueError(f"horizon={horizon}: must be positive")
    ordered, survival = kaplan_meier(times, observed)
    one_before = [(0, 0)] * (ordered.ndim - 1) + [(1, 0)]
    edges = np.pad(np.minimum(ordered, horizon), one_before)
    heights = np.pad(survival, one_before, constant_values=1)
    least = (heights[..., :-1] * np.diff(edges)).sum(-1)
    left = np.where(heights[..., -1] > 0, horizon - edges[..., -1], 0)
    return np.where(left > 0, math.nan, least), least, least + heights[..., -1] * left


def _restricted(
    arms: Sequence[Times],
    horizon: float,
    generator: np.random.Generator | None,
    method: str,
    paired: bool = False,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Restricted mean of one arm, or of the first arm less the last."""
    check_method(method, METHODS)
    arm_sizes(arms, paired)
    values, why = _values(arms, horizon)
    if why:
        return none(math.nan, why)
    if method in BOOTSTRAPS:
        bounded = partial(_restricted_mean_bounded, horizon=horizon)
        return bootstrapped(bounded, arms, generator, method, paired, confidence)
    estimate, lowest = (values[0], 0.0) if len(arms) == 1 else (values[0] - values[1], -horizon)
    each = _influence_of_each(arms, horizon, paired)
    return _by_influence(estimate, lowest, horizon, max(values), *each, method, confidence)


def _values(arms: Sequence[Times], horizon: float) -> tuple[list[float], str]:
    """The restricted mean of each arm, and why none is to be given of them, or an empty text."""
    values = [float(restricted_means(arm.times, arm.observed, horizon)) for arm in arms]
    if np.isnan(values).any():
        return values, f"not followed up to {horizon:g}"
    if not any((arm.observed & (arm.times < horizon)).any() for arm in arms):
        return values, f"no event before {horizon:g}"
    return values, ""


def _influence_of_each(
    arms: Sequence[Times], horizon: float, paired: bool
) -> tuple[list[Mask], list[Array]]:
    """Of each arm, or of the pairs: which are known up to the horizon, and their influences."""
    known = [arm.observed | (arm.times >= horizon) for arm in arms]
    influences = [_influences(arm, horizon) for arm in arms]
    if paired:
        return [known[0] & known[1]], [influences[0] - influences[1]]
    return known, influences


def _by_influence(
    estimate: float,
    lowest: float,
    highest: float,
    scale: float,
    known: Sequence[Mask],
    influences: Sequence[Array],
    method: str,
    confidence: float,
) -> Interval:
    """The interval by "normal" or "t" from the influences of independent samples of runs, none
    where their spread is rounding against `scale`."""
    m = np.array([mask.sum() for mask in known])
    variances = np.array([(influence**2).sum() for influence in influences])
    if math.sqrt(variances.sum()) <= ROUNDING * scale:
        return none(estimate, "all runs alike")
    if method == "normal":
        factor = stats.norm.ppf((1 + confidence) / 2)
    elif m.min() < 2:
        return none(estimate, f"fewer than two runs known up to {highest:g}")
    else:
        variances = variances * m / (m - 1)
        freedom = variances.sum() ** 2 / (variances**2 / (m - 1)).sum()
        factor = stats.t.ppf((1 + confidence) / 2, freedom)
    width = float(factor) * math.sqrt(variances.sum())
    ends = (max(estimate - width, lowest), min(estimate + width, highest))
    return Interval(estimate, *ends, method)


def _influences(runs: Times, horizon: float) -> Array:
    """Influence of each run on the restricted mean, (n,): the derivative by the run's weight.

    Their squares add up to the variance of Klein & Moeschberger (2003), eq. 4.5.2.
    """
    at = np.unique(runs.times[runs.observed & (runs.times < horizon)])
    at_risk = runs.times[:, None] >= at
    events = (runs.times[:, None] == at) & runs.observed[:, None]
    n, d = at_risk.sum(0), events.sum(0)
    steps = (1 - d / n).cumprod() * np.diff(at, append=min(horizon, runs.times.max()))
    areas = steps[::-1].cumsum()[::-1]
    weights = np.divide(areas, n - d, where=n > d, out=np.zeros(len(at)))
    return (at_risk * (d / n) - events) @ weights
