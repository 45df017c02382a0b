"""What version 2 of the paper adds, on curves with known answers: alignment beside the entropy, the
entropy after grokking, shares of evaluations by phase, residuals, and seven predictors."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims import judge
from analysis.claims.arms import Runs
from analysis.claims.estimators import mean_lead
from analysis.claims.estimators.laws import way_to
from analysis.forecasting.predictors import PREDICTORS
from analysis.papers.entropy.estimates import (
    after_grokking,
    alignment,
    networks,
    predictors,
    residuals,
)
from analysis.papers.entropy.tables import seven_predictors
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import PAPER, Run, claimed, write

PUBLISHED = alignment.PUBLISHED
TIMES = (2_000, 2_600, 3_300, 4_000)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 300)


def path_of(x: np.ndarray) -> np.ndarray:
    return 0.65 - 0.5 * (x - 0.6) / 0.2


def runs(along: str = "entropy", noise: float = 0.0) -> list[Run]:
    """H̃ falls on a line from 0.8 to 0.6 at grokking, at every time; alignment follows it, or the
    step alone."""
    made = []
    for seed, time in enumerate(TIMES):
        one, draws = Run(seed, time), np.random.default_rng(seed)
        entropy = 0.8 - 0.2 * np.minimum(one.steps / time, 1)
        x = entropy if along == "entropy" else 0.8 - 0.2 * one.steps / 5_000
        one.curves[ENTROPY] = entropy
        one.curves[PUBLISHED] = path_of(x) + draws.normal(0, noise, len(x))
        made.append(one)
    return made


def test_a_correlation_is_pearsons_until_grokking(tmp_path: Path) -> None:
    made = runs(noise=0.1)
    expected = [
        stats.pearsonr(
            one.curves[ENTROPY][one.steps <= time], one.curves[PUBLISHED][one.steps <= time]
        ).statistic
        for one, time in zip(made, TIMES, strict=True)
    ]
    experiments = write(tmp_path, e1_baseline=made)
    assert claimed(experiments, "E10-size").interval.estimate == pytest.approx(np.mean(expected))
    made[0].curves[PUBLISHED] = 1 - made[0].curves[PUBLISHED]
    found = claimed(write(tmp_path / "other", e1_baseline=made), "E10")
    assert (found.shown, found.runs) == (3, 4)


def test_no_correlation_of_what_does_not_vary_or_is_short() -> None:
    curve = pd.DataFrame({ENTROPY: [0.8, 0.7, 0.6, 0.5], PUBLISHED: 0.1})
    assert math.isnan(alignment.entropy_alignment_correlation(curve))
    assert alignment.anti_correlated(curve) is None
    curve[PUBLISHED] = [0.1, 0.2, 0.3, math.nan]
    assert math.isnan(alignment.entropy_alignment_correlation(curve))
    assert math.isnan(alignment.entropy_regression_correlation(curve))  # was not measured
    assert math.isnan(alignment.alignment_over_noise(curve[[ENTROPY]]))


@pytest.mark.parametrize(("samples", "p"), [(512, 97), (336, 41)])
def test_the_noise_is_that_of_random_scores(samples: int, p: int) -> None:
    draws = np.random.default_rng(0)
    waves = np.cos(2 * np.pi * np.outer(np.arange(1, p // 2 + 1), np.arange(p)) / p)
    largest = []
    for _ in range(300):
        score, seen = draws.normal(size=samples), waves[:, draws.integers(p, size=samples)]
        centred = seen - seen.mean(1, keepdims=True)
        score -= score.mean()
        r = centred @ score / np.linalg.norm(centred, axis=1) / np.linalg.norm(score)
        largest.append(np.abs(r).max())
    assert alignment.noise(samples, p // 2) == pytest.approx(np.mean(largest), rel=0.03)


def test_an_alignment_is_a_multiple_of_the_noise_of_its_probe() -> None:
    curve = pd.DataFrame({PUBLISHED: [0.1, math.nan, 0.3], "task.p": 41, "task.fraction": 0.2})
    noise = alignment.noise(336, 20)
    assert alignment.alignment_over_noise(curve) == pytest.approx(0.3 / noise)
    assert alignment.mean_alignment_over_noise(curve) == pytest.approx(0.2 / noise)
    larger = curve.assign(**{"task.p": 97})  # 1,881 samples, of which 512 are probed
    assert alignment.alignment_over_noise(larger) == pytest.approx(0.3 / alignment.noise(512, 48))


def test_a_path_is_followed_by_the_means_of_the_others() -> None:
    x = np.array([0.0, 1, 2, 3, 0, 1, 2, 3, 9])
    y = np.array([0.0, 0, 5, 5, 2, 2, 7, 7, 8])
    run = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    found = alignment.followed(x, y, run, bins=2)
    # the median of the others' x, as one of them, parts each pair of bins
    expected = []
    for one in range(3):
        others = x[run != one]
        edge = np.quantile(others, 0.5, method="lower")
        for value in x[run == one]:
            same = (others >= edge) == (value >= edge)
            expected.append(y[run != one][same].mean())
    assert found == pytest.approx(expected)
    assert np.isnan(alignment.followed(x[:4], y[:4], run[:4])).all()
    tied = alignment.followed(np.zeros(4), y[:4], np.array([0, 0, 1, 1]))
    assert tied.tolist() == [5, 5, 0, 0]


def test_one_path_along_the_entropy_or_along_the_clock(tmp_path: Path) -> None:
    one = write(tmp_path / "one", e1_baseline=runs())
    assert claimed(one, "E10-path").interval.estimate > 0.98
    assert claimed(one, "E10-clock").interval.lower > 0
    assert "2.0 times as long" in claimed(one, "E10-path").note
    other = write(tmp_path / "other", e1_baseline=runs("clock"))
    along_clock = alignment.path_r_squared(other, "clock").interval.estimate
    assert along_clock > claimed(other, "E10-path").interval.estimate + 0.1
    gain = claimed(other, "E10-clock").interval
    assert gain.estimate == pytest.approx(
        claimed(other, "E10-path").interval.estimate - along_clock
    )
    assert gain.estimate < -0.1
    with pytest.raises(NotRun, match="no column fourier_paper/alignment"):
        alignment.path_gain(write(tmp_path / "without", e1_baseline=[Run(0, 2_000)]))
    with pytest.raises(NotRun):
        alignment.path_gain(write(tmp_path / "never", e1_baseline=[Run(0, None)]))


def after(rate: float, followed: float = 5_000, **columns: np.ndarray) -> pd.DataFrame:
    """H̃ is 0.6 until step 2,000, where the run groks, and then falls by `rate` in 1,000 steps."""
    step = np.arange(0, 2_001 + followed, 100)
    entropy = 0.6 - rate * np.maximum(step - 2_000, 0) / 1_000
    accuracy = np.where(step >= 2_000, 1.0, 0.1)
    return pd.DataFrame({"step": step, ENTROPY: entropy, "test_accuracy": accuracy, **columns})


def test_slope_and_gap_after_grokking_by_hand() -> None:
    found = after(0.03)
    assert after_grokking.slope_after_grokking(found) == pytest.approx(-0.03)
    assert after_grokking.slope_before_grokking(found) == pytest.approx(0, abs=1e-12)
    assert after_grokking.gap_after_grokking(found) == pytest.approx(0.033)
    assert after_grokking.gap_at_the_end(found) == pytest.approx(0.15)
    assert after_grokking.falls_after_grokking(found) is True
    assert after_grokking.falls_after_grokking(after(-0.03)) is False
    turns = after(0.03)
    late = turns["step"] > 3_100  # rises again, after the window
    turns.loc[late, ENTROPY] = 0.567 + 0.05 * (turns["step"] - 3_100) / 1_000
    assert after_grokking.slope_after_grokking(turns) == pytest.approx(-0.03)
    assert after_grokking.falls_after_grokking(turns) is True
    assert after_grokking.falls_to_the_end(turns) is False
    assert after_grokking.no_rebound(turns) is True
    assert after_grokking.no_rebound_to_the_end(turns) is False


FUNCTIONS = [
    after_grokking.slope_after_grokking, after_grokking.gap_after_grokking,
    after_grokking.falls_after_grokking, after_grokking.no_rebound,
]  # fmt: skip


@pytest.mark.parametrize("of", FUNCTIONS)
def test_a_run_that_was_not_followed_so_far_has_no_number(of: Callable) -> None:
    never = after(0.03).assign(test_accuracy=0.1)
    for curve in (after(0.03, followed=1_000), never):
        assert of(curve) is None or math.isnan(of(curve))
    assert of(after(0.03, followed=1_100)) is not None


def test_shares_of_evaluations_by_phase(tmp_path: Path) -> None:
    """Runs memorise at 200: two evaluations of phase I, the rest until T_grok, then as asked."""
    experiments = write(tmp_path, e1_baseline=[*map(Run, range(2), (1_000, 3_000)), Run(2, None)])
    counts = np.array([[2, 8, 11], [2, 28, 11]])  # followed for 1,000 steps
    shares = [claimed(experiments, "E12", phase) for phase in range(3)]
    found = [share.interval.estimate for share in shares]
    assert found == pytest.approx(list(counts.sum(0) / counts.sum()))
    assert [share.runs for share in shares] == [2, 2, 2]
    short = after_grokking.share_in_phase_3(experiments, after=0)
    assert short.note == "phase III has 2 of 42 evaluations"
    forgets = Run(0, 1_000)
    forgets.curves["train_accuracy"] = np.where(forgets.steps == 500, 0.9, forgets.steps >= 200)
    found = claimed(write(tmp_path / "other", e1_baseline=[forgets, Run(1, 1_000)]), "E12")
    assert found.note == (
        "phase I has 5 of 42 evaluations, 4 of them before training accuracy first is 0.95"
    )


def test_residuals_by_hand(tmp_path: Path) -> None:
    made = runs()
    experiments = write(tmp_path, e1_baseline=made)
    left = np.concatenate([time - np.arange(0, time, 100) for time in TIMES])
    gap = np.concatenate([0.2 * (1 - np.arange(0, time, 100) / time) for time in TIMES])
    # as H̃ falls on lines of several slopes, the best power of the gap is by a search
    squares = []
    for gamma in np.linspace(0.5, 2, 301):
        design = np.stack([gap**gamma, np.ones_like(gap)], -1)
        fitted = design @ np.linalg.lstsq(design, left, rcond=None)[0]
        squares.append(((left - fitted) ** 2).mean())
    found = residuals.residual_spread(experiments)
    assert found.interval.estimate == pytest.approx(math.sqrt(min(squares)), rel=1e-3)
    # the mean of the others is off by (the sum less four times a run's own time)/3 at every step
    off = [abs(sum(TIMES) - 4 * time) / 3 for time in TIMES]
    within = math.floor(sorted(off)[1])
    covered = residuals.coverage(experiments, within, "mean of the others").interval.estimate
    assert covered == np.mean([one <= within for one in off])
    assert residuals.coverage(experiments, 100_000).interval.estimate == 1
    long = residuals.forecasts(experiments, "baseline")
    errors = (long["law"] - long["truth"]).abs()
    for of, unit in (("time", long["truth"]), ("time left", long["truth"] - long["step"])):
        found = residuals.relative_error(experiments, of)
        assert found.interval.estimate == pytest.approx(np.median(errors / unit))


def test_the_seven_predictors(tmp_path: Path) -> None:
    """The gap's law is exact where all runs take equally long; noise is worse than a constant."""
    made = runs()
    for one in made:
        one.curves["train_accuracy"] = np.where(one.steps >= 500, 1.0, 0.2)
        one.curves["weight_norm"] = np.random.default_rng(one.seed).uniform(40, 60, len(one.steps))
    experiments = write(tmp_path, e1_baseline=made)
    found = {
        name.name: predictors.r_squared_out_of_sample(experiments, name.name).interval.estimate
        for name in predictors.SEVEN
    }
    assert len(found) == 7 and max(found, key=found.__getitem__) in ("entropy gap", "entropy")
    assert found["speed of norm"] < 0 < found["entropy gap"]
    law = claimed(experiments, "E4v2")
    assert law.interval.estimate == found["entropy gap"]
    assert law.note == f"{sum(TIMES) // 100:,} evaluations"
    # the same law as that of version 1's table
    gain = predictors.gain(way_to(experiments, "baseline"), PREDICTORS[2], np.random.default_rng(0))
    assert gain.estimate == pytest.approx(found["entropy gap"] - found["norm"])
    best = claimed(experiments, "E4v2-rivals")
    assert best.note == "the best rival, of 6, is: entropy"
    with pytest.raises(InputError, match="predictor=speed: no such predictor; valid: entropy gap"):
        predictors.r_squared_out_of_sample(experiments, "speed")


