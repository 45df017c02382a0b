"""D1: where the rules stop by hand-made curves, and what is said of runs that they do not stop."""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.arms import Runs
from analysis.claims.estimators.laws import forecasts
from analysis.papers.entropy.estimates import stopping
from analysis.papers.entropy.estimates.stopping import ACCURACY, CROSSING, MEAN, STABLE, stops
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import BUDGET, Run, claimed, reading, write

TIMES = (2_000, 2_400, 2_600, 3_000)
AT_GROK = (0.60, 0.60, 0.60, 0.50)


def runs(**last: object) -> list[Run]:
    """The entropy falls by 0.04 (0.06 in the last run) per 100 steps and stays where it was at
    T_grok: the first three stay above the 0.567 of the others, the last one crosses its 0.6 at
    T_grok − 100."""
    every = list(zip(range(4), TIMES, AT_GROK, strict=True))
    found = [Run(seed, time, at_grok=level) for seed, time, level in every[:3]]
    return [*found, Run(3, TIMES[3], **{"at_grok": AT_GROK[3], **last})]  # type: ignore[arg-type]


def rule(experiments: Runs, name: str, column: str) -> list[float]:
    found = stops(experiments)
    return found[found["rule"] == name].sort_values("key")[column].tolist()


def test_each_rule_by_hand(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=runs())
    never = [BUDGET] * 3
    assert rule(experiments, CROSSING, "stop") == [*never, 3_000 - 100 + 1_000]
    # the fifth evaluation in a row is the one that shows it
    assert rule(experiments, ACCURACY, "stop") == [time + 400 for time in TIMES]
    others = [(sum(TIMES) - time) / 3 for time in TIMES]
    assert rule(experiments, MEAN, "stop") == pytest.approx(others)
    saved = [1 - other / BUDGET for other in others]
    assert rule(experiments, MEAN, "saved") == pytest.approx(saved)
    # chance until T_grok, 1 from then on
    lost = [0.99 if other < time else 0.0 for other, time in zip(others, TIMES, strict=True)]
    assert rule(experiments, MEAN, "lost") == pytest.approx(lost)
    assert rule(experiments, ACCURACY, "lost") == [0, 0, 0, 0]


def test_a_run_that_is_not_stopped_takes_its_budget_not_the_steps_that_we_followed(
    tmp_path: Path,
) -> None:
    experiments = write(tmp_path, e1_baseline=runs())
    assert rule(experiments, CROSSING, "saved") == pytest.approx([0, 0, 0, 1 - 3_900 / BUDGET])
    assert rule(experiments, CROSSING, "followed") == [False, False, False, True]
    found = claimed(experiments, "D1-budget")
    assert found.interval.estimate == pytest.approx((1 - 3_900 / BUDGET) / 4)
    assert "3 of 4 runs were not followed" in found.note


def test_a_run_is_not_stopped_where_it_was_followed_to_but_where_the_rule_says(
    tmp_path: Path,
) -> None:
    early = runs(ends=3_500)
    assert rule(write(tmp_path, e1_baseline=early), CROSSING, "stop")[3] == 3_900
    assert rule(reading(tmp_path), CROSSING, "lost")[3] == 0  # as far as it is known


def test_a_run_that_never_groks_counts_too(tmp_path: Path) -> None:
    """Its entropy falls, so that it is stopped, and is not there for the means of the others."""
    never = Run(4, None, budget=BUDGET)
    never.curves[ENTROPY] = np.where(never.steps >= 1_000, 0.5, 0.8)
    never.curves["test_accuracy"] = np.where(never.steps >= 4_000, 0.7, 0.1)
    experiments = write(tmp_path, e1_baseline=[*runs(), never])
    assert rule(experiments, CROSSING, "stop")[4] == 2_000
    assert rule(experiments, CROSSING, "lost")[4] == pytest.approx(0.6)
    assert rule(experiments, ACCURACY, "stop")[4] == BUDGET
    assert rule(experiments, MEAN, "stop")[4] == sum(TIMES) / 4
    assert claimed(experiments, "D1-accuracy").runs == 5


def test_a_run_that_is_not_finished_is_left_out(tmp_path: Path) -> None:
    waits = Run(4, None, state="interrupted", ends=1_000)
    experiments = write(tmp_path, e1_baseline=[*runs(), waits])
    assert claimed(experiments, "D1-accuracy").runs == 4


def test_too_few_runs_that_grok_are_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="2 runs grokked for good"):
        stops(write(tmp_path, e1_baseline=[*runs()[:2], Run(2, None)]))


def test_a_stable_forecast_names_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forecast that settles at 2,900 changes by less than 5 % first where it has been there for 5
    evaluations. What it was before it was switched on, where H̃ came near the 0.567 of the others,
    does not count: it is a constant then, whatever the run does."""
    every = runs()
    every[0].curves[ENTROPY] = np.select(
        [every[0].steps < 800, every[0].steps < TIMES[0]], [0.8, 0.66], 0.6
    )
    experiments = write(tmp_path, e1_baseline=every)
    made = forecasts(experiments, "baseline").copy()
    of_run = made["seed"] == 0
    steps = made.loc[of_run, "step"].to_numpy()
    made.loc[of_run, "law"] = np.where(steps < 1_000, 5_000.0, 2_900.0)
    made.loc[made["seed"] == 1, "law"] = np.geomspace(9_000, 3, int((made["seed"] == 1).sum()))
    monkeypatch.setattr(stopping, "forecasts", lambda *given: made)
    first, never = rule(experiments, STABLE, "stop")[:2]
    assert first == 2_900
    known, unknown = rule(experiments, STABLE, "decided")[:2]
    assert known == 1_500
    assert never == BUDGET and math.isnan(unknown)
