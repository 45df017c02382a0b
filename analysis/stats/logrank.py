"""Log-rank tests of the difference between two arms' times to an event."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, check_alternative, refused

LABELLINGS = 200_000
"""largest number of labellings of the runs that are enumerated, and the number drawn beyond"""
FEW = 50
"""largest number of runs that are permuted; of more, the normal approximation holds"""
BATCH = 20_000  # labellings at once, to bound the memory
ROUNDING = 1e-9  # largest difference between equal statistics
SIGNS = {"two-sided": "two-sided", "later": "less", "earlier": "greater"}
"""scipy's names of the alternatives, of pairs in which the first run has the event first"""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def logrank(
    a: Times,
    b: Times,
    alternative: str = "two-sided",
    budgets: Sequence[ArrayLike] | None = None,
    generator: np.random.Generator | None = None,
) -> TestResult:
    """Log-rank test (Mantel 1966); `budgets` are those of each arm, one number or one per run.

    The statistic is z = (O − E)/√V of the events of `a`, negative if there are fewer than expected,
    so that `a` is later. For at most `FEW` runs p is by permutation, as the normal approximation
    fails for few: the share of the ways to choose which runs are `a`'s with a z (two-sided: |z|) at
    least as extreme. These are all ways if there are at most `LABELLINGS`, else that many drawn by
    the generator (by default one of seed 0, so that equal runs have equal p), with this one among
    them (Phipson & Smyth 2010).

    That is exact where all runs are censored alike, at one budget. Elsewhere the method says
    "approximate": z is permuted rather than O − E, which holds for many runs (Neuhaus 1993).

    Refused where no event was observed, or none distinguishes the arms: at each event, either only
    one arm was at risk or all runs at risk had the event. Raises ValueError for an unknown
    alternative.
    """
    labels = (np.zeros(len(a)), np.zeros(len(b)))
    return _test("log-rank", a, b, labels, alternative, budgets, generator)


def stratified(
    a: Times,
    b: Times,
    alternative: str = "two-sided",
    strata: tuple[ArrayLike, ArrayLike] | None = None,
    budgets: Sequence[ArrayLike] | None = None,
    generator: np.random.Generator | None = None,
) -> TestResult:
    """Log-rank test within strata, such as seeds: O − E and V are summed over strata (Klein &
    Moeschberger 2003, sec. 7.5).

    `strata` labels the runs of `a`, (n_a,), and of `b`, (n_b,); without it, the arms are pairs: the
    same seeds in the same order. A stratum with runs of only one arm adds nothing. Labels are
    permuted within strata; of pairs p is the sign test's, exact for any number and any budgets,
    since only the first event in a pair counts. Otherwise as `logrank`. Raises ValueError if labels
    do not match the runs.
    """
    if strata is None:
        strata = (np.arange(len(a)), np.arange(len(a)))
    labels = (np.asarray(strata[0]), np.asarray(strata[1]))
    if [label.shape for label in labels] != [(len(a),), (len(b),)]:
        given = " and ".join(str(label.size) for label in labels)
        raise ValueError(f"{given} labels of strata for {len(a)} and {len(b)} runs")
    return _test("stratified log-rank", a, b, labels, alternative, budgets, generator)


