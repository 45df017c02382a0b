"""E9: which runs count, and that each counts once."""

from pathlib import Path

import numpy as np
import pytest

from analysis.papers.entropy.tables import necessity
from analysis.runs.combine import join
from analysis.stats import effects
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, arm, baseline, claimed, write

BASE = baseline([2_000, 2_400, 3_000], at_grok=0.6)


def test_the_entropy_must_have_crossed_by_t_grok_and_may_return(tmp_path: Path) -> None:
    early, at, late, never = arm("mixing", [2_000, 2_100, 2_200, 2_300], {"alpha": 0.1})
    early.curves[ENTROPY] = np.where(early.steps == 1_500, 0.59, 0.75)
    at.curves[ENTROPY] = np.where(at.steps >= 2_100, 0.6, 0.75)
    late.curves[ENTROPY] = np.where(late.steps >= 2_300, 0.5, 0.75)
    never.curves[ENTROPY] = np.full(len(never.steps), 0.75)
    experiments = write(tmp_path, e1_baseline=BASE, e2_mixing=[early, at, late, never])
    found = claimed(experiments, "E9")
    assert (found.shown, found.runs) == (2, 4)
    assert found.interval == effects.proportion(2, 4)
    assert "of the other arms' runs 1 of 4 earlier" in found.note
    assert "of which 3 of 3 have crossed it by T_grok and 0 at an earlier" in found.note


def test_arms_of_several_experiments_count_once_and_the_baseline_not_at_all(
    tmp_path: Path,
) -> None:
    mixed = arm("mixing", [2_000, 2_400, None], {"alpha": 0.1}, at_grok=0.55)
    failures = [Run(seed, 4_000, settings={"weight_decay": 0.1}, at_grok=0.7) for seed in range(2)]
    experiments = write(tmp_path, e1_baseline=BASE, e2_mixing=mixed, d2_failures=failures)
    # the baseline's cells are asked for by every experiment that needs them
    cells = experiments.tables("e2_mixing").cells
    shared = experiments.tables("e1_baseline")
    tables = join([experiments.tables("e2_mixing"), shared], tmp_path)
    experiments.experiments.read["e2_mixing"] = tables
    experiments.experiments.read["e2_noise"] = tables
    assert len(tables.cells) == len(cells) + 3
    found = claimed(experiments, "E9")
    assert (found.shown, found.runs) == (2, 4)
    assert found.tables is not None and len(found.tables.cells) == 4


def test_the_table_has_a_row_for_each_arm_beside_the_baseline(tmp_path: Path) -> None:
    arms = [
        *arm("mixing", [2_000, 2_400], {"alpha": 0.1}, at_grok=0.5),
        *arm("mixing", [2_000, None], {"alpha": 0.5}, at_grok=0.7),
    ]
    experiments = write(tmp_path, e1_baseline=BASE, e2_mixing=arms)
    (table,) = necessity.tables(experiments).values()
    assert table["runs"].tolist() == ["baseline", "mixing alpha 0.1", "mixing alpha 0.5"]
    assert table["grokked"].tolist() == ["3/3", "2/2", "1/2"]
    crossed = [words.split()[0] for words in table["crossed H̃* by T_grok [95 %]"]]
    assert crossed[1:] == ["2/2", "0/1"]
    assert table["at an earlier evaluation"].tolist()[1:] == ["2/2", "0/1"]
    assert table["highest"].tolist()[1:] == ["0.500", "0.700"]


def test_level_is_the_baselines_mean(tmp_path: Path) -> None:
    base = [Run(0, 2_000, at_grok=0.5), Run(1, 2_000, at_grok=0.7), Run(2, None)]
    one = arm("noise", [2_000], {"alpha": 0.1}, at_grok=0.61)
    found = claimed(write(tmp_path, e1_baseline=base, e2_noise=one), "E9")
    assert found.shown == 0 and "H̃* (mean) = 0.600" in found.note
    assert found.interval.upper == pytest.approx(0.975)  # none of one: 1 − 0.025
