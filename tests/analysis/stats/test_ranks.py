"""Rank tests against enumeration, Gehan's scores and scipy, by hand, and where they must refuse."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.stats import ranks
from analysis.stats.ranks import jonckheere, known_order, mann_whitney, sign, wilcoxon
from analysis.stats.survival import Times
from analysis.stats.testing import ALTERNATIVES, TestResult

BUDGET = 100.0
BUDGETS = (BUDGET, BUDGET)
SCIPY = {"two-sided": "two-sided", "later": "greater", "earlier": "less"}


def times(*values: float | None, budget: float = BUDGET) -> Times:
    """None: never."""
    at = np.array([budget if value is None else value for value in values], dtype=float)
    return Times(at, np.array([value is not None for value in values]))


def drawn(draws: np.random.Generator, n: int, grid: int = 4) -> Times:
    """Times on a coarse grid, about a third never."""
    never = draws.random(n) < 1 / 3
    return Times(np.where(never, BUDGET, draws.integers(1, grid + 1, n) * 10.0), ~never)


def raw(arm: Times) -> NDArray[np.float64]:
    return np.where(arm.observed, arm.times, math.inf)


def tails(null: NDArray[np.float64], found: float, alternative: str) -> float:
    later, earlier = (null >= found - 1e-9).mean(), (null <= found + 1e-9).mean()
    both = min(1, 2 * min(later, earlier))
    return {"later": later, "earlier": earlier, "two-sided": both}[alternative]


def gehan(a: Times, b: Times) -> float:
    """Scores by Gehan's rules, pair by pair."""
    score = 0
    for t, seen in zip(a.times, a.observed):
        for s, other_seen in zip(b.times, b.observed):
            if seen and other_seen:
                score += int(t > s) - int(t < s)
            elif other_seen and s <= t:
                score += 1
            elif seen and t <= s:
                score -= 1
    return score


def shared_out(arms: list[Times]) -> list[list[Times]]:
    """All ways to give the runs to arms of these sizes."""
    at = np.concatenate([arm.times for arm in arms])
    seen = np.concatenate([arm.observed for arm in arms])
    labels = [position for position, arm in enumerate(arms) for _ in range(len(arm))]
    ways = np.array(sorted(set(itertools.permutations(labels))))
    return [
        [Times(at[way == label], seen[way == label]) for label in range(len(arms))] for way in ways
    ]


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("seed", range(4))
def test_mann_whitney_is_gehans_permutation_test(seed: int, alternative: str) -> None:
    draws = np.random.default_rng(seed)
    a, b = drawn(draws, 3), drawn(draws, 4)
    found = mann_whitney(a, b, BUDGETS, alternative)
    assert 2 * found.statistic - 12 == gehan(a, b), f"seed {seed}"
    null = np.array([gehan(*arms) for arms in shared_out([a, b])])
    assert found.p == pytest.approx(tails(null, gehan(a, b), alternative)), f"seed {seed}"
    assert found.method == "exact on midranks"
    assert found.least_p == pytest.approx(min(tails(null, one, alternative) for one in null))


def test_exact_p_with_ties_of_ten_against_ten() -> None:
    draws = np.random.default_rng(0)
    a, b = drawn(draws, 10), drawn(draws, 10, grid=6)
    midranks = stats.rankdata(np.concatenate([raw(a), raw(b)]))
    chosen = np.array(list(itertools.combinations(range(20), 10)))
    null = midranks[chosen].sum(1)
    for alternative in ALTERNATIVES:
        found = mann_whitney(a, b, BUDGETS, alternative)
        assert found.p == pytest.approx(tails(null, midranks[:10].sum(), alternative))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(("n", "method"), [(6, "exact"), (25, "exact"), (60, "asymptotic")])
def test_mann_whitney_without_ties_is_scipys(n: int, method: str, alternative: str) -> None:
    values = (np.random.default_rng(n).permutation(4 * n)[: 2 * n] + 1.0) / (4 * n) * 99
    a, b = times(*values[:n]), times(*values[n:-1], None)
    expected = stats.mannwhitneyu(raw(a), raw(b), alternative=SCIPY[alternative], method=method)
    found = mann_whitney(a, b, BUDGETS, alternative)
    assert (found.statistic, found.p) == pytest.approx(tuple(expected), rel=1e-9)
    assert found.method == method


