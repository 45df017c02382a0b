"""Rules of a criterion, case by case."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.claims.estimate import Estimate
from analysis.claims.rules import Every, Replicates, Within, shares_alike, standard_error, widened
from analysis.stats import means
from analysis.stats.intervals import Interval, none

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("rule", "ends", "holds"),
    [
        ((10, 20), (12, 18), True),
        ((10, 20), (10, 20), True),
        ((10, 20), (15, 15), True),
        ((10, 20), (9, 18), None),
        ((10, 20), (12, 21), None),
        ((10, 20), (5, 25), None),
        ((10, 20), (5, 10), None),  # an end in common
        ((10, 20), (20, 25), None),
        ((10, 20), (5, 9.999), False),
        ((10, 20), (20.001, 25), False),
        ((10, 20), (12, INF), None),
        ((10, 20), (25, INF), False),
        ((10, 20), (-INF, INF), None),
        ((1, INF), (1, INF), True),
        ((1, INF), (0.5, INF), None),
        ((1, INF), (-5, 0.9), False),
        ((-INF, -1), (-9, -1), True),
        ((-INF, -1), (-0.5, 3), False),
        ((10, 20), (NAN, NAN), None),
        ((10, 20), (12, NAN), None),
    ],
)
def test_a_range_is_held_by_the_whole_interval(rule, ends, holds) -> None:
    # the estimate decides nothing
    for estimate in (15, -1e9, NAN):
        estimate = Estimate(Interval(estimate, *ends, "by hand"), 10, None)
        assert Within(*rule).holds(estimate) is holds


@pytest.mark.parametrize(
    ("k", "n", "holds"),
    [(10, 10, True), (12, 12, True), (9, 10, False), (8, 9, False), (0, 3, False), (9, 9, None)],
)
def test_every_run_shows_it_of_enough(k: int, n: int, holds: bool | None) -> None:
    estimate = Estimate(Interval(k / n, 0, 1, "Clopper–Pearson"), n, None, k)
    assert Every(10).holds(estimate) is holds


def of_mean(values: np.ndarray) -> Estimate:
    return Estimate(means.mean(values, np.random.default_rng(0)), len(values), None)


def test_a_replication_falls_into_its_prediction_interval_as_often_as_it_says() -> None:
    """Of 10 values and a mean of 5: simulated, and against the textbook's formula."""
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(2_000):
        values = generator.normal(3, 2, 10)
        low, high = Replicates(0, 5, None, None).prediction(of_mean(values))  # type: ignore[misc]
        half = stats.t.ppf(0.975, 9) * values.std(ddof=1) * math.sqrt(1 / 10 + 1 / 5)
        np.testing.assert_allclose([low, high], [values.mean() - half, values.mean() + half])
        held += low <= generator.normal(3, 2, 5).mean() <= high
    assert abs(held / 2_000 - 0.95) < 0.015


@pytest.mark.parametrize(
    ("value", "no_effect", "holds"),
    [
        (11.0, None, True),
        (11.0, 0.0, True),
        (11.0, 9.5, None),  # our interval, 9 to 11, holds it
        (40.0, None, False),
        (40.0, 9.5, False),  # outside in any case
    ],
)
def test_a_size_is_replicated_if_it_lies_there_and_no_effect_does_not(
    value: float, no_effect: float | None, holds: bool | None
) -> None:
    ours = Estimate(Interval(10, 9, 11, "t"), 10, None)
    assert Replicates(value, 10, None, no_effect).holds(ours) is holds
    assert Replicates(value, None, (value - 0.1, value + 0.1), no_effect).holds(ours) is holds


def test_ratios_are_replicated_on_the_logarithmic_scale() -> None:
    ours = Estimate(Interval(2, 1, 4, "mixed model"), 10, None, scale="log")
    low, high = Replicates(2, 10, None, None).prediction(ours)  # type: ignore[misc]
    np.testing.assert_allclose([low, high], [2 / 2 ** math.sqrt(2), 2 * 2 ** math.sqrt(2)])
    linear = Estimate(Interval(2, 1, 4, "t"), 10, None)
    np.testing.assert_allclose(Replicates(2, 10, None, None, "log").prediction(linear), [low, high])


def test_a_bound_excludes_what_lies_below_it() -> None:
    bound = Estimate(Interval(50_000, 14_620, INF, "bound"), 3, None)
    assert Replicates(4_380, None, (3_820, 5_040), None, "log").holds(bound) is False
    assert Replicates(20_000, None, (15_000, 25_000), None, "log").holds(bound) is True


def test_without_an_error_nothing_is_decided() -> None:
    for interval in (none(5.0, "one run"), Interval(5, 5, 5, "counted")):
        assert Replicates(5, 10, None, None).holds(Estimate(interval, 1, None)) is None


def test_shares_are_compared_by_fisher_s_exact_test() -> None:
    least, most = shares_alike(18, 20, 30)
    for k in range(31):
        p = stats.fisher_exact([[18, 2], [k, 30 - k]]).pvalue
        assert (least <= k <= most) == (p >= 0.05)
    share = Estimate(Interval(0.9, 0.68, 0.99, "Clopper–Pearson"), 20, None, 18)
    assert Replicates(0.933, 30, None, None).holds(share) is True  # 28 of 30, as published
    assert Replicates(0.5, 30, None, None).holds(share) is False


def test_one_of_several_is_held_to_its_share_of_the_level() -> None:
    values = np.random.default_rng(3).normal(5, 1, 8)
    one = of_mean(values)
    found = widened(one, 4).interval
    half = stats.t.ppf(1 - 0.025 / 4, 7) * stats.sem(values)
    np.testing.assert_allclose(
        [found.lower, found.upper], [values.mean() - half, values.mean() + half]
    )
    assert widened(one, 1) is one
    share = Estimate(Interval(0.9, 0.68, 0.99, "Clopper–Pearson"), 20, None, 18)
    assert widened(share, 4) is share


def test_the_standard_error_is_that_of_the_mean() -> None:
    values = np.random.default_rng(4).normal(5, 1, 8)
    np.testing.assert_allclose(
        standard_error(of_mean(values), "linear"), [values.mean(), stats.sem(values), 7]
    )
    assert standard_error(Estimate(Interval(1, 0.5, INF, "bound"), 5, None), "log") is None
