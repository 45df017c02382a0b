"""The coverage that docs/statistics.md prints is that of the code, and the defaults follow it."""

import math

import pandas as pd
import pytest

from analysis.stats import bootstrap
from benchmarks import coverage
from benchmarks.coverage import FILE, cases, proportion_coverage, simulated
from docs.statistics_numbers import DEFAULTS, best

STORED = pd.read_csv(FILE).set_index(["statistic", "scenario", "method", "n"])
REPLICATIONS = 150
OF_CASE = {(case.statistic, case.scenario): case.replications for case in cases()}
CHOSEN = {  # one scenario for each statistic
    "mean": "normal",
    "median": "log-normal 0.3, budget",
    "restricted mean": "log-normal 1, budget",
    "difference of medians": "log-normal 0.3",
    "difference of restricted means": "log-normal 0.3, budget, pairs",
    "Cliff's delta": "log-normal 1, budget",
    "Cohen's d": "log-normal 0.3",
    "exponent": "log-normal 0.3, budget",
    "γ of a gap law": "entropies",
    "R² of a gap law": "entropies",
    "R² out of sample": "entropies",
    "median lag": "normal",
    "median rank correlation": "normal of Fisher's z",
}


@pytest.mark.parametrize("statistic", DEFAULTS)
def test_the_default_is_the_method_that_covers_best(statistic: str) -> None:
    assert DEFAULTS[statistic] == best(statistic)


def test_every_case_is_stored_at_every_size() -> None:
    expected = {
        (case.statistic, case.scenario, method, n)
        for case in cases()
        for method in case.methods
        for n in coverage.SIZES
    } | {("proportion", "the worst share", "Clopper–Pearson", n) for n in coverage.SIZES}
    assert set(STORED.index) == expected
    stored = STORED["replications"].drop("proportion")
    for (statistic, scenario), replications in OF_CASE.items():
        assert (stored.loc[statistic, scenario] == replications).all()


@pytest.mark.parametrize("n", coverage.SIZES)
def test_clopper_pearson_covers_at_least_its_level(n: int) -> None:
    assert proportion_coverage(n) >= 0.95
    stored = STORED.loc[("proportion", "the worst share", "Clopper–Pearson", n), "coverage"]
    assert proportion_coverage(n) == pytest.approx(stored, abs=1e-4)


def test_a_mean_of_ten_by_bca_and_by_t() -> None:
    """Known figures: BCa covers 0.91, Student's t 0.95."""
    of_ten = STORED.xs(10, level="n").loc[("mean", "normal"), "coverage"]
    assert of_ten["BCa"] == pytest.approx(0.91, abs=0.02)
    assert of_ten["t"] == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("statistic", CHOSEN)
def test_the_code_covers_as_stored(statistic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten runs an arm, other draws than the stored ones; five standard errors of both."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 500)
    case = next(c for c in cases() if (c.statistic, c.scenario) == (statistic, CHOSEN[statistic]))
    for row in simulated(case, 10, REPLICATIONS, seed=1):
        stored = STORED.loc[(statistic, case.scenario, row["method"], 10), "coverage"]
        rate = max(stored * (1 - stored), 0.01)
        error = math.sqrt(rate * (1 / REPLICATIONS + 1 / case.replications))
        assert row["coverage"] == pytest.approx(stored, abs=5 * error), row