def test_ten_against_ten_fully_apart_is_exact_with_and_without_ties() -> None:
    early, late = range(10, 20), range(30, 40)
    for ties, method in ((False, "exact"), (True, "exact on midranks")):
        a = times(*([10] * 9 if ties else early[:9]), early[9])
        found = mann_whitney(times(*late), a, BUDGETS)
        assert found.p == pytest.approx(2 / math.comb(20, 10)) and found.method == method


def test_25_against_25_with_ties_is_the_null_distribution_by_convolution() -> None:
    """The chance of each sum from the polynomial Π (1 + x y^score), in whole numbers."""
    draws = np.random.default_rng(12)
    a, b = drawn(draws, 25, grid=9), drawn(draws, 25, grid=7)
    doubled = np.rint(2 * stats.rankdata(np.concatenate([raw(a), raw(b)]))).astype(int)
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for score in doubled.tolist():
        for (size, total), count in list(ways.items()):
            if size < 25:
                at = (size + 1, total + score)
                ways[at] = ways.get(at, 0) + count
    sums = {total: count for (size, total), count in ways.items() if size == 25}
    assert sum(sums.values()) == math.comb(50, 25)
    seen = int(doubled[:25].sum())
    above = sum(count for total, count in sums.items() if total >= seen) / math.comb(50, 25)
    assert mann_whitney(a, b, BUDGETS, "later").p == pytest.approx(above, rel=1e-12)


def test_mann_whitney_of_many_ties_is_scipys() -> None:
    draws = np.random.default_rng(1)
    a, b = drawn(draws, 60), drawn(draws, 70)
    expected = stats.mannwhitneyu(raw(a), raw(b), alternative="greater")
    found = mann_whitney(a, b, BUDGETS, "later")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.method == "asymptotic, ties corrected"


def test_mann_whitney_by_hand() -> None:
    # of the 6 ways to choose the two that never did, one is this
    found = mann_whitney(times(None, None), times(10, 20), BUDGETS, "later")
    assert found == TestResult(
        "Mann–Whitney", 4, pytest.approx(1 / 6), "later", "exact on midranks"
    )
    assert mann_whitney(times(None, None), times(10, 20), BUDGETS, "earlier").p == 1
    assert mann_whitney(times(None, None), times(10, 20), BUDGETS).p == pytest.approx(1 / 3)


def signs(a: Times, b: Times, budgets: tuple[float, float], alternative: str) -> TestResult:
    return sign(a, b, alternative)


def trend(a: Times, b: Times, budgets: tuple[float, float], alternative: str) -> TestResult:
    return jonckheere([a, b], budgets, alternative)


Test = Callable[[Times, Times, tuple[float, float], str], TestResult]
TWO_ARMS: list[Test] = [mann_whitney, wilcoxon, trend, signs]


@pytest.mark.parametrize("test", TWO_ARMS[:3])
def test_what_is_not_a_tie_at_infinity_is_refused(test: Test) -> None:
    done, never = times(10, 20), times(30, None)
    found = test(done, never, (100, 50_000), "later")
    assert math.isnan(found.p) and math.isnan(found.statistic) and found.alternative == "later"
    assert found.method == (
        "refused: a run is censored and budgets go from 100 to 50,000;"
        " the log-rank test allows that"
    )
    short = test(done, times(5, None, budget=15), BUDGETS, "two-sided")
    assert math.isnan(short.p) and "followed to 15 only, another had the event at 20" in (
        short.method
    )
    # followed as far as the last event is far enough, and without censoring budgets do not matter
    assert not math.isnan(test(done, times(5, None, budget=20), BUDGETS, "two-sided").p)
    assert not math.isnan(test(done, times(30, 41), (100, 50_000), "two-sided").p)


