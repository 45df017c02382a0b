"""Tables made of others."""

from pathlib import Path

import pandas as pd

from analysis.runs import combine
from tests.helpers.made_curves import made


def test_a_run_of_several_experiments_is_there_once() -> None:
    accuracy = [0.1, 0.5, 0.9]
    first = made({"key": "b", "test_accuracy": accuracy}, {"key": "a", "test_accuracy": accuracy})
    other = made({"key": "b", "test_accuracy": accuracy}, {"key": "c", "test_accuracy": accuracy})
    other.cells["intervention.alpha"] = 0.3
    joined = combine.join([first, other], Path("both"))
    assert joined.cells["key"].tolist() == ["a", "b", "c"]
    assert joined.curves.groupby("key").size().tolist() == [3, 3, 3]
    assert joined.curves.equals(joined.curves.sort_values(["key", "step"], ignore_index=True))
    assert joined.cells["intervention.alpha"].isna().tolist() == [True, True, False]
    assert joined.folder == Path("both")


def test_fewer_evaluations() -> None:
    tables = made({"test_accuracy": [0.0, 0.1, 0.2, 0.3, 0.4]})  # at 0, 100, …
    assert combine.every(tables, 200).curves["step"].tolist() == [0, 200, 400]
    pd.testing.assert_frame_equal(combine.every(tables, 100).curves, tables.curves)
