"""How many pilots: the quantile over draws, and the pilots' law against laws fitted one by one."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from analysis.papers.entropy.estimates import pilots
from analysis.papers.entropy.tables import pilots as pilot_tables
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.curves import fit_power
from tests.helpers.entropy_runs import Run, claimed, write

LEVELS = (0.55, 0.58, 0.60, 0.61, 0.62, 0.66)
TIMES = (2_000, 2_300, 2_600, 2_700, 3_100, 3_600)


def six() -> list[Run]:
    made = []
    for seed, (time, level) in enumerate(zip(TIMES, LEVELS, strict=True)):
        one = Run(seed, time, at_grok=level)
        left = np.maximum(time - one.steps, 0) / 3_000
        one.curves[ENTROPY] = level + 0.2 * left**0.7
        made.append(one)
    return made


def test_the_interval_holds_95_per_cent_of_the_draws(tmp_path: Path) -> None:
    found = claimed(write(tmp_path, e1_baseline=six()), "D3").interval
    errors = sorted(
        abs(np.mean([LEVELS[i] for i in chosen]) - np.mean(np.delete(LEVELS, chosen)))
        for chosen in map(list, combinations(range(6), 3))
    )
    assert found.estimate == pytest.approx(np.mean(errors))
    assert found.upper == pytest.approx(errors[19 - 1])  # 19 of 20; they come in pairs
    assert "20 draws" in found.method


def test_the_law_of_the_pilots_forecasts_the_others() -> None:
    made = six()
    curves = [run.table("x") for run in made]
    times = np.array(TIMES, dtype=float)
    x = [curve[ENTROPY].to_numpy() for curve in curves]
    left = [time - curve["step"].to_numpy(float) for time, curve in zip(TIMES, curves, strict=True)]
    for count in (1, 2, 3):
        errors = []
        for chosen in combinations(range(6), count):
            law = fit_power([x[i] for i in chosen], [left[i] for i in chosen])
            for run in set(range(6)) - set(chosen):
                half = int(TIMES[run] / 2 // 100)
                forecast = 100 * half + float(law.remaining(x[run][half]))
                errors.append(abs(forecast - TIMES[run]) / TIMES[run])
        assert pilots.law_error(curves, times, count) == pytest.approx(np.mean(errors))


def test_the_table_has_a_row_for_each_number_of_pilots(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=[*six(), Run(9, None)])
    (table,) = pilot_tables.tables(experiments).values()
    assert table["pilot seeds"].tolist() == ["1", "2", "3", "4"]
    assert table["draws"].tolist() == ["6", "15", "20", "15"]


def test_too_few_runs_are_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="4 runs grokked"):
        claimed(write(tmp_path, e1_baseline=six()[:4]), "D3")
