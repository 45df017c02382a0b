"""E5's numbers from forecasts that are known beforehand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.claims.arms import Runs
from analysis.claims.estimators import laws
from analysis.papers.entropy.tables import laws as law_tables
from tests.helpers.entropy_runs import Run, claimed, write

TIMES = (2_000, 2_400, 3_200)


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The law of seed s is late by 30 % until a quarter, a half, three quarters of the time has
    passed, then by 10 %, and by s % at the last evaluation."""
    runs = [Run(seed, time) for seed, time in enumerate(TIMES)]
    experiments = write(tmp_path, e1_baseline=runs)
    made = laws.forecasts(experiments, "baseline").copy()
    for seed, time in enumerate(TIMES):
        of_run = made["seed"] == seed
        step = made.loc[of_run, "step"].to_numpy()
        wrong = np.where(step <= (seed + 1) / 4 * time, 0.3, 0.1)
        wrong[-1] = seed / 100
        made.loc[of_run, "law"] = time * (1 + wrong)
    monkeypatch.setattr(laws, "forecasts", lambda *given: made)
    monkeypatch.setattr(law_tables, "forecasts", lambda *given: made)
    return experiments


def test_the_error_at_the_last_evaluation(experiments: Runs) -> None:
    found = claimed(experiments, "E5-error")
    assert found.interval.estimate == pytest.approx(0.01)
    now = np.mean([100 / time for time in TIMES])
    assert f"“now” errs by {now:.1%}" in found.note
    below = claimed(experiments, "E5-error", 1)
    assert (below.shown, below.runs) == (3, 3) and "2.0%" in below.note


def test_the_gain_half_way_over_the_mean_of_the_others(experiments: Runs) -> None:
    others = [(sum(TIMES) - time) / 2 for time in TIMES]
    errors = [abs(other - time) / time for other, time in zip(others, TIMES, strict=True)]
    gain = np.array(errors) - [0.1, 0.3, 0.3]
    found = claimed(experiments, "E5-useful")
    assert found.interval.estimate == pytest.approx(gain.mean())


def test_the_lead_is_counted_from_where_the_error_stays_small(experiments: Runs) -> None:
    # a quarter of 2,000 ends at 500, half of 2,400 at 1,200, three quarters of 3,200 at 2,400
    leads = [2_000 - 600, 2_400 - 1_300, 3_200 - 2_500]
    found = claimed(experiments, "E5-warning")
    assert found.interval.estimate == pytest.approx(np.mean(leads))


def test_both_tables_are_there(experiments: Runs) -> None:
    _, errors, held = law_tables.tables(experiments).values()
    assert "error at the last evaluation" in set(errors["quantity"])
    assert isinstance(held, pd.DataFrame) and held["interval"].tolist() == ["50%", "80%", "95%"]
