"""Effect sizes and shares against brute force, closed forms and quadrature, and where undefined."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.stats import bootstrap
from analysis.stats.effects import (
    CLIFF_DELTA_METHODS,
    COHEN_D_METHODS,
    cliff_delta,
    cohen_d,
    proportion,
)
from analysis.stats.intervals import Interval
from analysis.stats.survival import Times

Z = stats.norm.isf(0.025)
Effect = Callable[..., Interval]


def times(values: NDArray[np.float64], budget: float = math.inf) -> Times:
    return Times(np.minimum(values, budget), values <= budget)


def arms(n: int = 7, m: int = 9, seed: int = 0, budget: float = math.inf) -> tuple[Times, Times]:
    draws = np.random.default_rng(seed)
    return times(draws.normal(120, 20, n), budget), times(draws.normal(100, 20, m), budget)


def found(effect: Effect, a: Times, b: Times, method: str | None = None) -> Interval:
    return effect(a, b, np.random.default_rng(1), method)


def student_cdf(t: float, freedom: int, noncentrality: float) -> float:
    """P((Z + noncentrality)/√(χ²/freedom) ≤ t), by quadrature over quantiles of χ²."""
    middles = (np.arange(20_000) + 0.5) / 20_000
    scale = np.sqrt(stats.chi2.ppf(middles, freedom) / freedom)
    return float(stats.norm.cdf(t * scale - noncentrality).mean())


def test_cohen_d_by_hand() -> None:
    # means 4 and 2, squares 8 + 2 over 3 + 3 − 2
    a, b = times(np.array([2.0, 4, 6])), times(np.array([1.0, 2, 3]))
    assert found(cohen_d, a, b).estimate == pytest.approx(2 / math.sqrt(10 / 4))


@pytest.mark.parametrize(("n", "m", "seed"), [(2, 2, 0), (5, 5, 1), (10, 4, 2), (19, 30, 3)])
def test_noncentral_t_leaves_2_5_percent_on_either_side(n: int, m: int, seed: int) -> None:
    a, b = arms(n, m, seed)
    interval = found(cohen_d, a, b)
    assert interval.method == "noncentral t"
    scale = math.sqrt(1 / n + 1 / m)
    t = stats.ttest_ind(a.times, b.times).statistic
    assert interval.estimate == pytest.approx(t * scale)
    for end, left in ((interval.lower, 0.975), (interval.upper, 0.025)):
        assert student_cdf(t, n + m - 2, end / scale) == pytest.approx(left, abs=2e-4), (
            f"seed {seed}"
        )


@pytest.mark.parametrize("effect", [cohen_d, cliff_delta])
def test_arms_exchanged_change_the_sign(effect: Effect) -> None:
    a, b = arms()
    one, other = found(effect, a, b), found(effect, b, a)
    assert (-other.estimate, -other.upper, -other.lower) == pytest.approx(
        (one.estimate, one.lower, one.upper)
    )


def test_cohen_d_of_a_censored_run_is_not_known() -> None:
    interval = found(cohen_d, *arms(budget=120))
    assert math.isnan(interval.estimate) and interval.method == "none: a run was censored"


def test_cohen_d_without_spread() -> None:
    tens, fives = times(np.full(3, 10.0)), times(np.full(3, 5.0))
    assert found(cohen_d, tens, fives).estimate == math.inf
    assert found(cohen_d, fives, tens).estimate == -math.inf
    assert math.isnan(found(cohen_d, tens, tens).estimate)
    assert found(cohen_d, tens, fives).method == "none: no spread"
    almost = found(cohen_d, times(np.array([1e9, 1e9 + 1])), fives)
    assert almost.method == "none: too little spread" and math.isfinite(almost.estimate)
    one = found(cohen_d, times(np.array([3.0])), times(np.array([5.0])))
    assert one.method == "none: one run in each arm"


def test_cohen_d_of_one_run_against_many() -> None:
    interval = found(cohen_d, times(np.array([3.0])), arms()[1])
    assert interval.method == "noncentral t" and interval.bounded


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_bootstraps_are_those_of_the_plain_definition(method: str) -> None:
    a, b = arms(12, 9, budget=130)
    order = np.array(
        [
            [
                0
                if not seen and not other_seen
                else (1 if not seen else -1 if not other_seen else np.sign(t - s))
                for s, other_seen in zip(b.times, b.observed)
            ]
            for t, seen in zip(a.times, a.observed)
        ]
    )

    def delta(i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
        return order[i[..., :, None], j[..., None, :]].mean((-1, -2))

    how = {"BCa": "bca"}.get(method, method)
    expected = bootstrap.interval(delta, (12, 9), np.random.default_rng(1), how)
    interval = found(cliff_delta, a, b, method)
    assert interval.method == expected.method == method
    assert (interval.estimate, interval.lower, interval.upper) == pytest.approx(
        (expected.estimate, expected.lower, expected.upper)
    )

    c, d = arms(12, 9)

    def cohen(i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
        x, y = c.times[i], d.times[j]
        n, m = x.shape[-1], y.shape[-1]
        pooled = (n - 1) * x.var(-1, ddof=1) + (m - 1) * y.var(-1, ddof=1)
        return (x.mean(-1) - y.mean(-1)) / np.sqrt(pooled / (n + m - 2))

    expected = bootstrap.interval(cohen, (12, 9), np.random.default_rng(1), how)
    interval = found(cohen_d, c, d, method)
    assert (interval.estimate, interval.lower, interval.upper) == pytest.approx(
        (expected.estimate, expected.lower, expected.upper)
    )
    assert interval.method == expected.method == method


def test_defaults_go_by_the_smaller_arm() -> None:
    a, b = arms(20, 19)
    assert found(cohen_d, a, b).method == "noncentral t"
    assert found(cliff_delta, a, b).method == "Cliff"
    a, b = arms(20, 20)
    assert found(cohen_d, a, b).method == found(cliff_delta, a, b).method == "BCa"


@pytest.mark.parametrize("budget", [math.inf, 130, 110])
def test_cliff_delta_is_mann_whitneys_u(budget: float) -> None:
    a, b = arms(budget=budget)
    raw = [np.where(arm.observed, arm.times, math.inf) for arm in (a, b)]
    u = stats.mannwhitneyu(*raw).statistic
    assert found(cliff_delta, a, b).estimate == pytest.approx(2 * u / 63 - 1)


@pytest.mark.parametrize("seed", range(5))
def test_cliffs_interval_by_loops(seed: int) -> None:
    a, b = arms(6, 8, seed)
    n, m = 6, 8
    d_ij = [[float(np.sign(t - s)) for s in b.times] for t in a.times]
    d = sum(map(sum, d_ij)) / (n * m)
    of_a = sum((sum(row) / m - d) ** 2 for row in d_ij) / (n - 1)
    of_b = sum((sum(row[j] for row in d_ij) / n - d) ** 2 for j in range(m)) / (m - 1)
    of_pairs = sum((value - d) ** 2 for row in d_ij for value in row) / (n * m - 1)
    s2 = ((m - 1) * of_a + (n - 1) * of_b + of_pairs) / (n * m)
    root = Z * math.sqrt(s2) * math.sqrt((1 - d**2) ** 2 + Z**2 * s2)
    ends = [(d - d**3 + side * root) / (1 - d**2 + Z**2 * s2) for side in (-1, 1)]
    interval = found(cliff_delta, a, b)
    assert (interval.estimate, interval.lower, interval.upper) == pytest.approx((d, *ends)), seed
    assert -1 < interval.lower < d < interval.upper < 1


@pytest.mark.parametrize("method", CLIFF_DELTA_METHODS)
def test_cliff_delta_of_arms_that_do_not_overlap(method: str) -> None:
    low, high = times(np.arange(1.0, 11)), times(np.arange(20.0, 35))
    inner = (10 - Z**2) / (10 + Z**2)
    said = f"largest variance ({method} undefined at ±1)"
    assert found(cliff_delta, high, low, method) == Interval(1, pytest.approx(inner), 1, said)
    assert found(cliff_delta, low, high, method) == Interval(-1, -1, pytest.approx(-inner), said)


def test_cliff_delta_of_runs_not_known_to_differ() -> None:
    never = Times(np.full(4, 100.0), np.zeros(4, dtype=bool))
    equal = times(np.full(4, 50.0))
    for arm in (never, equal):
        interval = found(cliff_delta, arm, arm)
        assert interval.estimate == 0 and not interval.bounded
        assert interval.method == "none: no two runs are known to differ"
    assert found(cliff_delta, never, equal).estimate == 1
    assert found(cliff_delta, times(np.array([3.0])), equal).method == "none: one run"


@pytest.mark.parametrize(
    ("effect", "methods"), [(cohen_d, COHEN_D_METHODS), (cliff_delta, CLIFF_DELTA_METHODS)]
)
def test_order_of_rows_and_repetition(effect: Effect, methods: tuple[str, ...]) -> None:
    a, b = arms()
    turned = Times(a.times[::-1], a.observed[::-1])
    closed = found(effect, turned, b, methods[0])
    first = found(effect, a, b, methods[0])
    assert (closed.lower, closed.upper) == pytest.approx((first.lower, first.upper))
    for method in methods:
        assert found(effect, a, b, method) == found(effect, a, b, method)
    with pytest.raises(ValueError, match="method=t: must be one of"):
        found(effect, a, b, "t")


def test_proportion_by_closed_forms() -> None:
    none_of_ten = proportion(0, 10)
    assert none_of_ten.lower == 0
    assert none_of_ten.upper == pytest.approx(1 - 0.025**0.1)
    assert proportion(10, 10).lower == pytest.approx(0.025**0.1)
    # published by Clopper & Pearson's method: 28/30 → [0.779, 0.992]
    interval = proportion(28, 30)
    assert (interval.lower, interval.upper) == pytest.approx((0.779, 0.992), abs=5e-4)
    assert interval.method == "Clopper–Pearson"
    wide, narrow = proportion(3, 10), proportion(3, 10, 0.9)
    assert wide.lower < narrow.lower < 0.3 < narrow.upper < wide.upper


@pytest.mark.parametrize("n", [5, 10, 30])
def test_proportion_covers_at_least_its_level(n: int) -> None:
    intervals = [proportion(k, n) for k in range(n + 1)]
    for share in np.linspace(0.01, 0.99, 99):
        chances = stats.binom.pmf(np.arange(n + 1), n, share)
        inside = [interval.lower <= share <= interval.upper for interval in intervals]
        assert chances[inside].sum() >= 0.95


def test_proportion_of_no_runs() -> None:
    interval = proportion(0, 0)
    assert math.isnan(interval.estimate) and interval.method == "none: no runs"
    with pytest.raises(ValueError, match="k=4: must be between 0 and n=3"):
        proportion(4, 3)
