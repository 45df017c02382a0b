"""Bootstrap intervals against scipy on the values themselves, Efron's formulas written out, and
where a resample is infinite or undefined."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats import bootstrap
from analysis.stats.intervals import Interval

DRAWS = np.random.default_rng(7)
A, B = DRAWS.lognormal(size=12), DRAWS.lognormal(0.5, size=9)


def generator() -> np.random.Generator:
    return np.random.default_rng(11)


def difference(first, second) -> np.ndarray:
    return A[first].mean(-1) - B[second].mean(-1)


@pytest.mark.parametrize(("method", "theirs"), [("bca", "BCa"), ("percentile", "percentile")])
def test_agrees_with_scipy_on_the_values(method: str, theirs: str) -> None:
    found = bootstrap.interval(difference, [12, 9], generator(), method)
    expected = stats.bootstrap(
        (A, B), lambda a, b, axis: a.mean(axis) - b.mean(axis), method=theirs, n_resamples=10_000,
        rng=generator(),
    ).confidence_interval  # fmt: skip
    assert found.estimate == A.mean() - B.mean()
    # the percentile interval takes order statistics, scipy interpolates between them
    assert (found.lower, found.upper) == pytest.approx(tuple(expected), rel=5e-3)
    assert found.method == theirs


def test_bca_is_efrons_formula() -> None:
    drawn = A[generator().integers(0, 12, (10_000, 12))].mean(1)
    bias = stats.norm.ppf((drawn < A.mean()).mean())
    left_out = np.array([np.delete(A, i).mean() for i in range(12)])
    pulls = left_out.mean() - left_out
    acceleration = (pulls**3).sum() / (6 * (pulls**2).sum() ** 1.5)
    z = bias + stats.norm.ppf([0.025, 0.975])
    levels = stats.norm.cdf(bias + z / (1 - acceleration * z))
    found = bootstrap.interval(bootstrap.mean(A), [12], generator())
    assert (found.lower, found.upper) == pytest.approx(np.quantile(drawn, levels), rel=1e-2)


def test_equal_generators_give_equal_intervals() -> None:
    first, second = (bootstrap.interval(difference, [12, 9], generator()) for _ in range(2))
    assert first == second


def test_partners_stay_together() -> None:
    """Pairs whose difference is always 1 have no uncertainty, however much they vary."""
    partners = A + 1
    found = bootstrap.interval(lambda i: (partners[i] - A[i]).mean(-1), [12], generator())
    assert (found.lower, found.upper) == pytest.approx((1, 1))
    assert bootstrap.interval(
        lambda i, j: partners[i].mean(-1) - A[j].mean(-1), [12, 12], generator()
    ).lower < 0.5  # fmt: skip


def test_infinite_values_leave_the_percentile_interval() -> None:
    times = np.array([1.0, 2, 3, 4, math.inf, math.inf])
    found = bootstrap.interval(lambda i: np.sort(times[i], -1)[..., 2], [6], generator())
    assert found == Interval(3, 1, math.inf, "percentile (BCa undefined)")


def test_infinite_estimate() -> None:
    times = np.array([1.0, math.inf, math.inf, math.inf])
    found = bootstrap.interval(lambda i: np.sort(times[i], -1)[..., 1], [4], generator())
    assert (found.estimate, found.upper) == (math.inf, math.inf)
    assert found.method == "percentile (BCa undefined)"


def test_undefined_resamples_bound_nothing() -> None:
    """∞ − ∞ may be anything, so both ends are open."""
    times = np.array([1.0, 2, math.inf, math.inf])
    found = bootstrap.interval(
        lambda i, j: times[i].max(-1) - times[j].max(-1), [4, 4], generator()
    )
    assert math.isnan(found.estimate)
    assert (found.lower, found.upper) == (-math.inf, math.inf)


def test_runs_that_do_not_differ() -> None:
    found = bootstrap.interval(bootstrap.mean(np.ones(5)), [5], generator())
    assert found == Interval(1, 1, 1, "percentile (BCa undefined)")


def test_one_run_has_no_interval_and_no_run_is_refused() -> None:
    found = bootstrap.interval(bootstrap.mean(A), [1], generator())
    assert found.estimate == A[0]
    assert math.isnan(found.lower)
    assert found.method == "none: one run"
    with pytest.raises(ValueError, match="no runs"):
        bootstrap.interval(bootstrap.mean(A), [0], generator())
    with pytest.raises(ValueError, match="method=basic"):
        bootstrap.interval(bootstrap.mean(A), [12], generator(), "basic")


def test_many_runs_are_drawn_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap.interval(bootstrap.mean(A), [12], generator(), "percentile")
    monkeypatch.setattr(bootstrap, "BATCH", 1000)
    assert bootstrap.interval(bootstrap.mean(A), [12], generator(), "percentile") == whole


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    found = bootstrap.jackknife(bootstrap.mean(A), 12)
    expected = stats.ttest_1samp(A, 0).confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))
    assert (found.estimate, found.method) == (pytest.approx(A.mean()), "jackknife")


def test_the_jackknife_has_no_interval_of_what_it_cannot_tell() -> None:
    infinite = np.array([1.0, 2.0, math.inf])
    for values, why in (
        (A[:1], "one run"),
        (np.ones(5), "the same without any one of the runs"),
        (infinite, "not finite without one of the runs"),
    ):
        found = bootstrap.jackknife(bootstrap.mean(values), len(values))
        assert math.isnan(found.lower) and found.method == f"none: {why}"


def test_the_jackknife_of_clusters_leaves_out_whole_ones() -> None:
    values, clusters = np.arange(12.0) ** 1.5, np.repeat(["a", "b", "c", "d"], [2, 5, 1, 4])
    other = np.random.default_rng(3).normal(size=12) + values

    def correlation(indices: np.ndarray) -> float:
        return float(np.corrcoef(values[indices], other[indices])[0, 1])

    found = bootstrap.cluster_jackknife(correlation, clusters)
    without = np.array([correlation(np.flatnonzero(clusters != c)) for c in "abcd"])
    error = without.std() * math.sqrt(3)  # (k − 1)/k Σ(…)² = (k − 1) · variance
    half = stats.t.ppf(0.975, 3) * error
    assert (found.lower, found.upper) == pytest.approx(
        (found.estimate - half, found.estimate + half)
    )
    assert found.estimate == pytest.approx(correlation(np.arange(12)))
    # of clusters of one run it is the jackknife, of one cluster there is none
    mean = bootstrap.mean(values)
    assert bootstrap.cluster_jackknife(mean, range(12)) == bootstrap.jackknife(mean, 12)
    assert bootstrap.cluster_jackknife(mean, np.zeros(12)).method == "none: one cluster"