def test_the_table_of_the_seven(tmp_path: Path) -> None:
    (table,) = seven_predictors.tables(write(tmp_path, e1_baseline=runs())).values()
    assert table["predictor"].tolist() == [one.name for one in predictors.SEVEN]
    assert table["of"][0] == f"{sum(TIMES) // 100:,} evaluations"
    assert table["of"][5] == f"{sum(TIMES) // 100 - 5 * len(TIMES):,} evaluations"


def test_speeds_and_shortfalls() -> None:
    steps = np.arange(0, 1_000, 100.0)
    speeds = predictors.speed(steps, -2 * steps)
    assert np.isnan(speeds[:5]).all() and speeds[5:].tolist() == [2] * 5
    assert predictors.shortfall(steps, np.array([0.25, 1])).tolist() == [0.75, 0]


def test_a_relative_lead_is_a_share_of_the_time(tmp_path: Path) -> None:
    """H̃ of both is at the other's level at T_grok: they cross there; memorised at 200."""
    experiments = write(tmp_path, e1_baseline=[Run(0, 1_000), Run(1, 2_000)])
    assert claimed(experiments, "D1v2").interval.estimate == 0
    found = mean_lead(experiments, "baseline", "t_mem", relative=True)  # type: ignore[arg-type]
    assert found.interval.estimate == pytest.approx((0.8 + 0.9) / 2)
    assert found.note == "runs from 0.80 to 0.90"


