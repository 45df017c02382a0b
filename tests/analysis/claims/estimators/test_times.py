"""Estimators of times against sums by hand, and scipy."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimators.times import (
    delay,
    mean_lead,
    share_before,
    share_reached,
    time_ratio,
)
from analysis.runs.experiments import NotRun, Unmatched
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import arm, baseline, write

TIMES = [1_500, 2_000, 2_600]


def runs(folder: Path, **arms: ArmNode) -> Runs:
    """Delays of 100, 300 and 500 (mixing) and of 0 (noise), at strengths that differ."""
    delays = {0.1: [100, 300, 500], 0.5: [300, 500, 700]}
    mixed = [
        run
        for alpha, more in delays.items()
        for run in arm("mixing", np.add(TIMES, more).tolist(), {"alpha": alpha})
    ]
    noise = arm("noise", TIMES, {"alpha": 0.1}) + arm("noise", [None] * 3, {"alpha": 2.0})
    wrote = write(folder, e1_baseline=baseline(TIMES), e2_mixing=mixed, e2_noise=noise)
    by = "intervention.alpha"
    known = {
        "baseline": ArmNode("e1_baseline"),
        "mixing": ArmNode("e2_mixing", by),
        "noise": ArmNode("e2_noise", by),
        "undivided": ArmNode("e2_mixing"),
        "strong": ArmNode("e2_noise", by, {by: "> 1"}),
    }
    return Runs(wrote.experiments, known | arms)


def test_a_delay_is_the_mean_over_strengths_seed_by_seed(tmp_path: Path) -> None:
    found = delay(runs(tmp_path), "mixing")
    of_seeds = np.array([200, 400, 600])
    assert found.interval.estimate == pytest.approx(400)
    ends = stats.ttest_1samp(of_seeds, 0).confidence_interval()
    assert (found.interval.lower, found.interval.upper) == pytest.approx(tuple(ends))
    assert (found.seeds, found.note) == (3, "mean over α = 0.1, 0.5")


def test_two_divided_arms_are_compared_at_the_strengths_in_common(tmp_path: Path) -> None:
    every = runs(tmp_path)
    assert delay(every, "mixing", than="noise").interval.estimate == pytest.approx(300)
    with pytest.raises(
        Unmatched, match=r"arms mixing and strong: no intervention\.alpha in common"
    ):
        delay(every, "mixing", than="strong")


def test_a_ratio_needs_one_run_a_seed(tmp_path: Path) -> None:
    every = runs(tmp_path)
    assert time_ratio(every, "baseline", than="baseline").interval.estimate == 1
    with pytest.raises(InputError, match="a seed has several runs; divide the arm with by"):
        time_ratio(every, "undivided")


def test_shares_of_several_arms_leave_out_those_that_were_not_run(tmp_path: Path) -> None:
    every = runs(tmp_path, absent=ArmNode("e9"))
    found = share_reached(every, ["noise", "baseline", "absent"])
    assert (found.shown, found.runs) == (6, 9)
    assert found.note == "noise: 3 of 6; baseline: 3 of 3"
    assert share_reached(every, "baseline", by_step=2_000).shown == 2
    with pytest.raises(NotRun, match="e9: not run"):
        share_reached(every, "absent")


def test_leads_of_events_by_hand(tmp_path: Path) -> None:
    """Training accuracy is 1 from step 200 on."""
    every = runs(tmp_path)
    assert share_before(every, "baseline", "t_mem").shown == 3
    assert mean_lead(every, "baseline", "t_mem").interval.estimate == np.mean(TIMES) - 200