@pytest.mark.parametrize("test", TWO_ARMS)
def test_nothing_known_to_differ_is_refused(test: Test) -> None:
    for one in (times(None, None), times(10, 10)):
        found = test(one, one, BUDGETS, "two-sided")
        assert math.isnan(found.p) and "known to differ" in found.method
    equal_pairs = wilcoxon(times(10, 20), times(10, 20), BUDGETS)
    assert math.isnan(equal_pairs.p) and "no pair" in equal_pairs.method


@pytest.mark.parametrize("test", TWO_ARMS)
def test_arms_exchanged_and_rows_reordered(test: Test) -> None:
    draws = np.random.default_rng(3)
    a, b, order = drawn(draws, 9), drawn(draws, 9), draws.permutation(9)
    c, d = (Times(arm.times[order], arm.observed[order]) for arm in (a, b))
    for alternative, opposite in zip(ALTERNATIVES, ("two-sided", "earlier", "later")):
        found = test(a, b, BUDGETS, alternative)
        assert test(c, d, BUDGETS, alternative) == found
        assert test(b, a, BUDGETS, opposite).p == pytest.approx(found.p)


@pytest.mark.parametrize("test", TWO_ARMS)
def test_single_runs_show_nothing(test: Test) -> None:
    assert test(times(None), times(10), BUDGETS, "two-sided").p == 1
    assert test(times(None), times(10), BUDGETS, "later").p == 0.5


@pytest.mark.parametrize("test", TWO_ARMS)
def test_an_unknown_alternative_is_refused(test: Test) -> None:
    with pytest.raises(ValueError, match="alternative=greater: must be one of two-sided"):
        test(times(1, 2), times(3, 4), BUDGETS, "greater")


@pytest.mark.parametrize("test", [wilcoxon, signs])
def test_unequal_pairs_are_refused(test: Test) -> None:
    with pytest.raises(ValueError, match="pairs of 1 and 2 runs"):
        test(times(1), times(3, 4), BUDGETS, "later")


def test_known_order_by_hand() -> None:
    a = Times(np.array([10.0, 20, 15]), np.array([True, False, False]))
    b = Times(np.array([10.0, 20, 5, 16]), np.array([True, True, False, False]))
    # a run censored at 20 had not had the event by then: later than one that had it at 20
    expected = [[0, -1, 0, -1], [1, 1, 0, 0], [1, 0, 0, 0]]
    assert known_order(a, b).tolist() == expected
    assert known_order(b, a).tolist() == (-np.transpose(expected)).tolist()


def test_sign_by_hand() -> None:
    # later, later, earlier, equal, both never: 2 of 3, P(≥ 2 of 3) = 1/2
    a, b = times(20, None, 10, 50, None), times(10, 90, 30, 50, None)
    assert sign(a, b, "later") == TestResult("sign", 2, 0.5, "later", "exact, 3 of 5 pairs")
    assert sign(a, b, "earlier").p == 7 / 8
    assert sign(a, b).p == 1


def test_sign_leaves_out_what_was_followed_too_short() -> None:
    a, b = times(20, 30, None, budget=15), times(10, 10, 40)
    assert sign(a, b, "later") == TestResult("sign", 2, 0.25, "later", "exact, 2 of 3 pairs")


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("seed", range(5))
def test_wilcoxon_by_all_signs(seed: int, alternative: str) -> None:
    draws = np.random.default_rng(seed)
    a, b = drawn(draws, 9), drawn(draws, 9)
    both_never = ~a.observed & ~b.observed
    # 1,000 is larger than every difference of observed times
    far = [np.where(arm.observed, arm.times, 1000) for arm in (a, b)]
    differences = np.where(a.observed & b.observed, far[0] - far[1], 0)
    differences += np.where(a.observed ^ b.observed, 1000 * np.sign(far[0] - far[1]), 0)
    assert (differences[both_never] == 0).all()
    differences = differences[differences != 0]
    sizes = stats.rankdata(np.abs(differences))
    tosses = np.array(list(itertools.product([0, 1], repeat=len(sizes))))
    found = wilcoxon(a, b, BUDGETS, alternative)
    expected = sizes[differences > 0].sum()
    assert found.statistic == expected, f"seed {seed}"
    assert found.p == pytest.approx(tails(tosses @ sizes, expected, alternative)), f"seed {seed}"
    how = "exact on midranks" if len(set(sizes)) < len(sizes) else "exact"
    left_out = ", zeros left out" if len(sizes) < 9 else ""
    assert found.method == f"{how}, {len(sizes)} of 9 pairs{left_out}"
    every = {tails(tosses @ sizes, total, alternative) for total in tosses @ sizes}
    assert found.least_p == pytest.approx(min(every))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(("n", "how"), [(20, "exact"), (130, "asymptotic")])
