"""Rank tests of times to an event; runs without the event are tied at +∞.

The tie is justified only if all runs had the same chance to show the event: a test that relies on
it is refused where a run is censored and budgets differ, or where a run was followed less far than
another run's event. `alternative` is one of `testing.ALTERNATIVES`: "later" means that the times of
`a` (of the first arms) are later. A test is also refused if no two runs are known to differ.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, check_alternative, refused

EXACT = 100
"""largest number of runs, or pairs, for the exact null distribution of the ranks"""
LABELLINGS = 20_000
"""largest number of ways to divide the runs among ordered arms that are enumerated"""
GREATER = {"two-sided": "two-sided", "later": "greater", "earlier": "less"}
"""scipy's names of the alternatives"""


def known_order(a: Times, b: Times) -> NDArray[np.float64]:
    """Order of each run of `a` against each run of `b`, (n, m).

    1 where the first is known to be later, −1 where earlier, 0 where both are at the same
    evaluation or the order is unknown (both censored, or one before the other's event).
    """
    return _known_later(a, b).astype(float) - _known_later(b, a).T


def mann_whitney(
    a: Times, b: Times, budgets: Sequence[ArrayLike], alternative: str = "two-sided"
) -> TestResult:
    """Mann–Whitney test (1947); `budgets` are those of each arm, one number or one per run.

    The statistic is U of `a`: the number of pairs with runs of `b` in which `a` is later, ties
    counted half. Under one budget that is Gehan's generalised Wilcoxon test (1965), W = 2U − nm.

    Up to `EXACT` runs in all p is exact: the share of all ways to choose which runs are `a`'s with
    a sum of midranks at least as far out (the shift algorithm of Streitberg & Röhmel 1986);
    two-sided, twice the smaller tail. Beyond, it is asymptotic with corrections for ties and
    continuity. The method says which, and whether there were ties.
    """
    check_alternative(alternative)
    name = "Mann–Whitney"
    if why := _refusal([a, b], budgets):
        return refused(name, why, alternative)
    ranks = stats.rankdata(np.concatenate([_tied_at_infinity(a), _tied_at_infinity(b)]))
    doubled = np.rint(2 * ranks).astype(int)  # midranks are halves
    statistic = float(ranks[: len(a)].sum()) - len(a) * (len(a) + 1) / 2
    exact, least = len(ranks) <= EXACT, math.nan
    if exact:
        ways = _subset_sums(doubled, len(a))
        p, least = _p(ways, int(doubled[: len(a)].sum()), alternative), _least(ways, alternative)
    else:
        result = stats.mannwhitneyu(
            ranks[: len(a)], ranks[len(a) :], alternative=GREATER[alternative], method="asymptotic"
        )
        p = float(result.pvalue)
    return TestResult(name, statistic, p, alternative, _method(exact, ranks), least)


def sign(a: Times, b: Times, alternative: str = "two-sided") -> TestResult:
    """Exact sign test of pairs a[i], b[i] (the same seed).

    The statistic is the number of pairs in which `a` is later.

    Pairs at the same evaluation and pairs of unknown order (`known_order`) are left out; the method
    says how many count. No budgets are needed. Raises ValueError for arms of unequal length.
    """
    check_alternative(alternative)
    _check_pairs(a, b)
    order = np.diagonal(known_order(a, b))
    later, n = int((order > 0).sum()), int((order != 0).sum())
    if not n:
        return refused("sign", "no pair is known to differ", alternative)
    p = float(stats.binomtest(later, n, 0.5, GREATER[alternative]).pvalue)
    least = 0.5**n * (2 if alternative == "two-sided" else 1)
    return TestResult("sign", later, p, alternative, f"exact, {n} of {len(a)} pairs", least)


