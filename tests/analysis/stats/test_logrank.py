"""Log-rank tests against scipy, lifelines, the textbook's sums, whole enumerations, sign tests, and
where nothing tells the arms apart."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from scipy import stats

from analysis.stats import logrank as module
from analysis.stats.logrank import logrank, stratified
from analysis.stats.survival import Times
from analysis.stats.testing import ALTERNATIVES

SEEDS = pytest.mark.parametrize("seed", range(10))
THEIRS = {"two-sided": "two-sided", "later": "less", "earlier": "greater"}


def arm(times: object, observed: object = True) -> Times:
    times = np.array(times, dtype=float)
    return Times(times, np.array(np.broadcast_to(observed, times.shape), dtype=bool))


def random(draws: np.random.Generator, n: int, largest: int = 25) -> Times:
    return arm(draws.integers(1, largest, n), draws.random(n) < 0.7)


def for_scipy(runs: Times) -> stats.CensoredData:
    return stats.CensoredData(
        uncensored=runs.times[runs.observed], right=runs.times[~runs.observed]
    )


def scipys_z(a: Times, b: Times) -> float:
    with np.errstate(all="ignore"):
        z = stats.logrank(for_scipy(a), for_scipy(b)).statistic
    return float(np.nan_to_num(z))


def sums(a: Times, b: Times) -> tuple[float, float]:
    """O − E of `a` and its variance, event time by event time (Klein & Moeschberger, eq. 7.3.1)."""
    excess = variance = 0.0
    for time in sorted({*a.times[a.observed], *b.times[b.observed]}):
        left_a, left_b = (a.times >= time).sum(), (b.times >= time).sum()
        had_a = (a.observed & (a.times == time)).sum()
        had, left = had_a + (b.observed & (b.times == time)).sum(), left_a + left_b
        excess += had_a - had * left_a / left
        if left > 1:
            variance += had * left_a / left * left_b / left * (left - had) / (left - 1)
    return excess, variance


@SEEDS
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_asymptotically_it_is_scipys_and_lifelines(seed: int, alternative: str) -> None:
    draws = np.random.default_rng(seed)
    a, b = random(draws, 34), random(draws, 37, 35)
    found = logrank(a, b, alternative)
    expected = stats.logrank(for_scipy(a), for_scipy(b), THEIRS[alternative])
    assert found.method == "asymptotic" and found.alternative == alternative
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)
    theirs = logrank_test(a.times, b.times, a.observed, b.observed)
    assert found.statistic**2 == pytest.approx(theirs.test_statistic)


@SEEDS
def test_exactly_it_is_scipys_of_every_labelling(seed: int) -> None:
    draws = np.random.default_rng(seed)
    a, b = random(draws, 3, 8), random(draws, 4, 14)
    times, observed = np.append(a.times, b.times), np.append(a.observed, b.observed)
    every = np.array(
        [
            scipys_z(
                Times(times[list(of)], observed[list(of)]),
                Times(np.delete(times, of), np.delete(observed, of)),
            )
            for of in combinations(range(7), 3)
        ]
    )
    z = every[0]
    shares = {
        "two-sided": (np.abs(every) >= abs(z) - 1e-9).mean(),
        "later": (every <= z + 1e-9).mean(),
        "earlier": (every >= z - 1e-9).mean(),
    }
    for alternative, share in shares.items():
        found = logrank(a, b, alternative)
        assert (found.statistic, found.p) == (pytest.approx(z), pytest.approx(share))
        assert found.method == "35 labellings, approximate: censored unevenly"
        ends = {"two-sided": np.abs(every), "later": -every, "earlier": every}[alternative]
        assert found.least_p == pytest.approx((ends >= ends.max() - 1e-9).mean())


def test_by_hand() -> None:
    a, b = arm([1, 2]), arm([3, 4], [True, False])
    found = logrank(a, b)
    # E = 2/4 + 1/3 of two events, V = 1/4 + 2/9; at 3 only `b` is left
    assert found.statistic == pytest.approx((2 - 5 / 6) / math.sqrt(17 / 36))
    assert (found.p, found.method) == (pytest.approx(2 / 6), "exact, 6 labellings")
    assert logrank(a, b, "earlier").p == pytest.approx(1 / 6)
    assert logrank(a, b, "later").p == 1


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_exactly_it_holds_its_level_and_the_normal_law_does_not(alternative: str) -> None:
    """Of all labellings, which are equally likely if the arms do not differ."""
    times = np.array([3.0, 5, 6, 8, 9, 14, 15, 20, 20, 20])
    observed = times < 20
    below, normal = [], []
    for of in combinations(range(10), 5):
        a = Times(times[list(of)], observed[list(of)])
        b = Times(np.delete(times, of), np.delete(observed, of))
        found = logrank(a, b, alternative)
        below.append(found.p)
        normal.append(stats.logrank(for_scipy(a), for_scipy(b), THEIRS[alternative]).pvalue)
    levels = np.unique(below)
    assert all(np.mean(np.array(below) <= level) <= level + 1e-12 for level in levels)
    assert np.mean(np.array(normal) <= 0.05) > 0.05


def test_later_and_earlier_swap_with_the_arms() -> None:
    slow, fast = arm([50, 60, 70, 80]), arm([5, 6, 7, 8])
    assert logrank(slow, fast, "later").p == pytest.approx(1 / 70)
    assert logrank(fast, slow, "earlier").p == pytest.approx(1 / 70)
    assert logrank(slow, fast, "earlier").p == 1
    assert logrank(slow, fast).statistic == pytest.approx(-logrank(fast, slow).statistic)
    assert logrank(slow, fast).statistic < 0


@SEEDS
def test_stratified_adds_up_the_textbooks_sums(seed: int) -> None:
    draws = np.random.default_rng(seed)
    a, b = random(draws, 40), random(draws, 36)
    strata = draws.integers(0, 5, 40), draws.integers(0, 4, 36)  # 4: no run of `b`
    excess, variance = np.sum(
        [
            sums(
                Times(a.times[strata[0] == stratum], a.observed[strata[0] == stratum]),
                Times(b.times[strata[1] == stratum], b.observed[strata[1] == stratum]),
            )
            for stratum in range(4)
        ],
        axis=0,
    )
    z = excess / math.sqrt(variance)
    for alternative, p in {
        "two-sided": stats.chi2.sf(z**2, 1), "later": stats.norm.cdf(z),
        "earlier": stats.norm.sf(z),
    }.items():  # fmt: skip
        found = stratified(a, b, alternative, strata)
        assert found.statistic == pytest.approx(z)
        assert (found.p, found.method) == (pytest.approx(p), "asymptotic")


@SEEDS
def test_one_stratum_is_none(seed: int) -> None:
    draws = np.random.default_rng(seed)
    for n in (4, 30):
        a, b = random(draws, n), random(draws, n)
        plain, found = logrank(a, b), stratified(a, b, strata=(["x"] * n, ["x"] * n))
        assert (found.statistic, found.p, found.method) == (plain.statistic, plain.p, plain.method)


@SEEDS
def test_strata_are_relabelled_by_themselves(seed: int) -> None:
    draws = np.random.default_rng(seed)
    a, b = random(draws, 4, 9), random(draws, 6, 15)
    times, observed = np.append(a.times, b.times), np.append(a.observed, b.observed)
    strata = [0, 0, 0, 1], [0, 0, 1, 1, 1, 1]
    of = [[0, 1, 2, 4, 5], [3, 6, 7, 8, 9]]
    every = []
    for chosen in product(combinations(of[0], 3), combinations(of[1], 1)):
        parts = [
            sums(
                Times(times[list(one)], observed[list(one)]),
                Times(times[rest := [i for i in runs if i not in one]], observed[rest]),
            )
            for one, runs in zip(chosen, of)
        ]
        excess, variance = np.sum(parts, axis=0)
        every.append(excess / math.sqrt(variance) if variance else 0)
    found = stratified(a, b, strata=strata)
    assert found.statistic == pytest.approx(every[0])
    assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(every[0]) - 1e-9))
    assert found.method == "50 labellings, approximate: censored unevenly"


def test_a_stratum_of_one_arm_adds_nothing() -> None:
    a, b = arm([1, 5, 9]), arm([4, 6, 7, 8, 2])
    found = stratified(a, b, strata=([0, 0, 1], [0, 0, 2, 2, 2]))
    assert found == stratified(arm([1, 5]), arm([4, 6]), strata=([0, 0], [0, 0]))
    assert found.method == "exact, 6 labellings"


@SEEDS
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_in_pairs_it_is_the_sign_test(seed: int, alternative: str) -> None:
    draws = np.random.default_rng(seed)
    a, b = random(draws, 13), random(draws, 13)
    earlier = a.observed & ((a.times < b.times) | ((a.times == b.times) & ~b.observed))
    later = b.observed & ((b.times < a.times) | ((b.times == a.times) & ~a.observed))
    n = int(earlier.sum() + later.sum())
    found = stratified(a, b, alternative)
    expected = stats.binomtest(int(earlier.sum()), n, alternative=THEIRS[alternative])
    assert found.p == pytest.approx(expected.pvalue)
    assert found.statistic == pytest.approx((earlier.sum() - later.sum()) / math.sqrt(n))
    # pairs that tell nothing are not counted
    assert found.method == f"exact, signs of {n} pairs"


def test_of_many_labellings_as_many_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(4)
    a = arm(draws.integers(1, 9, 7), draws.random(7) < 2)
    b = arm([3, 6, 8, 9, 9, 9], [1, 1, 1, 0, 0, 0])
    exact = logrank(a, b)
    assert exact.method == "exact, 1,716 labellings"
    monkeypatch.setattr(module, "LABELLINGS", 1_000)
    monkeypatch.setattr(module, "BATCH", 300)
    found = logrank(a, b)
    assert found.method == "1,000 permutations"
    # three standard errors, and this labelling among the drawn ones
    assert abs(found.p - exact.p) < 3 * math.sqrt(exact.p * (1 - exact.p) / 1_000) + 1e-3
    assert logrank(a, b) == found != logrank(a, b, generator=np.random.default_rng(7))
    strata = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    monkeypatch.setattr(module, "LABELLINGS", 700)
    every = stratified(a, b, strata=strata)
    assert every.method == "exact, 700 labellings"  # 7 choose 4 times 6 choose 3
    monkeypatch.setattr(module, "LABELLINGS", 600)
    some = stratified(a, b, strata=strata)
    assert some.method == "600 permutations"
    assert abs(some.p - every.p) < 3 * math.sqrt(every.p * (1 - every.p) / 600) + 2e-3


def test_ten_against_ten_fully_apart_is_exact() -> None:
    for early in (np.arange(10.0), np.repeat([3.0, 4.0], 5)):
        found = logrank(arm(early + 20), arm(early))
        assert found.method == "exact, 184,756 labellings"
        assert found.p >= 2 / math.comb(20, 10) * (1 - 1e-9)
        assert logrank(arm(early + 20), arm(early), "later").p == pytest.approx(
            1 / math.comb(20, 10)
        )


def test_it_is_exact_only_where_all_runs_are_censored_alike() -> None:
    a, b = arm([10, 20, 30, 100], [1, 1, 1, 0]), arm([15, 25, 100, 100], [1, 1, 0, 0])
    approximate = "70 labellings, approximate: censored unevenly"
    assert logrank(a, b).method == logrank(a, b, budgets=(100, 100)).method
    assert logrank(a, b).method == "exact, 70 labellings"
    assert logrank(a, b, budgets=(100, [100, 100, 100, 900])).method == approximate
    shorter = arm([15, 25, 40, 40], [1, 1, 0, 0])
    assert logrank(a, shorter).method == approximate
    seen = arm([10, 20, 30, 100]), arm([15, 25, 110, 120])
    assert logrank(*seen, budgets=(100, 900)).method == "exact, 70 labellings"
    # of a pair only the first event counts
    assert stratified(a, shorter, budgets=(100, 40)).method == "exact, signs of 3 pairs"


def test_many_runs_are_not_permuted() -> None:
    draws = np.random.default_rng(0)
    a, b = random(draws, 5_000), random(draws, 5_000)
    assert logrank(a, b).method == "asymptotic"
    assert stratified(a, b).method.startswith("exact, signs of 3449")


def test_order_does_not_matter() -> None:
    draws = np.random.default_rng(6)
    a, b = random(draws, 6), random(draws, 6)
    i, j = draws.permutation(6), draws.permutation(6)
    mixed = Times(a.times[i], a.observed[i]), Times(b.times[j], b.observed[j])
    strata = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0])
    for found, other in [
        (logrank(a, b), logrank(*mixed)),
        (stratified(a, b, strata=strata), stratified(*mixed, strata=(strata[0][i], strata[1][j]))),
        (stratified(a, b), stratified(Times(a.times[i], a.observed[i]),
                                      Times(b.times[i], b.observed[i]))),
    ]:  # fmt: skip
        assert found.statistic == pytest.approx(other.statistic)
        assert (found.p, found.method) == (other.p, other.method)


def test_nothing_to_compare_is_refused() -> None:
    never, tied = arm([10, 20], False), arm([5, 5])
    gone, after = arm([1, 2], False), arm([5, 6])
    for found, why in [
        (logrank(never, never), "no event observed"),
        (logrank(tied, tied), "no event tells the arms apart"),
        (logrank(gone, after), "no event tells the arms apart"),
        (stratified(never, never, "later"), "no event observed"),
        (stratified(tied, tied), "no event tells the arms apart"),
        (stratified(tied, after, strata=([0, 1], [2, 3])), "no event tells the arms apart"),
    ]:
        assert found.method == f"refused: {why}"
        assert math.isnan(found.statistic) and math.isnan(found.p)
    assert stratified(never, never, "later").alternative == "later"


def test_one_run_each() -> None:
    assert (logrank(arm([1]), arm([2])).p, logrank(arm([1]), arm([2]), "earlier").p) == (1, 0.5)


def test_mistakes_are_refused() -> None:
    a, b = arm([1, 2]), arm([3, 4, 5])
    with pytest.raises(ValueError, match="alternative=less"):
        logrank(a, b, "less")
    with pytest.raises(ValueError, match="for 2 and 3 runs"):
        stratified(a, b)
    with pytest.raises(ValueError, match="for 2 and 3 runs"):
        stratified(a, b, strata=([1, 2], [1, 2]))


def test_strata_of_unequal_budgets_are_exact_where_each_has_one() -> None:
    a, b = arm([3, 5, 10, 40, 60, 90], [1, 1, 0, 1, 1, 0]), arm([4, 10, 50, 90], [1, 0, 1, 0])
    budgets = [np.array([10, 10, 10, 90, 90, 90]), np.array([10, 10, 90, 90])]
    strata = ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1])
    assert stratified(a, b, strata=strata, budgets=budgets).method == "exact, 100 labellings"
    assert "censored unevenly" in logrank(a, b, budgets=budgets).method
    budgets[1][3] = 100
    assert "censored unevenly" in stratified(a, b, strata=strata, budgets=budgets).method
