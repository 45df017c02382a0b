"""The two tables of a folder: what is read of them, and what is left out."""

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.runs import gather, tables
from analysis.runs.rows import CELL_COLUMNS
from grokpipe.errors import InputError
from tests.helpers.made_runs import STEPS


@pytest.fixture
def stored(runs: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "stored"
    tables.write_gathered(gather.read(runs), folder)
    return folder


def test_only_the_measures_that_are_asked_for_are_read(stored: Path) -> None:
    whole = tables.read_gathered(stored)
    part = tables.read_gathered(stored, ["test_accuracy", "no such"])
    assert_frame_equal(part.curves, whole.curves[["key", "step", "test_accuracy"]])
    assert_frame_equal(part.cells, whole.cells)


def test_sorted_whatever_the_order_on_disk(stored: Path) -> None:
    whole = tables.read_gathered(stored)
    for name in ("curves", "cells"):
        path = stored / f"{name}.parquet"
        pd.read_parquet(path).sample(frac=1, random_state=0).to_parquet(path, index=False)
    again = tables.read_gathered(stored)
    assert_frame_equal(again.curves, whole.curves)
    assert_frame_equal(again.cells, whole.cells)


def test_configuration_and_measures_are_told_apart(stored: Path) -> None:
    whole = tables.read_gathered(stored)
    assert list(whole.cells) == CELL_COLUMNS + whole.configuration
    assert {"seed", "weight_decay", "task.train_size"} <= {*whole.configuration}
    assert tables.measure_names(stored) == [
        "train_accuracy", "test_accuracy", "collapse/rnc1", "collapse/nc2_cond",
    ]  # fmt: skip
    size = (6 * len(STEPS), len(whole.curves.columns))
    assert tables.table_size(stored, "curves.parquet") == size


def test_the_rows_of_some_cells(stored: Path) -> None:
    whole = tables.read_gathered(stored)
    keys = whole.cells["key"][[0, 3]]
    some = whole.only(keys)
    assert some.cells["key"].tolist() == keys.tolist()
    assert len(some.curves) == 2 * len(STEPS) and set(some.curves["key"]) == {*keys}


def test_a_folder_without_tables_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither run logs .* nor gathered tables"):
        tables.read_gathered(tmp_path)
    (tmp_path / "cells").mkdir()
    with pytest.raises(InputError, match=r"no run log in .*/cells yet"):
        tables.read_cells(tmp_path)
