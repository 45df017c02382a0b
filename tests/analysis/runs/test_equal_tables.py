"""The same runs in another form of tables give the same medians, tests and fits, drawn at random.

Hypothesis draws the order of rows and columns, further columns, other types of equal values, and
how the runs are split over two folders.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis.runs.combine import join
from analysis.runs.parts import CELLS, CURVES
from analysis.runs.tables import Tables, read_gathered
from analysis.times import power_law
from analysis.times.compare import compare
from analysis.times.timescales import events, timescales
from tests.helpers import foreign_tables

BY = ["weight_decay"]
TYPES: dict[str, list[tuple[str, Callable[[pd.Series], Any]]]] = {
    "cells": [
        ("seed", lambda c: c.astype(float)),
        ("seed", lambda c: c.astype(str)),
        ("steps", lambda c: c.astype("int32")),
        ("classes", lambda c: c.astype(str)),
        ("weight_decay", lambda c: c.astype("float32")),
        ("weight_decay", lambda c: c.map("{:.20f}".format)),
        ("optimizer.betas", lambda c: [[0.9, 0.999]] * len(c)),
        ("state", lambda c: c.astype("category")),
        ("key", lambda c: c.astype("category")),
    ],
    "curves": [
        ("step", lambda c: c.astype(str)),
        ("step", lambda c: c.astype("int16")),
        ("step", lambda c: c.astype(float)),
        ("test_accuracy", lambda c: c.astype(str)),
        ("test_accuracy", lambda c: c.astype("float32")),
        ("train_accuracy", lambda c: c.astype("float16")),
        ("key", lambda c: c.astype("category")),
    ],
}


@st.composite
def forms(draw: st.DrawFn, name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A change of a table that changes none of its values."""
    order = draw(st.integers(0, 2**32 - 1))
    several = draw(st.lists(st.sampled_from(TYPES[name]), unique_by=lambda way: way[0]))
    further = draw(st.lists(st.sampled_from(["a", "z/z", "run url", "task.remark"]), unique=True))
    kinds = draw(st.lists(st.sampled_from(["one", "each"]), min_size=4, max_size=4))

    def change(table: pd.DataFrame) -> pd.DataFrame:
        random = np.random.default_rng(order)
        table = table.assign(**{column: way(table[column]) for column, way in several})
        for column, kind in zip(further, kinds):
            foreign = not column.startswith("task.")  # a configuration is never a run's own
            each = [f"https://example.org/{key}" for key in table["key"]]
            table[column] = each if kind == "each" and foreign else 1.5
        table = table[random.permutation(table.columns)]
        return table.iloc[random.permutation(len(table))]

    return change


def original() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of two decays, one of which never groks, with an entropy for t_cross."""
    cells, curves = foreign_tables.cells(), foreign_tables.curves()
    late = curves["key"] == cells["key"][3]
    curves.loc[late, "test_accuracy"] = 0.1
    curves["spectral/entropy_train"] = 0.9 - curves["step"] / 2_000 - 0.2 * curves["test_accuracy"]
    return cells, curves


def numbers(tables: Tables) -> list[pd.DataFrame]:
    """Medians, comparisons with all tests, and fits."""
    long = events(tables)
    chosen = long[long["event"].isin(["t_mem", "t_grok", "t_cross"])]
    compared = compare(chosen, BY, "0.1", np.random.default_rng(0), runs=tables.cells)
    fitted = power_law.exponents(long, ["t_grok"], BY, np.random.default_rng(0))
    return [timescales(chosen, BY, runs=tables.cells), *compared, fitted]


@pytest.fixture(scope="module")
def expected() -> list[pd.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        return numbers(written(Path(folder), *original()))


def written(folder: Path, cells: pd.DataFrame, curves: pd.DataFrame) -> Tables:
    folder.mkdir(exist_ok=True)
    cells.to_parquet(folder / CELLS, index=False)
    curves.to_parquet(folder / CURVES, index=False)
    return read_gathered(folder)


@settings(
    max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(forms("cells"), forms("curves"), st.sets(st.integers(0, 9), max_size=9))
def test_the_same_runs_give_the_same_numbers(expected, of_cells, of_curves, first) -> None:
    cells, curves = original()
    parts = [cells["key"][sorted(first)], cells["key"].drop(index=sorted(first))]
    with tempfile.TemporaryDirectory() as folder:
        read = [
            written(
                Path(folder, str(number)),
                of_cells(cells[cells["key"].isin(keys)]),
                of_curves(curves[curves["key"].isin(keys)]),
            )
            for number, keys in enumerate(parts)
            if len(keys)
        ]
        joined = join(read, Path(folder)) if len(read) > 1 else read[0]
        for ours, theirs in zip(numbers(joined), expected, strict=True):
            assert_frame_equal(ours, theirs)
