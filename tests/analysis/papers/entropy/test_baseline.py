"""E1's numbers by hand, and what runs that are not finished say."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.papers.entropy.estimates import baseline
from analysis.runs.experiments import NotRun
from tests.helpers.entropy_runs import BUDGET, Run, write

LEVELS = (0.58, 0.60, 0.65)


def three(**last: object) -> list[Run]:
    runs = [Run(0, 2_000, at_grok=LEVELS[0]), Run(1, 2_400, at_grok=LEVELS[1])]
    return [*runs, Run(2, **{"groks": 3_100, "at_grok": LEVELS[2], **last})]  # type: ignore[arg-type]


def test_means_and_variance_by_hand(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    time = baseline.mean_time(experiments).interval
    assert time.estimate == pytest.approx(2_500)
    half = stats.t.ppf(0.975, 2) * np.std([2_000, 2_400, 3_100], ddof=1) / math.sqrt(3)
    assert time.upper == pytest.approx(2_500 + half)
    assert baseline.mean_threshold(experiments).interval.estimate == pytest.approx(1.83 / 3)
    assert baseline.mean_start(experiments).interval.estimate == pytest.approx(0.8)
    spread = baseline.threshold_variance(experiments).interval
    assert spread.estimate == pytest.approx(np.var(LEVELS, ddof=1))
    # P(χ² of two degrees > x) = exp(−x/2)
    ends = [spread.estimate * 2 / (-2 * math.log(tail)) for tail in (0.025, 0.975)]
    assert [spread.lower, spread.upper] == pytest.approx(ends)


def test_a_run_that_never_groks_is_no_grokker_and_not_left_out_of_the_mean(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three(groks=None))
    found = baseline.grokked(experiments)
    assert (found.shown, found.runs) == (2, 3)
    time = baseline.mean_time(experiments)
    assert time.interval.estimate == pytest.approx((2_000 + 2_400 + BUDGET) / 3)
    assert "1 of 3 runs were not seen to grok" in time.note
    assert baseline.mean_threshold(experiments).runs == 2


def test_a_run_that_is_not_finished_has_not_failed(tmp_path: Path) -> None:
    waiting = three(groks=None, state="interrupted", ends=400)
    waiting[2].curves["train_accuracy"] = np.full(5, 0.1)
    experiments = write(tmp_path, e1_baseline=waiting)
    for quantity in (baseline.grokked, baseline.memorised_by_500):
        found = quantity(experiments)
        assert (found.shown, found.runs) == (2, 2)
        assert "1 of 3 runs not finished" in found.note
        assert found.tables is not None and len(found.tables.cells) == 2


def test_memorising_late_is_seen_before_the_run_is_finished(tmp_path: Path) -> None:
    late = three(groks=None, state="interrupted", ends=600)
    late[2].curves["train_accuracy"] = np.array([0.1] * 6 + [1.0])
    late[0].curves["train_accuracy"] = np.where(late[0].steps >= 500, 0.99, 0.1)
    found = baseline.memorised_by_500(write(tmp_path, e1_baseline=late))
    assert (found.shown, found.runs) == (2, 3)
    assert found.note == "the last one at 600"


def test_no_run_that_grokked_or_finished_is_not_run(tmp_path: Path) -> None:
    waiting = [Run(seed, None, state="interrupted", ends=300) for seed in range(2)]
    experiments = write(tmp_path, e1_baseline=waiting)
    for quantity in (baseline.grokked, baseline.mean_threshold, baseline.threshold_variance):
        with pytest.raises(NotRun):
            quantity(experiments)


@pytest.mark.parametrize(("values", "said"), [([0.6], "one run"), ([0.5, 0.5], "no spread")])
def test_a_variance_without_an_interval_says_why(values: list[float], said: str) -> None:
    found = baseline.variance(np.array(values))
    assert said in found.method and math.isnan(found.upper)
