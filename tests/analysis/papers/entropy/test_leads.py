"""E1's lead times by hand-made curves."""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.estimators.times import leads
from analysis.papers.entropy.tables import leads as lead_tables
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, beside, claimed, write

TIMES = (2_000, 2_400, 3_000)
LEVELS = (0.56, 0.59, 0.65)


def three() -> list[Run]:
    """Lines from 0.8 to the level over the 500 steps before T_grok: 0.048, 0.042 and 0.03 a
    step. The others' H̃* are 0.62, 0.605 and 0.575."""
    return [
        Run(seed, time, at_grok=level)
        for seed, (time, level) in enumerate(zip(TIMES, LEVELS, strict=True))
    ]


def test_leads_by_hand(tmp_path: Path) -> None:
    arm = write(tmp_path, e1_baseline=three()).arm("baseline")
    found, falls = leads(arm, "t_cross"), leads(arm, "t_collapse")
    assert found["seed"].tolist() == [0, 1, 2]
    # 0.8 − 4 · 0.048 = 0.608 is the first below 0.62; the second run is at 0.632 then
    assert found["lead"].tolist()[:2] == [100, 0]
    assert math.isnan(found["lead"].iloc[2])  # stays at 0.65
    # after one evaluation they have not fallen by more than 0.05, after two they have
    assert falls["lead"].tolist() == [300, 300, 300]


def test_shares_count_the_runs_that_lead_strictly(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=[*three(), Run(3, None)])
    crossed = claimed(experiments, "E1a")
    assert (crossed.shown, crossed.runs) == (1, 3)
    collapsed = claimed(experiments, "E1b")
    assert (collapsed.shown, collapsed.runs) == (3, 3)
    assert claimed(experiments, "E1b-lead").interval.estimate == 300


def test_a_crossing_that_was_never_seen_bounds_the_mean_from_above_alone(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    found = claimed(experiments, "E1a-lead")
    # the third run goes on for 1,000 steps
    assert found.interval.estimate == pytest.approx((100 + 0 - 1_000) / 3)
    assert found.interval.lower == -math.inf and math.isfinite(found.interval.upper)
    assert "1 leads bounded" in found.interval.method


def test_a_crossing_after_grokking_is_a_negative_lead(tmp_path: Path) -> None:
    late = three()
    late[2].curves[ENTROPY] = np.where(late[2].steps >= TIMES[2] + 400, 0.5, 0.65)
    found = claimed(write(tmp_path, e1_baseline=late), "E1a-lead").interval
    assert found.estimate == pytest.approx((100 + 0 - 400) / 3)
    assert math.isfinite(found.lower)


def test_evaluated_every_200_steps_the_same_runs_lead_by_other_times(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    shown = lead_tables.tables(experiments)
    by_gap = [table["lead of T_collapse"].tolist() for table in shown.values()]
    # 5 evaluations are 1,000 steps then: the fall of 0.05 is seen as early as it can be
    assert by_gap == [["300"] * 3, ["200", "200", "200"]]
    coarse = beside(experiments, "E1b-lead")["evaluated every 200 steps"]
    assert coarse.interval.estimate == 200


def test_no_run_that_groks_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun):
        claimed(write(tmp_path, e1_baseline=[Run(0, None)]), "E1a")
