"""Tables made of others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.runs.combine import every, join
from tests.helpers.entropy_runs import Run, tables


def test_joined_tables_hold_each_run_once_and_all_columns(tmp_path: Path) -> None:
    runs = [Run(0, 2_000), Run(1, 2_500)]
    first = tables("x", runs, tmp_path)
    second = tables("x", [*runs[:1], Run(2, None, settings={"intervention.alpha": 0.3})], tmp_path)
    joined = join([first, second], tmp_path)
    assert sorted(joined.cells["seed"]) == [0, 1, 2]
    assert not joined.curves.duplicated(["key", "step"]).any()
    assert len(joined.curves) == sum(len(run.steps) for run in [*runs, Run(2, None)])
    assert joined.configuration == [*first.configuration, "intervention.alpha"]
    assert joined.cells["intervention.alpha"].isna().sum() == 2


def test_a_column_without_a_value_does_not_change_the_others(tmp_path: Path) -> None:
    # concatenating it would warn, and warnings are errors
    empty = tables("x", [Run(0, None, settings={"task.n": None})], tmp_path)
    words = tables("y", [Run(0, None, settings={"task.n": "five"})], tmp_path)
    assert join([empty, words], tmp_path).cells["task.n"].dropna().tolist() == ["five"]


def test_a_run_of_two_tables_is_all_of_the_first(tmp_path: Path) -> None:
    """Two machines may have trained one cell: their evaluations are not mixed."""
    here, there = (tables("x", [Run(0, 2_000)], tmp_path) for _ in range(2))
    shorter = replace(here, curves=here.curves[here.curves["step"] <= 1_000])
    assert join([shorter, there], tmp_path).curves["step"].max() == 1_000


def test_numbers_here_and_words_there_are_words(tmp_path: Path) -> None:
    one = tables("x", [Run(0, None, settings={"task.n": 5})], tmp_path)
    other = tables("y", [Run(1, None, settings={"task.n": "five"})], tmp_path)
    assert sorted(join([one, other], tmp_path).cells["task.n"]) == ["5", "five"]


def test_every_200_steps_leaves_those_evaluations(tmp_path: Path) -> None:
    fewer = every(tables("x", [Run(0, 2_100)], tmp_path), 200)
    pd.testing.assert_index_equal(
        pd.Index(fewer.curves["step"]), pd.Index(np.arange(0, 3_101, 200)), check_names=False
    )
