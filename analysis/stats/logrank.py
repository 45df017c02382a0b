"""Log-rank tests of the difference between two arms' times to an event."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, check_alternative, refused

LABELLINGS = 10_000
"""largest number of labellings of the runs that are enumerated"""
ROUNDING = 1e-9  # largest difference between equal statistics

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def logrank(a: Times, b: Times, alternative: str = "two-sided") -> TestResult:
    """Log-rank test (Mantel 1966).

    The statistic is z = (O − E)/√V of the events of `a`, negative if there are fewer than expected,
    so that `a` is later. If there are at most `LABELLINGS` ways to choose which runs are `a`'s, p
    is the share of them with a z (two-sided: |z|) at least as extreme, since the normal
    approximation fails for few runs. This is exact where both arms are censored alike, as by one
    budget; elsewhere it holds for many runs, since z is permuted rather than O − E (Neuhaus 1993).

    Refused where no event was observed, or none distinguishes the arms: at each event, either only
    one arm was at risk or all runs at risk had the event. Raises ValueError for an unknown
    alternative.
    """
    return _test("log-rank", a, b, (np.zeros(len(a)), np.zeros(len(b))), alternative)


def stratified(
    a: Times,
    b: Times,
    alternative: str = "two-sided",
    strata: tuple[ArrayLike, ArrayLike] | None = None,
) -> TestResult:
    """Log-rank test within strata, such as seeds: O − E and V are summed over strata (Klein &
    Moeschberger 2003, sec. 7.5).

    `strata` labels the runs of `a`, (n_a,), and of `b`, (n_b,); without it, the arms are pairs: the
    same seeds in the same order. A stratum with runs of only one arm adds nothing. Exact p-values
    relabel within strata; those of pairs are the sign test's. Otherwise as `logrank`. Raises
    ValueError if labels do not match the runs.
    """
    if strata is None:
        strata = (np.arange(len(a)), np.arange(len(a)))
    labels = (np.asarray(strata[0]), np.asarray(strata[1]))
    if [label.shape for label in labels] != [(len(a),), (len(b),)]:
        given = " and ".join(str(label.size) for label in labels)
        raise ValueError(f"{given} labels of strata for {len(a)} and {len(b)} runs")
    return _test("stratified log-rank", a, b, labels, alternative)


def _test(
    name: str,
    a: Times,
    b: Times,
    labels: tuple[NDArray[np.generic], NDArray[np.generic]],
    alternative: str,
) -> TestResult:
    check_alternative(alternative)
    times = np.concatenate([a.times, b.times])
    observed = np.concatenate([a.observed, b.observed])
    in_a = np.arange(len(times)) < len(a)
    _, label = np.unique(np.concatenate(labels), return_inverse=True)
    if not observed.any():
        return refused(name, "no event observed", alternative)
    each = [label == value for value in range(label.max() + 1)]
    strata = [_stratum(times[of], observed[of], in_a[of]) for of in each]
    strata = [stratum for stratum in strata if stratum.tells]
    excess, variance = np.zeros(1), np.zeros(1)
    for stratum in strata:
        more, spread = stratum.excess_and_variance(stratum.in_a[None])
        excess, variance = excess + more, variance + spread
    if not variance[0] > 0:
        return refused(name, "no event tells the arms apart", alternative)
    z = float(_z(excess, variance)[0])
    labellings = math.prod(stratum.labellings for stratum in strata)
    if labellings <= LABELLINGS:
        p = float(_as_far_out(_all_z(strata), z, alternative).mean())
        return TestResult(name, z, p, alternative, f"exact, {labellings:,} labellings")
    tails = {"two-sided": 2 * stats.norm.sf(abs(z)), "later": stats.norm.cdf(z)}
    p = float(tails.get(alternative, stats.norm.sf(z)))
    return TestResult(name, z, p, alternative, "asymptotic")


@dataclass(frozen=True)
class _Stratum:
    """Runs that are compared with one another."""

    in_a: Mask
    """(n,)"""
    at_risk: Mask
    """(n, times): runs at risk at each event time at which not all of them had the event"""
    had: Mask
    """(n, times): runs that had the event then"""

    @property
    def tells(self) -> bool:
        """Whether the labels can affect the statistic."""
        return self.had.shape[1] > 0 and 0 < self.in_a.sum() < len(self.in_a)

    @property
    def labellings(self) -> int:
        """Number of ways to label the runs."""
        return math.comb(len(self.in_a), int(self.in_a.sum()))

    def every_labelling(self) -> Mask:
        """Enumerate all labels, (labellings, n)."""
        n, of_a = len(self.in_a), int(self.in_a.sum())
        labels = np.zeros((self.labellings, n), dtype=bool)
        chosen = np.array(list(combinations(range(n), of_a)))
        np.put_along_axis(labels, chosen, True, axis=1)
        return labels

    def excess_and_variance(self, in_a: Mask) -> tuple[Array, Array]:
        """O − E and its hypergeometric variance, both (labellings,), for labels (labellings, n)."""
        label = in_a.astype(float)
        n, events = self.at_risk.sum(0), self.had.sum(0)
        share = label @ self.at_risk / n
        excess = (label @ self.had - share * events).sum(1)
        variance = (share * (1 - share) * events * (n - events) / (n - 1)).sum(1)
        return excess, variance


def _stratum(times: Array, observed: Mask, in_a: Mask) -> _Stratum:
    at = np.unique(times[observed])
    at_risk = times[:, None] >= at
    had = (times[:, None] == at) & observed[:, None]
    some_left = had.sum(0) < at_risk.sum(0)
    return _Stratum(in_a, at_risk[:, some_left], had[:, some_left])


def _z(excess: Array, variance: Array) -> Array:
    """Statistic z; 0 where the variance is 0, as the excess is then 0 too."""
    return np.divide(excess, np.sqrt(variance), where=variance > 0, out=np.zeros(len(excess)))


def _all_z(strata: list[_Stratum]) -> Array:
    """Statistic z for every way to label the runs of each stratum, (labellings,)."""
    excess, variance = np.zeros(1), np.zeros(1)
    for stratum in strata:
        more, spread = stratum.excess_and_variance(stratum.every_labelling())
        excess = np.add.outer(excess, more).ravel()
        variance = np.add.outer(variance, spread).ravel()
    return _z(excess, variance)


def _as_far_out(every: Array, z: float, alternative: str) -> Mask:
    if alternative == "two-sided":
        return np.abs(every) >= abs(z) - ROUNDING
    return every <= z + ROUNDING if alternative == "later" else every >= z - ROUNDING
