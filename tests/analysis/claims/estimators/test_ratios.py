"""Ratios of times between arms, against closed forms, on made-up runs."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.estimators import repeat_spread, slowdown
from analysis.claims.estimators.times import calibrated_lead, share_without
from analysis.runs.experiments import NotRun
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import BUDGET, Run, arm, baseline, write

BASE = [1_500, 2_000, 2_600, 3_100, 1_900, 2_200]
LATER = [2_300, 2_900, 3_000, 4_400, 2_500]


def mixing(times: list[float | None], alpha: float = 0.3) -> list[Run]:
    return arm("mixing", times, {"alpha": alpha})


def test_by_pairs_and_by_welch_as_in_scipy(tmp_path: Path) -> None:
    runs = write(tmp_path, e1_baseline=baseline(BASE), e2_mixing=mixing(LATER))
    logs, later = np.log(BASE), np.log(LATER)
    pairs = stats.ttest_rel(later, logs[:5]).confidence_interval()
    found = slowdown(runs, "mixing", by="pairs")
    np.testing.assert_allclose(
        [found.interval.estimate, found.interval.lower, found.interval.upper],
        np.exp([(later - logs[:5]).mean(), pairs.low, pairs.high]),
    )
    welch = stats.ttest_ind(later, logs, equal_var=False).confidence_interval()
    found = slowdown(runs, "mixing", by="Welch")
    np.testing.assert_allclose(
        [found.interval.lower, found.interval.upper], np.exp([welch.low, welch.high])
    )
    assert (found.scale, found.seeds, found.runs) == ("log", 5, 11)


def test_the_model_uses_all_seeds_and_all_strengths(tmp_path: Path) -> None:
    """Where a seed's runs differ by the arm alone, the ratio is that of the arms."""
    early, late = ([time * factor for time in BASE] for factor in (1.2, 1.6))
    jitter = [0, 100, -100, 0, 100, 0]
    runs = write(
        tmp_path,
        e1_baseline=baseline([*BASE, 2_400, 1_700]),
        e2_mixing=[
            run
            for alpha, times in ((0.1, early), (0.3, late))
            for run in mixing([round(t + j, -2) for t, j in zip(times, jitter)], alpha)
        ],
    )
    for alpha, ratio in ((0.1, 1.2), (0.3, 1.6)):
        found = slowdown(runs.at("intervention.alpha", alpha), "mixing").interval
        assert found.estimate == pytest.approx(ratio, rel=0.05)
        assert found.lower < ratio < found.upper
        assert found.method.startswith("mixed model")
    with pytest.raises(InputError, match=r"2 strengths: ask for each of them, by each:"):
        slowdown(runs, "mixing")


def test_an_arm_without_an_event_has_a_bound(tmp_path: Path) -> None:
    runs = write(tmp_path, e1_baseline=baseline(BASE), e2_mixing=mixing([None] * 5))
    found = slowdown(runs, "mixing").interval
    logs = np.log(BASE)
    highest = logs.mean() + stats.t.ppf(0.975, 5) * stats.sem(logs)
    assert found.upper == math.inf
    assert found.estimate == pytest.approx(BUDGET / math.exp(logs.mean()))
    assert found.lower == pytest.approx(BUDGET / math.exp(highest))
    p = stats.fisher_exact([[0, 5], [6, 0]]).pvalue
    assert f"Fisher's exact p {p:.2g}" in found.method
    without = slowdown(runs, "mixing", bound=False).interval
    assert math.isnan(without.estimate) and "not the published arm" in without.method


def test_a_baseline_without_an_event_is_waited_for(tmp_path: Path) -> None:
    runs = write(tmp_path, e1_baseline=baseline([None, None]), e2_mixing=mixing([1_500, None]))
    with pytest.raises(NotRun, match="baseline: no run had t_grok yet"):
        slowdown(runs, "mixing")


def test_few_runs_without_an_event_bound_nothing(tmp_path: Path) -> None:
    runs = write(tmp_path, e1_baseline=baseline(BASE[:2]), e2_mixing=mixing([None]))
    found = slowdown(runs, "mixing").interval
    assert (found.lower, found.upper) == (0, math.inf)  # Fisher's exact p is 1/3


def test_a_censored_run_enters_the_model_and_leaves_pairs_without_an_interval(
    tmp_path: Path,
) -> None:
    runs = write(tmp_path, e1_baseline=baseline(BASE), e2_mixing=mixing([*LATER[:4], None]))
    found = slowdown(runs, "mixing")
    dropped = write(tmp_path / "less", e1_baseline=baseline(BASE), e2_mixing=mixing(LATER[:4]))
    assert found.interval.estimate > slowdown(dropped, "mixing").interval.estimate
    assert "mixing: 1 of 5 runs did not have t_grok" in found.note
    for by in ("pairs", "Welch"):
        assert math.isnan(slowdown(runs, "mixing", by=by).interval.lower)  # type: ignore[arg-type]


def test_what_another_machine_does_to_the_same_cells(tmp_path: Path) -> None:
    again = [time + shift for time, shift in zip(BASE, (0, 300, -200, 100, -500, 0))]
    runs = write(
        tmp_path,
        e1_baseline=baseline(BASE, processor="A"),
        e1_other_machine=baseline([float(t) for t in again], processor="B"),
    )
    found = repeat_spread(runs, "baseline_again")
    assert found.interval.estimate == pytest.approx(np.std([0, 300, -200, 100, -500, 0], ddof=1))
    assert found.note == "mean difference −50"
    alone = write(tmp_path / "one", e1_baseline=baseline(BASE), e1_other_machine=baseline(BASE[:1]))
    with pytest.raises(NotRun, match="1 cells had t_grok on both machines"):
        repeat_spread(alone, "baseline_again")


def test_what_a_column_leads_by_when_its_threshold_is_set_at_the_event(tmp_path: Path) -> None:
    """Test accuracy jumps at the event: by the same construction it leads by nothing. The entropy
    falls over 500 steps to a level that differs by run."""
    levels = (0.5, 0.6, 0.62)
    runs = write(
        tmp_path,
        e1_baseline=[
            Run(seed, time, at_grok=level)
            for seed, (time, level) in enumerate(zip(BASE, levels, strict=False))
        ],
    )
    found = calibrated_lead(runs, "baseline", "test_accuracy")
    assert (found.interval.estimate, found.runs) == (0, 3)
    entropy = calibrated_lead(runs, "baseline", "spectral/entropy_train")
    assert "passed before t_grok in 1 of 3 runs; 2 runs that never passed it" in entropy.note


def test_how_often_something_early_happens_without_what_it_precedes(tmp_path: Path) -> None:
    never = Run(3, None, at_grok=0.6)
    falls = np.where(never.steps >= 1_000, 0.5, 0.8)
    runs = write(
        tmp_path,
        e1_baseline=[
            *baseline(BASE[:2]),
            Run(2, None),
            Run(3, None, curves={"spectral/entropy_train": falls}),
            Run(4, None, state="interrupted", ends=1_000),
        ],
    )
    found = share_without(runs, "baseline", "t_collapse")
    assert (found.shown, found.runs) == (1, 2)
    with pytest.raises(NotRun, match="no finished run without t_grok"):
        share_without(write(tmp_path / "all", e1_baseline=baseline(BASE)), "baseline", "t_collapse")