def _test(
    name: str,
    a: Times,
    b: Times,
    labels: tuple[NDArray[np.generic], NDArray[np.generic]],
    alternative: str,
    budgets: Sequence[ArrayLike] | None,
    generator: np.random.Generator | None,
) -> TestResult:
    check_alternative(alternative)
    times = np.concatenate([a.times, b.times])
    observed = np.concatenate([a.observed, b.observed])
    in_a = np.arange(len(times)) < len(a)
    _, label = np.unique(np.concatenate(labels), return_inverse=True)
    if not observed.any():
        return refused(name, "no event observed", alternative)
    order = np.lexsort((in_a, observed, times))  # so that draws do not depend on that of the runs
    each = [order[label[order] == value] for value in range(label.max() + 1)]
    strata = [_stratum(times[of], observed[of], in_a[of]) for of in each]
    strata = [stratum for stratum in strata if stratum.tells]
    excess, variance = np.zeros(1), np.zeros(1)
    for stratum in strata:
        more, spread = stratum.excess_and_variance(stratum.in_a[None])
        excess, variance = excess + more, variance + spread
    if not variance[0] > 0:
        return refused(name, "no event tells the arms apart", alternative)
    z = float(_z(excess, variance)[0])
    if all(len(stratum.in_a) == 2 for stratum in strata):
        n, first = len(strata), round((z * math.sqrt(len(strata)) + len(strata)) / 2)
        p = float(stats.binomtest(first, n, alternative=SIGNS[alternative]).pvalue)
        least = 0.5**n * (2 if alternative == "two-sided" else 1)
        return TestResult(name, z, p, alternative, f"exact, signs of {n} pairs", least)
    if sum(len(stratum.in_a) for stratum in strata) > FEW:
        tails = {"two-sided": 2 * stats.norm.sf(abs(z)), "later": stats.norm.cdf(z)}
        p = float(tails.get(alternative, stats.norm.sf(z)))
        return TestResult(name, z, p, alternative, "asymptotic")
    ways = math.prod(stratum.labellings for stratum in strata)
    uneven = "" if _censored_alike(a, b, label, budgets) else ", approximate: censored unevenly"
    if ways <= LABELLINGS:
        every = _all_z(strata)
        p = float(_as_far_out(every, z, alternative).mean())
        ends = {"two-sided": float(abs(every).max()), "later": float(every.min())}
        farthest = ends.get(alternative, float(every.max()))
        least = float(_as_far_out(every, farthest, alternative).mean())
        how = f"{ways:,} labellings{uneven}" if uneven else f"exact, {ways:,} labellings"
        return TestResult(name, z, p, alternative, how, least)
    draws = _drawn_z(strata, generator or np.random.default_rng(0))
    far = sum(int(_as_far_out(drawn, z, alternative).sum()) for drawn in draws)
    p = (1 + far) / (1 + LABELLINGS)
    return TestResult(name, z, p, alternative, f"{LABELLINGS:,} permutations{uneven}")


def _censored_alike(
    a: Times, b: Times, label: NDArray[np.intp], budgets: Sequence[ArrayLike] | None
) -> bool:
    """Whether all runs of each stratum were followed for one time, as far as is known."""
    times = np.concatenate([a.times, b.times])
    observed = np.concatenate([a.observed, b.observed])
    each = zip(budgets or (), (a, b), strict=False)
    given = [np.broadcast_to(np.asarray(arm, dtype=float), len(of)) for arm, of in each]
    budget = np.concatenate(given) if given else np.zeros(len(times))
    for value in np.unique(label):
        own = label == value
        ends, seen = times[own & ~observed], times[own & observed]
        if len(ends) and (np.ptp(ends) or ends[0] < seen.max(initial=0) or np.ptp(budget[own])):
            return False
    return True


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
        every = chain.from_iterable(combinations(range(n), of_a))
        chosen = np.fromiter(every, dtype=np.intp, count=self.labellings * of_a)
        np.put_along_axis(labels, chosen.reshape(-1, of_a), True, axis=1)
        return labels

    def drawn_labellings(self, number: int, generator: np.random.Generator) -> Mask:
        """Draw labels, (number, n)."""
        labels = np.arange(len(self.in_a)) < self.in_a.sum()
        return generator.permuted(np.broadcast_to(labels, (number, len(labels))), axis=1)

    def excess_and_variance(self, in_a: Mask) -> tuple[Array, Array]:
        """O − E and its hypergeometric variance, both (labellings,), for labels (labellings, n)."""
        label = in_a.astype(float)
        n, events = self.at_risk.sum(0), self.had.sum(0)
        share = label @ self.at_risk / n
        excess = label @ self.had.sum(1) - share @ events
        variance = (share - share**2) @ (events * (n - events) / (n - 1))
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


def _drawn_z(strata: list[_Stratum], generator: np.random.Generator) -> Iterator[Array]:
    """Statistic z for `LABELLINGS` draws of all labels, batch by batch."""
    for first in range(0, LABELLINGS, BATCH):
        number = min(BATCH, LABELLINGS - first)
        excess, variance = np.zeros(number), np.zeros(number)
        for stratum in strata:
            labels = stratum.drawn_labellings(number, generator)
            more, spread = stratum.excess_and_variance(labels)
            excess, variance = excess + more, variance + spread
        yield _z(excess, variance)


def _as_far_out(every: Array, z: float, alternative: str) -> Mask:
    if alternative == "two-sided":
        return np.abs(every) >= abs(z) - ROUNDING
    return every <= z + ROUNDING if alternative == "later" else every >= z - ROUNDING