def wilcoxon(
    a: Times, b: Times, budgets: Sequence[ArrayLike], alternative: str = "two-sided"
) -> TestResult:
    """Wilcoxon signed-rank test (1945) of pairs a[i], b[i] (the same seed).

    The statistic is the sum of the ranks of the pairs in which `a` is later. A pair with one
    censored run ranks above all observed differences, tied with other such pairs: its sign is
    known, its size is not. p does not depend on that size, since under the null hypothesis signs
    are random whatever the ranks. Zeros, that is pairs at the same evaluation or both censored, are
    left out before ranking (Wilcoxon's rule, not Pratt's); the method says how many count. p is
    exact on midranks up to `EXACT` pairs, by the shift algorithm over all signs; beyond, it is
    asymptotic with corrections for ties and continuity. Raises ValueError for arms of unequal
    length.
    """
    check_alternative(alternative)
    _check_pairs(a, b)
    if why := _refusal([a, b], budgets):
        return refused("Wilcoxon", why, alternative)
    order = np.diagonal(known_order(a, b))
    sizes = np.where(a.observed & b.observed, np.abs(a.times - b.times), math.inf)
    if not order.any():
        return refused("Wilcoxon", "no pair is known to differ", alternative)
    signs, ranks = order[order != 0], stats.rankdata(sizes[order != 0])
    statistic = float(ranks[signs > 0].sum())
    exact, least = len(ranks) <= EXACT, math.nan
    if exact:
        doubled = np.rint(2 * ranks).astype(int)
        ways = _signed_sums(doubled)
        p, least = _p(ways, int(doubled[signs > 0].sum()), alternative), _least(ways, alternative)
    else:
        result = stats.wilcoxon(
            signs * ranks, alternative=GREATER[alternative], method="asymptotic", correction=True
        )
        p = float(result.pvalue)
    left_out = ", zeros left out" if len(ranks) < len(a) else ""
    method = f"{_method(exact, ranks)}, {len(ranks)} of {len(a)} pairs{left_out}"
    return TestResult("Wilcoxon", statistic, p, alternative, method, least)


def jonckheere(
    arms: Sequence[Times], budgets: Sequence[ArrayLike], alternative: str = "two-sided"
) -> TestResult:
    """Jonckheere–Terpstra test of a trend over arms in the given order, with each arm's `budgets`.

    "later" means that the first arms have the later times, so that times fall along the order.

    The statistic J counts the pairs of runs of different arms in which the run of the later arm has
    the later time, ties half (Hollander & Wolfe 1999, sec. 6.2). p is by enumeration where there
    are at most `LABELLINGS` ways to share the runs among the arms, else by the normal approximation
    corrected for ties (eq. 6.19). Raises ValueError for fewer than two arms.
    """
    check_alternative(alternative)
    if len(arms) < 2:
        raise ValueError(f"a trend over {len(arms)} arms: must be at least 2")
    if why := _refusal(arms, budgets):
        return refused("Jonckheere", why, alternative)
    samples = [_tied_at_infinity(arm) for arm in arms]
    sizes = [len(arm) for arm in arms]
    statistic = float(_concordant(*samples))
    labellings = math.factorial(sum(sizes)) // math.prod(math.factorial(n) for n in sizes)
    if labellings <= LABELLINGS:
        ways = np.array(list(_shared_out(range(sum(sizes)), sizes)))
        shared = np.concatenate(samples)[ways]
        null = _concordant(*np.split(shared, np.cumsum(sizes)[:-1], axis=-1))
        falling, rising = float((null <= statistic).mean()), float((null >= statistic).mean())
        method = f"exact, {labellings:,} labellings"
        p = _of_tails(falling, rising, alternative)
        return TestResult("Jonckheere", statistic, p, alternative, method)
    ties = np.unique(np.concatenate(samples), return_counts=True)[1]
    mean, variance = _concordant_moments(np.array(sizes, dtype=float), ties.astype(float))
    z = (statistic - mean) / math.sqrt(variance)
    p = _of_tails(float(stats.norm.cdf(z)), float(stats.norm.sf(z)), alternative)
    method = "asymptotic, ties corrected" if (ties > 1).any() else "asymptotic"
    return TestResult("Jonckheere", statistic, p, alternative, method)


def _method(exact: bool, ranks: NDArray[np.float64]) -> str:
    """How p was computed from these ranks."""
    ties = len(np.unique(ranks)) < len(ranks)
    if exact:
        return "exact on midranks" if ties else "exact"
    return "asymptotic, ties corrected" if ties else "asymptotic"


def _known_later(a: Times, b: Times) -> NDArray[np.bool_]:
    at, other = a.times[:, None], b.times
    return b.observed & np.where(a.observed[:, None], at > other, at >= other)


def _tied_at_infinity(arm: Times) -> NDArray[np.float64]:
    return np.where(arm.observed, arm.times, math.inf)


def _check_pairs(a: Times, b: Times) -> None:
    if len(a) != len(b):
        raise ValueError(f"pairs of {len(a)} and {len(b)} runs")