def test_the_lead_modulo_41_is_at_the_nearest_fraction_that_groks(tmp_path: Path) -> None:
    def one(seed: int, fraction: float, groks: float | None, at: float = 0.6) -> Run:
        settings: dict[str, object] = {"arch.name": "transformer", "task.fraction": fraction}
        return Run(seed, groks, at_grok=at, settings=settings)

    made = [
        one(0, 0.2, None), one(0, 0.35, 2_000, 0.56), one(1, 0.35, 2_000, 0.64),
        one(0, 0.5, 1_000),
    ]  # fmt: skip
    found = networks.lead_after_crossing(write(tmp_path, e7_mlp=made))
    assert found.note.startswith("at a fraction of 0.35, where 2 of 2 grok")
    # the first has the other's 0.64 at 1,834, seen at 1,900; the second never has 0.56
    assert found.interval.estimate == (100 - 1_000) / 2
    assert found.interval.lower == -math.inf
    with pytest.raises(NotRun, match="no Transformer groks"):
        networks.lead_after_crossing(write(tmp_path / "never", e7_mlp=made[:1]))


def test_version_2_is_judged_by_rules_of_its_own_date() -> None:
    later = [claim for claim in PAPER.claims if claim.version == 2]
    assert {claim.id for claim in later} == {
        claim.id
        for claim in PAPER.claims
        if "v2" in claim.id or claim.id[:3] in ("E10", "E11", "E12")
    }
    assert {claim.written for claim in later} == {"2026-11-28"}
    assert not any(claim.written for claim in PAPER.claims if claim.version == 1)


def test_s5_is_asked_at_the_published_fraction_alone(tmp_path: Path) -> None:
    s5 = {"task.name": "symmetric", "task.fraction": 0.3}
    made = [Run(seed, 2_000, settings=s5) for seed in range(3)]
    made += [replace(one, groks=None, settings={**s5, "task.fraction": 0.1}) for one in made]
    experiments: Runs = write(tmp_path, e6_s5=made)
    (claim,) = (claim for claim in PAPER.claims if claim.id == "E6v2")
    (judged,) = judge.judge([claim], experiments)
    assert judged.verdict == judge.PREMISE
