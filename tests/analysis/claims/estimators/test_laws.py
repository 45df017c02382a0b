"""Estimators of laws and forecasts: which runs they take, and what they refuse."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimators.laws import forecast_error, gap_law, law_row, law_table
from analysis.forecasting import gap_laws
from analysis.forecasting.predictors import Arm, Predictor
from analysis.runs.experiments import NotRun
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import Run, arm, baseline, write


def runs(folder: Path, times: list[float | None]) -> Runs:
    other = arm("mixing", [2_000, 2_500], {"alpha": 0.1})
    other += arm("mixing", [2_000, 2_500], {"alpha": 0.2})
    wrote = write(folder, e1_baseline=baseline(times), e2_mixing=other, odd=[Run(0, None)])
    arms = {"baseline": ArmNode("e1_baseline"), "both": ArmNode("e2_mixing")}
    return Runs(wrote.experiments, arms)


def test_a_law_is_of_one_arm(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="arm both: its runs must differ in the seed alone"):
        gap_law(runs(tmp_path, [2_000]), "both", "gamma")


def test_an_unknown_predictor_names_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="predictor=entrpy gap: no such predictor; valid: "):
        gap_law(
            runs(tmp_path, [2_000, 2_500]), "baseline", "gain_over_power", predictor="entrpy gap"
        )


def test_too_few_runs_are_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="a law out of sample needs two runs"):
        gap_law(runs(tmp_path, [2_000, None]), "baseline", "gain_over_power")
    with pytest.raises(NotRun, match="baseline: no run had t_grok yet"):
        gap_law(runs(tmp_path / "none", [None]), "baseline", "gamma")
    with pytest.raises(NotRun, match="baseline: t_grok: nothing to forecast from"):
        forecast_error(runs(tmp_path / "two", [2_000, 2_500]), "baseline", "last")


def test_a_share_and_a_difference_of_errors(tmp_path: Path) -> None:
    every = runs(tmp_path, [2_000, 2_400, 3_200])
    error = forecast_error(every, "baseline", "50%").interval.estimate
    share = forecast_error(every, "baseline", "50%", below=1e9)
    assert (share.shown, share.runs) == (3, 3)
    gain = forecast_error(every, "baseline", "50%", less_than="mean of the others")
    others = [abs((7_600 - time) / 2 - time) / time for time in (2_000, 2_400, 3_200)]
    assert gain.interval.estimate == pytest.approx(sum(others) / 3 - error)


def test_a_row_of_the_table_is_fitted_without_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[str] = []
    fit_law = gap_laws.fit_law

    def noted(arm: Arm, predictor: Predictor, *how: Any) -> gap_laws.Fit:
        fitted.append(predictor.name)
        return fit_law(arm, predictor, *how)

    monkeypatch.setattr(gap_laws, "fit_law", noted)
    every = runs(tmp_path, [2_000, 2_400, 3_200])
    row = law_row(every, "baseline", "t_grok", "entropy", "power")
    assert fitted == ["entropy gap", "entropy gap", "entropy"]
    pd.testing.assert_series_equal(row, law_table(every, "baseline").iloc[2])
    assert gap_law(every, "baseline", "r_squared").interval.estimate > 0


def test_a_law_that_there_is_not_names_those_that_there_are(tmp_path: Path) -> None:
    every = runs(tmp_path, [2_000, 2_400])
    with pytest.raises(
        InputError, match=r"predictor=norm: no logarithmic law; valid: entropy gap$"
    ):
        gap_law(every, "baseline", "gamma", "logarithmic", "norm")
    with pytest.raises(
        InputError, match=r"training loss gap.* train_loss: the runs did not measure"
    ):
        gap_law(every, "baseline", "gamma", predictor="training loss gap (log)")