def unjustified(arms: Sequence[Times], budgets: Sequence[ArrayLike]) -> str | None:
    """Why runs without the event must not be tied at +∞, or None: they were not all given the same
    budget, or one was followed less far than another's event. Raises ValueError unless there are
    budgets of each arm."""
    if len(arms) != len(budgets):
        raise ValueError(f"budgets of {len(budgets)} arms for {len(arms)}")
    times = np.concatenate([arm.times for arm in arms])
    observed = np.concatenate([arm.observed for arm in arms])
    if observed.all():
        return None
    given = np.concatenate([np.ravel(np.asarray(arm, dtype=float)) for arm in budgets])
    if not (given == given[0]).all():
        return (
            f"a run is censored and budgets go from {given.min():,.10g} to"
            f" {given.max():,.10g}; the log-rank test allows that"
        )
    followed, last = times[~observed].min(), times[observed].max(initial=0)
    if followed < last:
        return (
            f"a run was followed to {followed:,.10g} only, another had the event at"
            f" {last:,.10g}; the log-rank test allows that"
        )
    return None


def _refusal(arms: Sequence[Times], budgets: Sequence[ArrayLike]) -> str | None:
    """Why the test must be refused: unjustified ties at infinity, or nothing to compare."""
    if why := unjustified(arms, budgets):
        return why
    if len(np.unique(np.concatenate([_tied_at_infinity(arm) for arm in arms]))) == 1:
        return "no two runs are known to differ"
    return None


def _subset_sums(scores: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Number of ways in which `size` of the scores give each sum."""
    total = int(scores.sum())
    ways = np.zeros((size + 1, total + 1))
    ways[0, 0] = 1
    for score in scores:
        ways[1:, score:] += ways[:-1, : total + 1 - score].copy()
    return ways[size]


def _signed_sums(scores: NDArray[np.int64]) -> NDArray[np.float64]:
    """Number of ways in which any subset of the scores gives each sum."""
    total = int(scores.sum())
    ways = np.zeros(total + 1)
    ways[0] = 1
    for score in scores:
        ways[score:] += ways[: total + 1 - score].copy()
    return ways


def _p(ways: NDArray[np.float64], at: int, alternative: str) -> float:
    """p-value of a sum that is large where the first arm is later."""
    later, earlier = ways[at:].sum() / ways.sum(), ways[: at + 1].sum() / ways.sum()
    return _of_tails(float(later), float(earlier), alternative)


def _least(ways: NDArray[np.float64], alternative: str) -> float:
    """The smallest p that any sum has."""
    ends = np.flatnonzero(ways)[[0, -1]]
    return min(_p(ways, int(end), alternative) for end in ends)


def _of_tails(later: float, earlier: float, alternative: str) -> float:
    """p-value from the tails; two-sided, twice the smaller one."""
    p = {"later": later, "earlier": earlier}.get(alternative, 2 * min(later, earlier))
    return min(p, 1.0)


def _shared_out(runs: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Enumerate the ways to divide runs among arms of these sizes: first arm's runs, second's …"""
    if not sizes:
        yield ()
        return
    for first in combinations(runs, sizes[0]):
        rest = [run for run in runs if run not in first]
        yield from ((*first, *others) for others in _shared_out(rest, sizes[1:]))


def _concordant(*samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jonckheere's J of samples of shape (…, n_i)."""
    total = np.zeros(())
    for position, low in enumerate(samples):
        for high in samples[position + 1 :]:
            first, second = low[..., :, None], high[..., None, :]
            total = total + ((first < second) + 0.5 * (first == second)).sum((-2, -1))
    return total


def _concordant_moments(
    sizes: NDArray[np.float64], ties: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean and variance of J under the null hypothesis (Hollander & Wolfe 1999, eq. 6.19).

    `sizes` are those of the arms, `ties` the numbers of runs that share each time.
    """
    n = sizes.sum()

    def spread(counts: NDArray[np.float64]) -> float:
        return float((counts * (counts - 1) * (2 * counts + 5)).sum())

    def falling(counts: NDArray[np.float64], factors: int) -> float:
        return float(np.prod([counts - factor for factor in range(factors)], axis=0).sum())

    all_runs = np.array([n])
    variance = (spread(all_runs) - spread(sizes) - spread(ties)) / 72
    variance += falling(sizes, 3) * falling(ties, 3) / (36 * falling(all_runs, 3))
    variance += falling(sizes, 2) * falling(ties, 2) / (8 * falling(all_runs, 2))
    return float(n**2 - (sizes**2).sum()) / 4, variance
