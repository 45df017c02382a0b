"""E1's numbers by hand, and what runs that are not finished say."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.runs.experiments import NotRun
from tests.helpers.entropy_runs import BUDGET, Run, claimed, write

LEVELS = (0.58, 0.60, 0.65)


def three(**last: object) -> list[Run]:
    runs = [Run(0, 2_000, at_grok=LEVELS[0]), Run(1, 2_400, at_grok=LEVELS[1])]
    return [*runs, Run(2, **{"groks": 3_100, "at_grok": LEVELS[2], **last})]  # type: ignore[arg-type]


def test_means_and_variance_by_hand(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    time = claimed(experiments, "E1-time").interval
    assert time.estimate == pytest.approx(2_500)
    half = stats.t.ppf(0.975, 2) * np.std([2_000, 2_400, 3_100], ddof=1) / math.sqrt(3)
    assert time.upper == pytest.approx(2_500 + half)
    assert claimed(experiments, "E1-threshold").interval.estimate == pytest.approx(1.83 / 3)
    assert claimed(experiments, "E1-start").interval.estimate == pytest.approx(0.8)
    spread = claimed(experiments, "E1-spread").interval
    assert spread.estimate == pytest.approx(np.var(LEVELS, ddof=1))
    # P(χ² of two degrees > x) = exp(−x/2)
    ends = [spread.estimate * 2 / (-2 * math.log(tail)) for tail in (0.025, 0.975)]
    assert [spread.lower, spread.upper] == pytest.approx(ends)


def test_a_run_that_never_groks_is_no_grokker_and_not_left_out_of_the_mean(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three(groks=None))
    found = claimed(experiments, "E1-time", 1)
    assert (found.shown, found.runs) == (2, 3)
    time = claimed(experiments, "E1-time")
    assert time.interval.estimate == pytest.approx((2_000 + 2_400 + BUDGET) / 3)
    assert "1 of 3 runs were not seen to grok" in time.note
    assert claimed(experiments, "E1-threshold").runs == 2


def test_a_run_that_is_not_finished_has_not_failed(tmp_path: Path) -> None:
    waiting = three(groks=None, state="interrupted", ends=400)
    waiting[2].curves["train_accuracy"] = np.full(5, 0.1)
    experiments = write(tmp_path, e1_baseline=waiting)
    for id, criterion in (("E1-time", 1), ("E1-memorises", 0)):
        found = claimed(experiments, id, criterion)
        assert (found.shown, found.runs) == (2, 2)
        assert "1 of 3 runs not finished" in found.note
        assert found.tables is not None and len(found.tables.cells) == 2


def test_memorising_late_is_seen_before_the_run_is_finished(tmp_path: Path) -> None:
    late = three(groks=None, state="interrupted", ends=600)
    late[2].curves["train_accuracy"] = np.array([0.1] * 6 + [1.0])
    late[0].curves["train_accuracy"] = np.where(late[0].steps >= 500, 0.99, 0.1)
    found = claimed(write(tmp_path, e1_baseline=late), "E1-memorises")
    assert (found.shown, found.runs) == (2, 3)


def test_no_run_that_grokked_or_finished_is_not_run(tmp_path: Path) -> None:
    waiting = [Run(seed, None, state="interrupted", ends=300) for seed in range(2)]
    experiments = write(tmp_path, e1_baseline=waiting)
    for id, criterion in (("E1-time", 1), ("E1-threshold", 0), ("E1-spread", 0)):
        with pytest.raises(NotRun):
            claimed(experiments, id, criterion)
