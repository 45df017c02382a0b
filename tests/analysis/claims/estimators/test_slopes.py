"""Slopes on logarithmic axes against laws that the runs were made by, numpy and scipy."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimators.slopes import exponent, joint_exponent, log_slope
from analysis.runs.experiments import NotRun, Unmatched
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import Run, write

DECAYS, RATES, SEEDS = (0.05, 0.1, 0.2, 0.4), (1.0, 2.0, 4.0), range(3)


def all_of(folder: Path, runs: list[Run], by: str | None = None) -> Runs:
    experiments = write(folder, grid=runs).experiments
    return Runs(experiments, {"all": ArmNode("grid", by)})


def decaying(seed: int, decay: float, time: float | None, **values: object) -> Run:
    settings = {"weight_decay": decay, **values}
    return Run(seed, time, budget=9_000, settings=settings)


def shifted(seed: int, decay: float, more: float = 0) -> Run:
    """400/λ, seen at evaluations 100 steps apart, with a scatter."""
    return decaying(seed, decay, round(400 / decay, -2) + 100 * (seed - 1) + more)


def test_an_exponent_is_found_again_without_the_runs_that_have_no_logarithm(tmp_path: Path) -> None:
    grid = [shifted(seed, decay) for decay in DECAYS for seed in SEEDS]
    every = all_of(tmp_path, [*grid, *(decaying(seed, 0.0, None) for seed in SEEDS)])
    found = exponent(every, "all", "weight_decay")
    assert found.interval.estimate == pytest.approx(1, abs=0.1)
    assert found.interval.lower < 1 < found.interval.upper
    assert (found.runs, found.seeds) == (12, 3)
    said = "3 of 15 runs are left out: weight_decay=0 has no logarithm"
    assert found.note == f"12 of 12 runs had t_grok; {said}"
    with pytest.raises(Unmatched, match="no column weight_dcay; nearest: weight_decay"):
        exponent(every, "all", "weight_dcay")


def test_runs_that_allow_no_fit_have_no_exponent_and_a_reason(tmp_path: Path) -> None:
    never = [decaying(seed, decay, None) for decay in DECAYS for seed in SEEDS]
    for runs, why in (
        (never, "t_grok: observed in 0 of 12 runs; nothing to fit"),
        ([shifted(seed, 0.1) for seed in SEEDS], "weight_decay=0.1 in all runs: needs two values"),
        ([decaying(seed, 0.0, 900) for seed in SEEDS], "weight_decay: not positive in any run"),
    ):
        found = exponent(all_of(tmp_path / why[:12], runs), "all", "weight_decay").interval
        assert math.isnan(found.estimate) and math.isnan(found.lower)
        assert found.method.startswith(f"none: {why}")


def test_two_exponents_are_told_apart_where_the_grid_is_not_balanced(tmp_path: Path) -> None:
    """τ = 200/(λ √η); high rates at high decays alone would blame one for the other."""
    grid = [
        decaying(s, d, round(200 / d / math.sqrt(r), -2) + 100 * (s - 1), lr=r)
        for d in DECAYS for r in RATES for s in SEEDS if d * r < 1
    ]  # fmt: skip
    every = all_of(tmp_path, grid)
    for against, given, true in (("weight_decay", "lr", 1), ("lr", "weight_decay", 0.5)):
        found = joint_exponent(every, "all", against, given).interval
        assert found.lower < true < found.upper and found.upper - found.lower < 0.4
    with pytest.raises(InputError, match="against=lr, given=lr: must be different columns"):
        joint_exponent(every, "all", "lr", "lr")


def gapped(folder: Path, gap_of: dict[int, float], **more: Run) -> Runs:
    """The gap of columns a and b falls with the size; at other evaluations it is another."""
    grid = []
    for size, gap in gap_of.items():
        for seed in SEEDS:
            run = Run(seed, None, settings={"train_size": size})
            b = np.linspace(0.1, 0.3, len(run.steps))
            a = b + 5.0
            a[-2:] = b[-2:] + gap * (1 + 0.1 * seed * (size / 400))
            a[-1] = math.nan  # the last evaluation at which both are known counts
            run.curves.update(a=a, b=b)
            grid.append(run)
    return all_of(folder, [*grid, *more.values()])


def test_a_slope_is_that_of_the_mean_gaps_and_leaves_out_seeds(tmp_path: Path) -> None:
    gaps = {400: 0.9, 1600: 0.4, 6400: 0.3}
    table = np.array([[gap * (1 + 0.1 * seed * (size / 400)) for size, gap in gaps.items()]
                      for seed in SEEDS])  # fmt: skip

    def slope(kept: np.ndarray) -> float:
        return stats.linregress(np.log([*gaps]), np.log(kept.mean(0))).slope

    left_out = np.array([slope(np.delete(table, seed, 0)) for seed in SEEDS])
    error = math.sqrt(2 / 3 * ((left_out - left_out.mean()) ** 2).sum())
    half = stats.t.ppf(0.975, 2) * error
    unfinished = Run(0, None, state="running", settings={"train_size": 999})
    unfinished.curves.update(a=np.ones(51), b=np.zeros(51))
    found = log_slope(gapped(tmp_path, gaps, late=unfinished), "all", "a", "b", "train_size")
    whole = slope(table)
    assert found.interval.estimate == pytest.approx(whole)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (whole - half, whole + half)
    )
    assert (found.runs, found.seeds, found.note) == (9, 3, "1 of 10 runs are not finished")


def test_a_gap_that_is_not_positive_has_no_slope(tmp_path: Path) -> None:
    every = gapped(tmp_path, {400: 0.9, 1600: -0.4})
    found = log_slope(every, "all", "a", "b", "train_size").interval
    assert math.isnan(found.estimate)
    assert found.method == "none: the mean difference is not positive at train_size = 1600"
    with pytest.raises(Unmatched, match="no column c; nearest"):
        log_slope(every, "all", "c", "b", "train_size")
    one = gapped(tmp_path / "one", {400: 0.9})
    with pytest.raises(NotRun, match="all: finished runs at 1 values of train_size"):
        log_slope(one, "all", "a", "b", "train_size")
