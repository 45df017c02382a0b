"""The order of events in runs and over arms: every case of intervals, by hand and by simulation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.runs.tables import Tables
from analysis.times.order import AFTER, BEFORE, UNKNOWN, median_lag, orders, summary
from analysis.times.timescales import events
from grokpipe.errors import InputError
from tests.helpers.made_curves import ENTROPY, TEST, jump, made

Bounds = tuple[float, float]

GRID = (0.0, 100.0, 200.0, 300.0)
"""evaluations; the last is the budget"""


def rows(*bounds: Bounds, state: str = "done", name: str = "t_grok") -> pd.DataFrame:
    """The rows of an event in runs 0, 1, …, seen where the upper bound is finite."""
    table = pd.DataFrame(bounds, columns=["lower", "upper"], dtype=float)
    seen = np.isfinite(table["upper"])
    step = table["upper"].where(seen, table["lower"])
    return table.assign(
        key=table.index.astype(str), event=name, step=step, observed=seen, state=state
    )


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
    pairs = list(itertools.product(cases, cases))
    found = orders(rows(*(a for a, _ in pairs)), rows(*(b for _, b in pairs)))
    assert found["key"].tolist() == [str(at) for at in range(len(pairs))]
    for (a, b), one in zip(pairs, found.itertuples(), strict=True):
        times = list(itertools.product(possible(*a), possible(*b)))
        before, after = all(x < y for x, y in times), all(x > y for x, y in times)
        expected = BEFORE if before else AFTER if after else UNKNOWN
        assert one.order == expected, (a, b)
        lags = [y - x for x, y in times]
        assert one.lower <= min(lags) and max(lags) <= one.upper, (a, b)
        if one.observed:
            assert one.lower <= one.lag <= one.upper and one.lag == b[1] - a[1]
    assert found["order"].value_counts().min() >= 20


def test_an_order_by_hand() -> None:
    early, late, never = rows((100, 200)), rows((200, 300)), rows((300, math.inf))
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
    assert of(rows((0, 0)), rows((0, 0)))["order"] == UNKNOWN
    assert of(rows((0, 0)), rows((0, 100)))["order"] == BEFORE
    assert of(rows((100, 100)), rows((0, 100)))["order"] == UNKNOWN


def test_a_final_value_that_is_not_known_yet_orders_nothing() -> None:
    """The half-change of a run that goes on may turn out to be before what was seen."""
    for name, state, expected in (
        ("tau2_half", "running", UNKNOWN), ("half(weight_norm)", "failed", UNKNOWN),
        ("tau2_half", "done", BEFORE), ("t_mem", "running", BEFORE),
        ("tau2_half", "diverged", BEFORE),
    ):  # fmt: skip
        one = of(rows((100, 200), state=state), rows((500, math.inf), state=state, name=name))
        assert one["order"] == expected, (name, state)
        assert math.isnan(one["lag"]) == (expected == UNKNOWN)
        assert one["lower"] == (-200 if expected == UNKNOWN else 300)


intervals = st.tuples(
    st.integers(0, 50), st.integers(0, 20) | st.just(math.inf)
).map(lambda pair: (10.0 * pair[0], 10.0 * (pair[0] + pair[1])))  # fmt: skip


@settings(max_examples=25)
@given(st.lists(st.tuples(intervals, intervals, st.integers(0, 60)), min_size=1, max_size=40))
def test_names_swap_the_order_and_a_later_event_is_never_earlier(
    pairs: list[tuple[Bounds, Bounds, int]],
) -> None:
    first, second = rows(*(a for a, _, _ in pairs)), rows(*(b for _, b, _ in pairs))
    one, other = orders(first, second), orders(second, first)
    swapped = {BEFORE: AFTER, AFTER: BEFORE, UNKNOWN: UNKNOWN}
    assert other["order"].tolist() == one["order"].map(swapped).tolist()
    assert (other["lower"] == -one["upper"]).all() and (other["upper"] == -one["lower"]).all()
    moved = [tuple(end + 10.0 * shift for end in a) for a, _, shift in pairs]
    place = {BEFORE: 0, UNKNOWN: 1, AFTER: 2}
    later = orders(rows(*moved), second)["order"].map(place)
    assert (later >= one["order"].map(place)).all()


def test_a_run_without_one_of_the_events_has_no_order() -> None:
    first = rows((0, 100), (0, 100))
    assert orders(first, rows((100, 200)))["key"].tolist() == ["0"]
    assert len(orders(first, first[:0])) == 0


def grid() -> Tables:
    """Two arms of five seeds: entropy turns two evaluations before accuracy; in the second arm with
    it, never, only before a divergence, or at a step that is not known yet."""
    entropy = {ENTROPY: jump(8, 0.8, 0.4), "train_accuracy": np.ones(20)}
    rises = {TEST: jump(10, 0.1, 0.9)}
    runs = [entropy | rises | {"seed": seed, "weight_decay": 1.0} for seed in range(5)]
    never = np.full(20, 0.1)
    others = [
        {TEST: jump(8, 0.1, 0.9)},
        {TEST: never},
        rises | {ENTROPY: np.full(20, 0.8)},
        rises | {"state": "diverged"},
        rises | {"state": "interrupted"},
    ]
    runs += [entropy | run | {"seed": seed, "weight_decay": 0.1} for seed, run in enumerate(others)]
    return made(*runs)


HALVES = [f"half({ENTROPY})", "tau2_half"]


def test_a_summary_by_hand() -> None:
    tables = grid()
    long = events(tables, HALVES[:1])
    table, runs = summary(long, HALVES, ["weight_decay"], tables)
    assert table["arm"].tolist() == ["1", "0.1"]
    first, second = table.to_dict("records")
    assert (first["before"], first["after"], first["unknown"], first["n"]) == (5, 0, 0, 5)
    assert (first["share"], first["share_least"], first["share_most"]) == (1, 1, 1)
    exact = stats.binomtest(5, 5).proportion_ci(method="exact")
    assert (first["share_lower"], first["share_upper"]) == pytest.approx((exact.low, exact.high))
    assert first["sign_p"] == 2 / 2**5
    assert (first["lag"], first["lag_lower"], first["lag_upper"]) == (200, 100, 300)
    # at the same evaluation; only the entropy; only accuracy; neither has a final value (twice)
    orders_of_arm = runs[runs["arm"] == "0.1"]["order"].tolist()
    assert orders_of_arm == [UNKNOWN, BEFORE, AFTER, UNKNOWN, UNKNOWN]
    assert (second["before"], second["after"], second["unknown"]) == (1, 1, 3)
    assert second["one_never"] == 2 and second["sign_p"] == 1
    assert (second["share"], second["share_least"], second["share_most"]) == (0.5, 0.2, 0.8)
    assert math.isnan(second["lag"])
    assert runs["seed"].tolist() == [*range(5), *range(5)]
    assert runs.loc[6, ["first_step", "second_step", "second_observed"]].tolist() == [
        800, 1900, False,
    ]  # fmt: skip


def test_what_was_seen_before_a_run_diverged_is_before_what_never_comes() -> None:
    tables = grid()
    names = ["t_mem", "tau2_half"]
    _, runs = summary(events(tables), names, ["weight_decay"], tables)
    of_arm = runs[runs["arm"] == "0.1"]
    assert of_arm["order"].tolist() == [BEFORE, BEFORE, BEFORE, BEFORE, UNKNOWN]


def test_each_pair_of_three_and_runs_that_share_a_seed() -> None:
    tables = grid()
    long = events(tables, HALVES[:1])
    table, runs = summary(long, ["t_mem", *HALVES], ["weight_decay"], tables)
    assert len(table) == 3 * 2 and len(runs) == 3 * 10
    assert list(zip(table["first"], table["second"], strict=True))[::2] == [
        ("t_mem", HALVES[0]), ("t_mem", "tau2_half"), tuple(HALVES),
    ]  # fmt: skip
    message = r"^by steps: runs of a group share a seed; also by: weight_decay$"
    with pytest.raises(InputError, match=message):
        summary(long, HALVES, ["steps"], tables)


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
