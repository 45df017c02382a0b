"""The entropy gap against its rivals: R² out of sample by scipy's least squares, at the evaluations
that both have; the law and its notes."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit

from analysis.claims.arms import Runs
from analysis.claims.estimators.laws import way_to
from analysis.forecasting.predictors import PREDICTORS
from analysis.papers.entropy.estimates import predictors
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, claimed, write

TIMES = (2_000, 2_600, 3_300, 4_000)
BY_NAME = {predictor.name: predictor for predictor in PREDICTORS}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 300)


def runs(noise: float = 0.01, without: slice | None = None) -> list[Run]:
    """Entropy and norm fall to 0.6 and 40 as a power of what remains, with noise of their own;
    `without`: evaluations at which the norm is not known."""
    made = []
    for seed, time in enumerate(TIMES):
        one, draws = Run(seed, time), np.random.default_rng(seed)
        left = np.maximum(time - one.steps, 0) / 4_000
        one.curves[ENTROPY] = 0.6 + 0.2 * left**0.6 + draws.normal(0, noise, len(left))
        one.curves["weight_norm"] = 40 + 10 * left**0.6 + draws.normal(0, 1, len(left))
        if without:
            one.curves["weight_norm"][without] = math.nan
        made.append(one)
    return made


def held_out_r_squared(of: list[Run], column: str, skipped: int = 0) -> float:
    """Of the power law in a column's gap, each run by the others, without the first evaluations."""
    x = [run.curves[column][run.steps <= time] for run, time in zip(of, TIMES, strict=True)]
    left = [time - run.steps[run.steps <= time] for run, time in zip(of, TIMES, strict=True)]
    squares, total = 0.0, 0.0
    for out in range(len(of)):
        others = [index for index in range(len(of)) if index != out]
        level = np.mean([x[other][-1] for other in others])
        fitted = np.concatenate([x[other][skipped:-1] for other in others])
        target = np.concatenate([left[other][skipped:-1] for other in others])

        def law(values: np.ndarray, c1: float, gamma: float, c2: float) -> np.ndarray:
            gap = np.maximum(values - level, 0) / np.maximum(fitted - level, 0).max()  # noqa: B023
            return c1 * gap**gamma + c2

        bounds = ([0, 0.05, -np.inf], [np.inf, 10, np.inf])
        found, _ = curve_fit(law, fitted, target, p0=(4_000, 1.5, 0), bounds=bounds)
        seen, truth = x[out][skipped:-1], left[out][skipped:-1]
        squares += float(((truth - law(np.minimum(seen, 9e9), *found)) ** 2).sum())
        total += float(((truth - target.mean()) ** 2).sum())
    return 1 - squares / total


def gain(experiments: Runs, name: str) -> float:
    arm = way_to(experiments, "baseline")
    return predictors.gain(arm, BY_NAME[name], np.random.default_rng(0)).estimate


def test_the_gain_by_scipy(tmp_path: Path) -> None:
    made = runs()
    expected = held_out_r_squared(made, ENTROPY) - held_out_r_squared(made, "weight_norm")
    found = gain(write(tmp_path, e1_baseline=made), "norm gap")
    assert found == pytest.approx(expected, abs=2e-3)
    assert found > 0.05  # the norm has five times the noise


def test_a_rival_that_is_not_known_everywhere_is_met_where_it_is(tmp_path: Path) -> None:
    """Both are scored at the same evaluations, though the entropy's law knows them all."""
    alike = write(tmp_path / "all", e1_baseline=runs())
    fewer = write(tmp_path / "fewer", e1_baseline=runs(without=slice(0, 6)))
    arm = way_to(fewer, "baseline")
    names = [name for name, one in BY_NAME.items() if one.column not in (ENTROPY, None)]
    assert len(arm.pool(BY_NAME["norm gap"], np.random.default_rng(0)).x) == sum(TIMES) // 100 - 24
    assert gain(fewer, "norm gap") != gain(alike, "norm gap")
    note = claimed(fewer, "E4-rivals").note
    measured = [name for name in names if BY_NAME[name].column == "weight_norm"]
    assert "rate of norm" in measured
    for name in measured:
        assert math.isfinite(gain(fewer, name))
    # RNC1 and κ are there too, and constant
    assert "the best rival, of 6, is:" in note


def test_the_lower_end_is_the_least_of_all_rivals(tmp_path: Path) -> None:
    """Better than every rival is better than each."""
    experiments = write(tmp_path, e1_baseline=runs(noise=0.03))
    arm, found = way_to(experiments, "baseline"), claimed(experiments, "E4-rivals").interval
    gains = [
        predictors.gain(arm, BY_NAME[name], np.random.default_rng(0))
        for name in ("norm", "norm gap", "1/norm", "rate of norm", "RNC1 gap (log)", "κ gap (log)")
    ]
    assert found.estimate == min(one.estimate for one in gains)
    assert found.lower == min(one.lower for one in gains)


def test_the_exponent_is_found_again_and_a_run_that_never_groks_is_told(tmp_path: Path) -> None:
    made = [*runs(noise=1e-4), Run(9, None)]
    found = claimed(write(tmp_path, e1_baseline=made), "E5-exponent")
    assert found.interval.estimate == pytest.approx(1 / 0.6, rel=0.02)
    assert found.runs == 4 and "1 of 5 runs did not have the event" in found.note


def test_no_run_that_groks_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun):
        claimed(write(tmp_path, e1_baseline=[Run(0, None)]), "E4-rivals")