def test_wilcoxon_without_censoring_is_scipys(n: int, how: str, alternative: str) -> None:
    draws = np.random.default_rng(n)
    a, b = draws.random(n) * 90, draws.random(n) * 100
    expected = stats.wilcoxon(
        a, b, alternative=SCIPY[alternative], method=how, correction=how == "asymptotic"
    )
    found = wilcoxon(times(*a), times(*b), BUDGETS, alternative)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.method == f"{how}, {n} of {n} pairs"


def concordant(arms: list[Times]) -> float:
    """J, pair by pair: Gehan's score of the later arm against the earlier, and ties half."""
    pairs = itertools.combinations(arms, 2)
    return sum((gehan(high, low) + len(low) * len(high)) / 2 for low, high in pairs)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("seed", range(3))
def test_jonckheere_by_enumeration(seed: int, alternative: str) -> None:
    draws = np.random.default_rng(seed)
    arms = [drawn(draws, n) for n in (2, 3, 2)]
    null = np.array([concordant(way) for way in shared_out(arms)])
    found = jonckheere(arms, [BUDGET] * 3, alternative)
    assert found.statistic == concordant(arms), f"seed {seed}"
    # J rises where the first arms are the earlier ones
    tail = {"later": "earlier", "earlier": "later"}.get(alternative, alternative)
    assert found.p == pytest.approx(tails(null, concordant(arms), tail)), f"seed {seed}"
    assert found.method == "exact, 210 labellings"


def test_jonckheere_by_hand() -> None:
    # 1 of the 90 ways to share six different times rises throughout
    rising = [times(10, 20), times(30, 40), times(50, None)]
    found = jonckheere(rising, [BUDGET] * 3, "earlier")
    assert (found.statistic, found.p) == (12, pytest.approx(1 / 90))
    assert jonckheere(rising, [BUDGET] * 3, "later").p == 1
    assert jonckheere(rising[::-1], [BUDGET] * 3, "later").p == pytest.approx(1 / 90)


def test_jonckheere_of_one_run_in_each_arm_is_kendalls() -> None:
    values = [30.0, 10, 20, 50, 40, 60]
    expected = stats.kendalltau(range(6), values, method="exact").pvalue
    found = jonckheere([times(value) for value in values], [BUDGET] * 6)
    assert (found.p, found.method) == (pytest.approx(expected), "exact, 720 labellings")


def test_jonckheere_moments_with_ties_by_enumeration() -> None:
    arms = [times(10, 10), times(10, 20, None), times(None, None, 20)]
    null = np.array([concordant(way) for way in shared_out(arms)])
    found = ranks._concordant_moments(np.array([2.0, 3, 3]), np.array([3.0, 2, 3]))
    assert found == pytest.approx((null.mean(), null.var()))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_jonckheere_of_two_large_arms_is_mann_whitney(alternative: str) -> None:
    draws = np.random.default_rng(5)
    a, b = drawn(draws, 30), drawn(draws, 25, grid=6)
    expected = stats.mannwhitneyu(
        raw(a), raw(b), alternative=SCIPY[alternative], method="asymptotic", use_continuity=False
    )
    found = jonckheere([a, b], BUDGETS, alternative)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.method == "asymptotic, ties corrected"


def test_jonckheere_of_one_arm_is_refused() -> None:
    with pytest.raises(ValueError, match="trend over 1 arms"):
        jonckheere([times(1, 2)], [BUDGET])
