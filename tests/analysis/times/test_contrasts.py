"""Delays over shared seeds: against scipy, literal resampling and times known beforehand."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables
from analysis.stats import bootstrap
from analysis.stats.survival import kaplan_meier
from analysis.times import contrasts
from analysis.times.compare import Arm
from analysis.times.timescales import events
from tests.helpers.entropy_runs import BUDGET, Run, tables

GENERATOR = np.random.default_rng
BASE = [1_500, 2_000, 2_600, 3_100, 1_900]


def groks(tables: Tables) -> pd.DataFrame:
    found = events(tables)
    return found[found["event"] == "t_grok"]


def arm(name: str, times: dict[int, float | None], folder: Path, **values: object) -> Arm:
    runs = [Run(seed, time, **values) for seed, time in times.items()]  # type: ignore[arg-type]
    return Arm(name, groks(tables(name, runs, folder)))


def of(times: list[float | None]) -> dict[int, float | None]:
    return dict(enumerate(times))


def test_the_interval_is_student_s_of_the_differences_seed_by_seed(tmp_path: Path) -> None:
    a, b = ([t + d for t, d in zip(BASE, ds)] for ds in ([100, 200, 0, 300, 100], [900] * 5))
    terms = [(0.5, arm("a", of(a), tmp_path)), (0.5, arm("b", of(b), tmp_path))]
    found = contrasts.weighted([*terms, (-1, arm("0", of(BASE), tmp_path))], GENERATOR(0))
    differences = (np.array(a) + b) / 2 - BASE
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert found.interval.estimate == pytest.approx(differences.mean())
    assert (found.interval.lower, found.interval.upper) == pytest.approx(tuple(expected))
    assert found.interval.method == "t"
    assert (found.seeds, found.note) == (5, "")


def test_seeds_are_matched_whatever_their_order_and_strangers_left_out(tmp_path: Path) -> None:
    base = arm("0", of(BASE), tmp_path)
    other = arm("a", {4: 2_000, 1: 2_300, 3: 3_300, 17: 4_900}, tmp_path)
    found = contrasts.weighted([(1, other), (-1, base)], GENERATOR(0))
    assert found.interval.estimate == pytest.approx(np.mean([100, 300, 200]))
    assert found.seeds == 3
    assert len(found.keys) == 6
    assert "seeds 0, 2, 17 are not in every arm" in found.note


def test_a_sustained_event_that_began_just_before_the_end_is_open_some_steps_earlier(
    tmp_path: Path,
) -> None:
    base = arm("0", of(BASE), tmp_path)
    late = arm("a", of([None, *BASE[1:]]), tmp_path)
    never = late.runs["seed"] == 0
    late.runs.loc[never, ["step", "lower"]] = BUDGET - 100
    found = contrasts.weighted([(1, late), (-1, base)], GENERATOR(0))
    assert found.interval.method == "t"
    assert found.interval.estimate == pytest.approx((BUDGET - 100 - 1_500) / 5)
    assert "mean times up to 4,900 steps" in found.note


def test_a_run_that_never_groks_counts_as_the_budget(tmp_path: Path) -> None:
    base = arm("0", of(BASE), tmp_path)
    other = arm("a", of([None, *BASE[1:]]), tmp_path)
    found = contrasts.weighted([(1, other), (-1, base)], GENERATOR(0))
    assert found.interval.estimate == pytest.approx((BUDGET - 1_500) / 5)
    assert "1 of 10 runs were not seen to grok: mean times up to 5,000 steps" in found.note


def test_a_run_that_broke_off_is_censored_there(tmp_path: Path) -> None:
    base = arm("0", of(BASE), tmp_path)
    broken = [Run(0, None, ends=1_700, state="interrupted")]
    broken += [Run(seed, t + 500) for seed, t in enumerate(BASE) if seed]
    broken += [Run(5, None)]
    other = Arm("a", groks(tables("a", broken, tmp_path)))
    base = arm("0", of([*BASE, 3_000]), tmp_path)
    found = contrasts.weighted([(1, other), (-1, base)], GENERATOR(0))

    def area(times: np.ndarray, observed: np.ndarray) -> float:
        """Under the survival function until BUDGET, a step at a time."""
        ordered, survival = kaplan_meier(times, observed)
        total, last, height = 0.0, 0.0, 1.0
        for time, below in zip(ordered, survival):
            total, last, height = total + height * (time - last), time, below
        return total + height * (BUDGET - last)

    times = [np.array([1_700, 2_500, 3_100, 3_600, 2_400, 5_000]), np.array([*BASE, 3_000])]
    observed = [np.array([False, True, True, True, True, False]), np.ones(6, dtype=bool)]

    def statistic(indices: np.ndarray) -> np.ndarray:
        rows = indices.reshape(-1, indices.shape[-1])
        values = [
            area(times[0][i], observed[0][i]) - area(times[1][i], observed[1][i])
            if observed[0][i][times[0][i].argmax()] or times[0][i].max() >= BUDGET
            else math.nan
            for i in rows
        ]
        return np.array(values).reshape(indices.shape[:-1])

    assert found.interval.estimate == pytest.approx(
        area(times[0], observed[0]) - area(times[1], observed[1])
    )
    expected = bootstrap.interval(statistic, [6], GENERATOR(0))
    assert found.interval.lower == pytest.approx(expected.lower)
    assert found.interval.upper == pytest.approx(expected.upper)


def test_a_ratio_of_a_few_pairs_is_by_the_delta_method(tmp_path: Path) -> None:
    times = [1_800, 2_100, 2_500, 3_600, 1_900]
    found = contrasts.ratio(
        arm("a", of(times), tmp_path), arm("0", of(BASE), tmp_path), GENERATOR(0)
    )
    estimate, b = sum(times) / sum(BASE), np.mean(BASE)
    covariance = np.cov(times, BASE) / 5
    slope = np.array([1 / b, -estimate / b])  # of a/b
    half = stats.t.ppf(0.975, 4) * math.sqrt(slope @ covariance @ slope)
    assert found.interval.estimate == pytest.approx(estimate)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (estimate - half, estimate + half)
    )


def test_a_ratio_of_many_pairs_resamples_them(tmp_path: Path) -> None:
    draws = np.random.default_rng(1)
    both = np.array([draws.integers(15, 40, 20) * 100 for _ in range(2)])
    found = contrasts.ratio(
        *(arm(name, of(list(times)), tmp_path) for name, times in zip("a0", both)), GENERATOR(0)
    )
    expected = bootstrap.interval(
        lambda i: both[0][i].sum(-1) / both[1][i].sum(-1), [20], GENERATOR(0)
    )
    assert found.interval.method == "BCa"
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (expected.lower, expected.upper)
    )


def test_one_seed_has_no_interval_and_none_is_not_run(tmp_path: Path) -> None:
    base = arm("0", of(BASE), tmp_path)
    one = contrasts.weighted([(1, arm("a", {1: 2_300}, tmp_path)), (-1, base)], GENERATOR(0))
    assert one.interval.estimate == 300
    assert math.isnan(one.interval.lower)
    with pytest.raises(NotRun, match="no seed in each of: a; 0"):
        contrasts.weighted([(1, arm("a", {99: 2_300}, tmp_path)), (-1, base)], GENERATOR(0))


def test_a_seed_that_was_run_twice_is_refused(tmp_path: Path) -> None:
    runs = [Run(0, 2_000), Run(0, 2_100, settings={"intervention.alpha": 0.1})]
    twice = Arm("a", groks(tables("a", runs, tmp_path)))
    with pytest.raises(ValueError, match="a: a seed has several runs"):
        contrasts.weighted([(1, twice), (-1, arm("0", of(BASE), tmp_path))], GENERATOR(0))
