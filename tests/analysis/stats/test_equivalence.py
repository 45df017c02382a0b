"""Equivalence against shifted t-tests, closed forms and enumeration; what must never be one."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.effects import proportion
from analysis.stats.equivalence import (
    Equivalence,
    equivalent_intervals,
    equivalent_means,
    equivalent_proportions,
)
from analysis.stats.intervals import Interval, none
from grokpipe.errors import InputError

A = np.array([10.0, 12, 11, 13, 9, 11])
B = np.array([10.5, 11, 12, 12.5, 9, 12])


@pytest.mark.parametrize("margin", [0.2, 1, 3])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_welch_by_its_formula(margin: float, alpha: float) -> None:
    a, b = A, B[:5]
    spreads = [arm.var(ddof=1) / len(arm) for arm in (a, b)]
    error = math.sqrt(sum(spreads))
    freedom = sum(spreads) ** 2 / (spreads[0] ** 2 / 5 + spreads[1] ** 2 / 4)
    apart = a.mean() - b.mean()
    sides = stats.t.sf([(apart + margin) / error, (margin - apart) / error], freedom)
    half = stats.t.isf(alpha, freedom) * error
    found = equivalent_means(a, b, margin, alpha)
    assert found.p == pytest.approx(max(sides))
    assert (found.difference.lower, found.difference.upper) == pytest.approx(
        (apart - half, apart + half)
    )
    inside = -margin < apart - half and apart + half < margin
    assert found.equivalent == (found.p < alpha) == inside
    assert found.margin == (-margin, margin)
    assert found.difference.method == f"Welch t, {100 - 200 * alpha:g} %"


def test_unpaired_and_paired_against_shifted_tests_of_scipy() -> None:
    sides = [
        stats.ttest_ind(A + 1, B, equal_var=False, alternative="greater").pvalue,
        stats.ttest_ind(A, B + 1, equal_var=False, alternative="less").pvalue,
    ]
    assert equivalent_means(A, B, 1).p == pytest.approx(max(sides))
    sides = [
        stats.ttest_rel(A + 1, B, alternative="greater").pvalue,
        stats.ttest_rel(A, B + 1, alternative="less").pvalue,
    ]
    found = equivalent_means(A, B, 1, paired=True)
    assert found.p == pytest.approx(max(sides))
    expected = stats.ttest_rel(A, B).confidence_interval(0.9)
    assert (found.difference.lower, found.difference.upper) == pytest.approx(tuple(expected))
    assert found.method == "two one-sided tests, paired t"
    assert not equivalent_means(A, B, 1).equivalent and found.equivalent


def test_no_difference_found_is_not_equivalence() -> None:
    a, b = np.array([5.0, 20, 35]), np.array([8.0, 21, 30])
    assert stats.ttest_ind(a, b).pvalue > 0.9
    assert not equivalent_means(a, b, 5).equivalent


@pytest.mark.parametrize("paired", [False, True])
def test_arms_that_differ_by_the_margin_are_rarely_equivalent(paired: bool) -> None:
    draws = np.random.default_rng(7)
    equivalent = 0
    for _ in range(600):
        a, b = draws.normal(1, 0.6, 10), draws.normal(0, 0.6, 10)
        equivalent += equivalent_means(a, b, 1, paired=paired).equivalent
    # 0.05, and 2.6 standard deviations of the simulation
    assert 15 < equivalent < 44, "seed 7"


@pytest.mark.parametrize("paired", [False, True])
def test_order_and_exchange(paired: bool) -> None:
    order = [3, 0, 5, 1, 4, 2]
    found = equivalent_means(A, B, 1, paired=paired)
    turned = equivalent_means(A[order], B[order], 1, paired=paired)
    exchanged = equivalent_means(B, A, 1, paired=paired)
    assert turned.p == pytest.approx(found.p) == exchanged.p
    assert exchanged.difference.lower == pytest.approx(-found.difference.upper)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([1.0, math.inf], [1.0, 2.0], "a value is not finite"),
        ([1.0, 2.0], [1.0, math.nan], "a value is not finite"),
        ([1.0], [1.0], "one run"),
        ([0.99, 0.99], [0.99, 0.99], "no spread"),
    ],
)
@pytest.mark.parametrize("paired", [False, True])
def test_what_cannot_be_judged_is_not_equivalent(
    a: list[float], b: list[float], why: str, paired: bool
) -> None:
    found = equivalent_means(a, b, 1, paired=paired)
    assert found.method == found.difference.method == f"none: {why}"
    assert not found.equivalent and math.isnan(found.p)


def test_one_arm_without_spread_is_judged_by_the_other() -> None:
    found = equivalent_means(A, np.full(6, 11.0), 3)
    assert found.p == pytest.approx(equivalent_means(A - 11, np.zeros(6), 3, paired=True).p)
    assert found.equivalent


def test_means_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no runs"):
        equivalent_means([], [1.0], 1)
    with pytest.raises(ValueError, match="pairs of 2 and 3 runs"):
        equivalent_means([1.0, 2], [1.0, 2, 3], 1, paired=True)
    with pytest.raises(ValueError, match=r"alpha=0\.5"):
        equivalent_means(A, B, 1, alpha=0.5)


@pytest.mark.parametrize("margin", [0, -1, math.nan, math.inf])
def test_a_margin_is_positive_and_finite(margin: float) -> None:
    valid = "must be positive and finite"
    with pytest.raises(InputError, match=f"margin={margin}: {valid}"):
        equivalent_means(A, B, margin)
    with pytest.raises(InputError, match=f"margin={margin}: {valid}"):
        equivalent_intervals(Interval(0, -1, 1, ""), margin)
    with pytest.raises(InputError, match=f"margin={margin}: must be above 0, at most 0.5"):
        equivalent_proportions(1, 2, 1, 2, margin)


def test_proportions_by_hand() -> None:
    # all of 10 against all of 10: each limit is that of one arm, 0.05^(1/10), and p = (1 − 0.3)^10
    found = equivalent_proportions(10, 10, 10, 10, 0.3)
    assert found.p == pytest.approx(0.7**10)
    assert found.difference.upper == pytest.approx(1 - 0.05**0.1) == -found.difference.lower
    assert found.equivalent
    assert not equivalent_proportions(10, 10, 10, 10, 0.2).equivalent
    # no difference is found between 5/10 and 5/10; it may be 0.3 all the same
    assert not equivalent_proportions(5, 10, 5, 10, 0.3).equivalent
    assert equivalent_proportions(10, 10, 0, 10, 0.5).p == 1


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), [(9, 10, 28, 30), (0, 5, 1, 7), (4, 8, 8, 8)])
@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_proportions_by_their_own_intervals(
    k1: int, n1: int, k2: int, n2: int, alpha: float
) -> None:
    one, other = proportion(k1, n1, 1 - 2 * alpha), proportion(k2, n2, 1 - 2 * alpha)
    apart = one.estimate - other.estimate
    lower = apart - math.hypot(one.estimate - one.lower, other.upper - other.estimate)
    upper = apart + math.hypot(one.upper - one.estimate, other.estimate - other.lower)
    found = equivalent_proportions(k1, n1, k2, n2, 0.3, alpha)
    assert (found.difference.lower, found.difference.upper) == pytest.approx((lower, upper))
    assert found.equivalent == (max(-lower, upper) < 0.3)
    # p is the alpha at which the worse limit meets the margin
    again = equivalent_proportions(k1, n1, k2, n2, 0.3, min(found.p, 0.499))
    if found.p < 0.499:
        met = max(again.difference.upper, -again.difference.lower)
        assert met == pytest.approx(0.3)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 10), (5, 12)])
def test_proportions_that_differ_by_the_margin_are_rarely_equivalent(n: int, m: int) -> None:
    for margin in (0.2, 0.4, 0.5):
        equivalent = np.array(
            [
                [equivalent_proportions(k, n, j, m, margin).equivalent for j in range(m + 1)]
                for k in range(n + 1)
            ]
        )
        assert equivalent.any() == (margin == 0.5 or (margin == 0.4 and n + m > 10))
        for share in np.linspace(0, 1 - margin, 41):
            for first, second in ((share, share + margin), (share + margin, share)):
                chances = [
                    stats.binom.pmf(np.arange(size + 1), size, at)
                    for size, at in ((n, first), (m, second))
                ]
                assert chances[0] @ equivalent @ chances[1] <= 0.055


def test_proportions_of_no_runs() -> None:
    found = equivalent_proportions(0, 0, 1, 2, 0.1)
    assert found.method == "none: no runs" and not found.equivalent and math.isnan(found.p)
    with pytest.raises(ValueError, match="k=3: must be between 0 and n=2"):
        equivalent_proportions(1, 2, 3, 2, 0.1)


@pytest.mark.parametrize(
    ("lower", "upper", "equivalent"),
    [
        (-0.9, 0.9, True),
        (-1, 0.5, False),
        (-0.5, 1, False),
        (-0.5, math.inf, False),
        (-math.inf, math.inf, False),
        (2, 3, False),
    ],
)
def test_an_interval_lies_inside_the_margin(lower: float, upper: float, equivalent: bool) -> None:
    interval = Interval(0.1, lower, upper, "BCa")
    found = equivalent_intervals(interval, 1)
    assert found == Equivalence(interval, (-1, 1), found.p, equivalent, "interval in margin, BCa")
    assert math.isnan(found.p)


def test_no_interval_is_never_inside() -> None:
    assert not equivalent_intervals(none(0.0, "one run"), 1).equivalent
