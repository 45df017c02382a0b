"""E6 on made-up runs: which runs are whose, thresholds, S5 by fraction."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.arms import Runs
from analysis.papers.entropy.tables import tasks
from analysis.runs.experiments import NotRun
from analysis.times.mean_times import mean_time
from tests.helpers.entropy_runs import BUDGET, Run, beside, claimed, reading, write

ADD = [0.60, 0.62, 0.61, 0.59, 0.60]
MUL = [0.58, 0.61, 0.58, 0.57, 0.59]
SUB = [0.57, 0.57, 0.58, 0.59, 0.56]
TIMES = [1_500, 2_000, 2_600, 3_100, 1_900]


def of_task(task: str, levels: list[float], delay: int = 0) -> list[Run]:
    return [
        Run(seed, time + delay, at_grok=level, settings={"task.name": task})
        for seed, (time, level) in enumerate(zip(TIMES, levels))
    ]


def s5(fraction: float, times: list[float | None], at_grok: float = 0.65) -> list[Run]:
    settings: dict[str, object] = {"task.name": "symmetric", "task.fraction": fraction}
    return [
        Run(seed, time, at_grok=at_grok + 0.001 * seed, settings=settings, classes=120)
        for seed, time in enumerate(times)
    ]


@pytest.fixture
def experiments(tmp_path: Path) -> Runs:
    more = [Run(seed, None) for seed in range(5, 10)]  # addition's other seeds are not asked
    return write(
        tmp_path,
        e1_baseline=of_task("mod_add", ADD) + more,
        e6_universality=of_task("mod_mul", MUL, 500) + of_task("mod_sub", SUB, 700),
        e6_s5=s5(0.1, [None] * 4) + s5(0.2, [None, 2_000, 2_400, 3_000]) + s5(0.3, [1_500] * 4),
    )


def test_the_published_seeds_of_three_tasks_are_counted(experiments: Runs) -> None:
    found = claimed(experiments, "E6-grokked")
    assert (found.shown, found.runs) == (15, 15)
    assert found.tables is not None
    assert sorted(found.tables.cells["seed"].unique()) == [0, 1, 2, 3, 4]
    assert found.note == "a + b: 5 of 5; a · b: 5 of 5; a − b: 5 of 5"


def test_times_are_of_the_task(experiments: Runs) -> None:
    for criterion, delay in ((0, 500), (1, 700)):
        found = claimed(experiments, "E6-times", criterion)
        sample = np.array(TIMES) + delay
        expected = stats.ttest_1samp(sample, 0).confidence_interval()
        assert found.interval.estimate == pytest.approx(sample.mean())
        assert (found.interval.lower, found.interval.upper) == pytest.approx(tuple(expected))


def test_the_spread_reaches_as_far_as_the_interval_of_any_pair(experiments: Runs) -> None:
    found = claimed(experiments, "E6-thresholds")
    assert found.interval.estimate == pytest.approx(np.mean(ADD) - np.mean(SUB))
    pairs = [np.subtract(one, two) for one, two in ((ADD, MUL), (ADD, SUB), (MUL, SUB))]
    ends = [stats.ttest_1samp(pair, 0).confidence_interval() for pair in pairs]
    assert found.interval.upper == pytest.approx(max(max(abs(a), abs(b)) for a, b in ends))
    nearest = [0 if a < 0 < b else min(abs(a), abs(b)) for a, b in ends]
    assert found.interval.lower == pytest.approx(max(nearest))
    assert found.note == "a + b: 0.604; a · b: 0.586; a − b: 0.574"


def test_a_task_without_a_threshold_has_no_spread(tmp_path: Path) -> None:
    never = [Run(seed, None, settings={"task.name": "mod_sub"}) for seed in range(5)]
    experiments = write(
        tmp_path, e1_baseline=of_task("mod_add", ADD),
        e6_universality=of_task("mod_mul", MUL) + never,
    )  # fmt: skip
    found = claimed(experiments, "E6-thresholds").interval
    assert math.isnan(found.estimate) and math.isnan(found.lower)


def test_a_task_that_was_not_run(tmp_path: Path) -> None:
    experiments = write(
        tmp_path, e1_baseline=of_task("mod_add", ADD), e6_universality=of_task("mod_mul", MUL)
    )
    with pytest.raises(
        NotRun, match=r"subtraction: no run of e6_universality has task.name: mod_sub"
    ):
        claimed(experiments, "E6-times", 1)
    with pytest.raises(NotRun, match="arm subtraction"):
        claimed(experiments, "E6-thresholds")
    assert claimed(experiments, "E6-grokked").runs == 10


def test_s5_is_judged_at_the_published_fraction(experiments: Runs) -> None:
    found = claimed(experiments, "E6-s5")
    assert (found.shown, found.runs) == (0, 4)
    others = beside(experiments, "E6-s5").values()
    assert [(one.shown, one.runs) for one in others] == [(0, 4), (3, 4), (4, 4)]


def test_without_any_event_the_share_beyond_the_horizon_bounds_the_mean(
    experiments: Runs,
) -> None:
    found = claimed(experiments, "E6-s5", 1)
    least = stats.binomtest(4, 4).proportion_ci().low
    assert (found.interval.estimate, found.interval.upper) == (BUDGET, math.inf)
    assert found.interval.lower == pytest.approx(least * BUDGET)
    # 4 runs that all go on are as likely as 2.5 % if that share is the true one
    assert (found.interval.lower / BUDGET) ** 4 == pytest.approx(0.025)


def test_a_mean_time_with_censored_runs_is_restricted(tmp_path: Path) -> None:
    arm = write(tmp_path, e6_s5=s5(0.2, [None, 2_000, 2_400, 3_000])).arm("s5_by_fraction")
    found, note = mean_time(arm.whole("t_grok"), np.random.default_rng(0))
    assert found.estimate == pytest.approx(np.mean([BUDGET, 2_000, 2_400, 3_000]))
    assert note == "1 of 4 runs were not seen to grok: mean time up to 5,000 steps"


def test_the_threshold_of_s5_is_that_of_the_smallest_fraction_that_groks(
    experiments: Runs,
) -> None:
    found = claimed(experiments, "E6-s5-threshold")
    assert found.interval.estimate == pytest.approx(np.mean([0.651, 0.652, 0.653]))
    assert found.runs == 3
    assert found.note == "at a fraction of 0.2, the smallest at which a run groks: none does at 0.1"


def test_the_published_fraction_goes_first_where_it_groks(tmp_path: Path) -> None:
    runs = s5(0.05, [2_000] * 3, 0.7) + s5(0.1, [2_000, None, 2_000])
    experiments = write(tmp_path, e6_s5=runs)
    assert claimed(experiments, "E6-s5-threshold").interval.estimate == pytest.approx(0.651)


def test_s5_that_never_groks_has_no_threshold(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="no run groks at any fraction"):
        claimed(write(tmp_path, e6_s5=s5(0.1, [None] * 3)), "E6-s5-threshold")


def test_table_3_counts_windows_before_grokking(experiments: Runs) -> None:
    shown = tasks.tables(experiments)
    table = shown["Table 3: other tasks"].set_index("task")
    assert table["grokked"].tolist() == ["5/5"] * 3 + ["0/4", "3/4", "4/4"]
    assert table["T_collapse < T_grok"]["S5, 0.2 of the pairs"] == "3/3"
    assert table["H̃* [95 %]"]["S5, 0.1 of the pairs"] == "–"
    assert table["mean T_grok [95 %]"]["S5, 0.2 of the pairs"].endswith("to 5,000")
    differences = shown["Table 3: differences of the thresholds"]
    assert differences["tasks"].tolist() == ["a + b less a · b", "a + b less a − b",
                                            "a · b less a − b"]  # fmt: skip


def test_a_window_that_fires_with_or_after_grokking_does_not_count(tmp_path: Path) -> None:
    run = s5(0.1, [2_000])[0]
    run.curves["spectral/entropy_train"] = np.where(run.steps >= 2_000, 0.6, 0.8)
    table = tasks.tables(write(tmp_path, e6_s5=[run]))["Table 3: other tasks"]
    assert table["T_collapse < T_grok"].tolist() == ["0/1"]


def test_either_half_of_table_3_can_be_missing(experiments: Runs, tmp_path: Path) -> None:
    only_s5 = tasks.tables(write(tmp_path / "s5", e6_s5=s5(0.1, [2_000])))
    assert list(only_s5) == ["Table 3: other tasks"]
    with pytest.raises(NotRun):
        tasks.tables(reading(tmp_path / "nothing"))
