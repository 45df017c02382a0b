"""E1's lead times by hand-made curves."""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.papers.entropy.estimates import leads
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, tables, write

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
    found = leads.per_seed(tables("x", three(), tmp_path))
    assert found["seed"].tolist() == [0, 1, 2]
    # 0.8 − 4 · 0.048 = 0.608 is the first below 0.62; the second run is at 0.632 then
    assert found["lead_t_cross"].tolist()[:2] == [100, 0]
    assert math.isnan(found["lead_t_cross"].iloc[2])  # stays at 0.65
    # after one evaluation they have not fallen by more than 0.05, after two they have
    assert found["lead_t_collapse"].tolist() == [300, 300, 300]


def test_shares_count_the_runs_that_lead_strictly(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=[*three(), Run(3, None)])
    crossed = leads.crossed_before(experiments)
    assert (crossed.shown, crossed.runs) == (1, 3)
    collapsed = leads.collapsed_before(experiments)
    assert (collapsed.shown, collapsed.runs) == (3, 3)
    assert leads.mean_collapse_lead(experiments).interval.estimate == 300


def test_a_crossing_that_was_never_seen_bounds_the_mean_from_above_alone(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    found = leads.mean_cross_lead(experiments)
    # the third run goes on for 1,000 steps
    assert found.interval.estimate == pytest.approx((100 + 0 - 1_000) / 3)
    assert found.interval.lower == -math.inf and math.isfinite(found.interval.upper)
    assert "1 leads bounded" in found.interval.method


def test_a_crossing_after_grokking_is_a_negative_lead(tmp_path: Path) -> None:
    late = three()
    late[2].curves[ENTROPY] = np.where(late[2].steps >= TIMES[2] + 400, 0.5, 0.65)
    found = leads.mean_cross_lead(write(tmp_path, e1_baseline=late)).interval
    assert found.estimate == pytest.approx((100 + 0 - 400) / 3)
    assert math.isfinite(found.lower)


def test_evaluated_every_200_steps_the_same_runs_lead_by_other_times(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=three())
    shown = leads.tables(experiments)
    by_gap = [table["lead of T_collapse"].tolist() for table in shown.values()]
    # 5 evaluations are 1,000 steps then: the fall of 0.05 is seen as early as it can be
    assert by_gap == [["300"] * 3, ["200", "200", "200"]]


def test_no_run_that_groks_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun):
        leads.crossed_before(write(tmp_path, e1_baseline=[Run(0, None)]))
