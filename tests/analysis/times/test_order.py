"""The order of events in runs and over arms: every case of intervals, by hand and by simulation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.times.order import AFTER, BEFORE, UNKNOWN, median_lag, orders

GRID = (0.0, 100.0, 200.0, 300.0)
"""evaluations; the last is the budget"""


def row(lower: float, upper: float, state: str = "done", name: str = "t_grok") -> pd.DataFrame:
    """The row of an event in one run, seen if the upper bound is finite."""
    seen = math.isfinite(upper)
    step = upper if seen else lower
    columns = ["key", "event", "step", "observed", "lower", "upper", "state"]
    return pd.DataFrame([("k", name, step, seen, lower, upper, state)], columns=columns)


def of(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    found = orders(first, second)
    assert len(found) == 1
    return found.iloc[0]


def possible(lower: float, upper: float) -> list[float]:
    """Times that an event may have had, at a fine grid: from (lower, upper], or from [0, upper] if
    the first evaluation showed it."""
    fine = np.arange(0, 1001, 12.5)
    return fine[((fine > lower) | (lower == upper)) & (fine <= upper)].tolist()


def test_every_case_of_two_intervals_is_that_of_all_their_times() -> None:
    """Before means that every time the one may have had is before every time of the other."""
    seen = [(a, b) for a in GRID for b in GRID if a < b] + [(0, 0), (100, 100)]
    cases = [*seen, *((a, math.inf) for a in GRID)]
    found = dict.fromkeys((BEFORE, AFTER, UNKNOWN), 0)
    for a, b in itertools.product(cases, cases):
        times = list(itertools.product(possible(*a), possible(*b)))
        before, after = all(x < y for x, y in times), all(x > y for x, y in times)
        expected = BEFORE if before else AFTER if after else UNKNOWN
        one = of(row(*a), row(*b))
        assert one["order"] == expected, (a, b)
        found[expected] += 1
        lags = [y - x for x, y in times]
        assert one["lower"] <= min(lags) and max(lags) <= one["upper"], (a, b)
        if one["observed"]:
            assert one["lower"] <= one["lag"] <= one["upper"]
            assert one["lag"] == b[1] - a[1]
    assert min(found.values()) >= 20, found


def test_an_order_by_hand() -> None:
    early, late, never = row(100, 200), row(200, 300), row(300, math.inf)
    named = ["order", "lag", "observed", "lower", "upper"]
    assert of(early, late)[named].tolist() == [BEFORE, 100, True, 0, 200]  # they touch
    assert of(late, early)[named].tolist() == [AFTER, -100, True, -200, 0]
    assert of(early, early)[named].tolist() == [UNKNOWN, 0, True, -100, 100]  # one evaluation
    assert of(early, never)[named].tolist() == [BEFORE, 100, False, 100, math.inf]
    assert of(never, early)[named].tolist() == [AFTER, -100, False, -math.inf, -100]
    neither = of(never, never)
    assert neither["order"] == UNKNOWN and math.isnan(neither["lag"])
    assert (neither["lower"], neither["upper"]) == (-math.inf, math.inf)
    # both at step 0, or before anything was looked at: not one before the other
    assert of(row(0, 0), row(0, 0))["order"] == UNKNOWN
    assert of(row(0, 0), row(0, 100))["order"] == BEFORE
    assert of(row(100, 100), row(0, 100))["order"] == UNKNOWN


def test_a_final_value_that_is_not_known_yet_orders_nothing() -> None:
    """The half-change of a run that goes on may turn out to be before what was seen."""
    for name, state, expected in (
        ("tau2_half", "running", UNKNOWN), ("half(weight_norm)", "failed", UNKNOWN),
        ("tau2_half", "done", BEFORE), ("t_mem", "running", BEFORE),
        ("tau2_half", "diverged", BEFORE),
    ):  # fmt: skip
        one = of(row(100, 200, state), row(500, math.inf, state, name))
        assert one["order"] == expected, (name, state)
        assert math.isnan(one["lag"]) == (expected == UNKNOWN)
        assert one["lower"] == (-200 if expected == UNKNOWN else 300)


intervals = st.tuples(
    st.integers(0, 50), st.integers(0, 20) | st.just(math.inf)
).map(lambda pair: (10.0 * pair[0], 10.0 * (pair[0] + pair[1])))  # fmt: skip


@given(a=intervals, b=intervals, shift=st.integers(0, 60))
def test_names_swap_the_order_and_a_later_event_is_never_earlier(
    a: tuple[float, float], b: tuple[float, float], shift: int
) -> None:
    one, other = of(row(*a), row(*b)), of(row(*b), row(*a))
    swapped = {BEFORE: AFTER, AFTER: BEFORE, UNKNOWN: UNKNOWN}
    assert other["order"] == swapped[one["order"]]
    assert (other["lower"], other["upper"]) == (-one["upper"], -one["lower"])
    later = of(row(*(end + 10.0 * shift for end in a)), row(*b))
    place = [BEFORE, UNKNOWN, AFTER]
    assert place.index(later["order"]) >= place.index(one["order"])


def test_a_run_without_one_of_the_events_has_no_order() -> None:
    first = pd.concat([row(0, 100), row(0, 100).assign(key="other")])
    assert orders(first, row(100, 200))["key"].tolist() == ["k"]


def of_lags(*found: tuple[float, bool, float, float]) -> pd.DataFrame:
    return pd.DataFrame(found, columns=["lag", "observed", "lower", "upper"])


def near(*values: float) -> list[tuple[float, bool, float, float]]:
    return [(value, True, value - 5, value + 5) for value in values]


def test_median_lag_by_hand() -> None:
    found = median_lag(of_lags(*near(30, -10, 20, 50, 40)))
    assert (found.estimate, found.lower, found.upper) == (30, -15, 55)
    assert found.method == "order statistics, 93.8 %"
    # of ten: the second from either end, 1 − 2 · 11/1024
    ten = median_lag(of_lags(*near(*range(0, 100, 10))))
    assert (ten.estimate, ten.lower, ten.upper) == (45, 5, 85)
    assert ten.method == "order statistics, 97.9 %"


def test_median_lag_with_half_changes_that_were_not_observed() -> None:
    never, before, unknown = (  # the second curve, the first, neither
        (90, False, 90, math.inf),
        (-90, False, -math.inf, -90),
        (math.nan, False, -math.inf, math.inf),
    )
    found = median_lag(of_lags(*near(30, 10, 20, 40), never))
    assert (found.estimate, found.lower, found.upper) == (30, 5, math.inf)
    found = median_lag(of_lags(*near(30, 10, 20, 40), before))
    assert (found.estimate, found.lower, found.upper) == (20, -math.inf, 45)
    # of three, an unknown one decides which of 10 and 20 is in the middle; of 15, 15 it does not
    assert math.isnan(median_lag(of_lags(*near(10, 20), unknown)).estimate)
    assert median_lag(of_lags(*near(15, 15), unknown)).estimate == 15
    # a bound among the others leaves the median open, beyond them it does not
    assert math.isnan(median_lag(of_lags(*near(10, 20, 30), (15, False, 15, math.inf))).estimate)
    assert math.isnan(median_lag(of_lags(*near(10), never, never)).estimate)


def test_median_lag_of_one_run_and_of_none() -> None:
    alone = median_lag(of_lags(*near(30)))
    assert (alone.estimate, alone.method) == (30, "none: one run")
    assert math.isnan(alone.lower) and math.isnan(alone.upper)
    with pytest.raises(ValueError, match="no runs"):
        median_lag(of_lags())


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_median_lag_covers_as_stated(n: int) -> None:
    draws = np.random.default_rng(n)
    covered, repeats = 0, 600
    for _ in range(repeats):
        lag = draws.normal(7, 100, n)
        found = median_lag(of_lags(*((x, True, x, x) for x in lag)))
        covered += found.lower <= 7 <= found.upper
    stated = float(found.method.split()[-2]) / 100
    assert abs(covered / repeats - stated) < 4 * math.sqrt(stated * (1 - stated) / repeats)
