"""Comparisons of correlations of increments against scipy, one run at a time."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimators.increments import correlation_difference, tracking_gain
from analysis.runs.experiments import NotRun, Unmatched
from tests.helpers.entropy_runs import Run, write

COLUMNS = ("x", "y", "z")


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Walks: y moves with x, z half as much; z is known at every other evaluation. Two runs of each
    of five seeds but one."""
    made = []
    for seed, decay in [(s, d) for s in range(5) for d in (0.1, 0.3)][:-1]:
        run, draws = Run(seed, None, settings={"weight_decay": decay}), np.random.default_rng(seed)
        noise = draws.standard_normal((3, len(run.steps)))
        walks = noise + np.outer([0, decay * 10, -0.5 * (1 + seed)], noise[0])
        x, y, z = walks.cumsum(1)
        z[1::2] = np.nan
        run.curves.update(x=x, y=y, z=z, flat=np.ones(len(run.steps)))
        made.append(run)
    wrote = write(tmp_path, walks=made)
    return Runs(wrote.experiments, {"all": ArmNode("walks", "weight_decay")})


def by_run(runs: Runs, first: str, second: str) -> dict[str, float]:
    """Spearman's of increments between the evaluations at which all three are known."""
    found = {}
    for key, curve in runs.arm("all").curves().items():
        known = curve[list(COLUMNS)].dropna().to_numpy()
        steps = dict(zip(COLUMNS, np.diff(known, axis=0).T))
        found[key] = float(stats.spearmanr(steps[first], steps[second]).statistic)
    return found


def test_which_of_two_a_column_moves_with(runs: Runs) -> None:
    first, second = by_run(runs, "x", "y"), by_run(runs, "x", "z")
    each = {key: first[key] - second[key] for key in first}
    found = correlation_difference(runs, "all", "x", "y", "z")
    assert found.interval.estimate == pytest.approx(np.median(list(each.values())))
    assert found.interval.lower < found.interval.estimate < found.interval.upper
    assert (found.runs, found.seeds) == (9, 5)


def test_how_much_more_closely_than_a_rival(runs: Runs) -> None:
    """The sign does not matter: z falls where x rises, y rises with it."""
    falls, rises = by_run(runs, "z", "x"), by_run(runs, "y", "x")
    assert max(falls.values()) < 0 < np.median(list(rises.values()))
    each = [abs(falls[key]) - abs(rises[key]) for key in falls]
    found = tracking_gain(runs, "all", "z", "y", "x")
    assert found.interval.estimate == pytest.approx(np.median(each))
    found = tracking_gain(runs, "all", "y", "z", "x")
    assert found.interval.estimate == pytest.approx(-np.median(each))


def test_the_interval_is_over_seeds(runs: Runs) -> None:
    """At one strength, a run a seed: the percentile bootstrap of the median of all 5⁵ samples."""
    at = runs.at("weight_decay", 0.1)
    first, second = by_run(at, "x", "y"), by_run(at, "x", "z")
    each = np.array([first[key] - second[key] for key in first])
    samples = np.median(each[np.indices((5,) * 5).reshape(5, -1)], axis=0)
    found = correlation_difference(at, "all", "x", "y", "z").interval
    assert found.lower == pytest.approx(np.quantile(samples, 0.025), abs=1e-9)
    assert found.upper == pytest.approx(np.quantile(samples, 0.975), abs=1e-9)


def test_columns_that_are_not_there_or_do_not_vary(runs: Runs) -> None:
    with pytest.raises(Unmatched, match="no column w; nearest"):
        tracking_gain(runs, "all", "w", "y", "x")
    with pytest.raises(NotRun, match="all: x, flat, y do not vary together in any run"):
        tracking_gain(runs, "all", "x", "flat", "y")
