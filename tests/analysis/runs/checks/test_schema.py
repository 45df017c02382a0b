"""Tables made elsewhere: read with the right values, or refused in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.runs import tables
from grokpipe.errors import InputError
from tests.helpers import foreign_tables
from tests.helpers.foreign_tables import same, write


def at(row: int, **values: object):
    """The change of one row of a table; underscores stand for no other sign."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype({name: object for name in values if name in table})
        for name, value in values.items():
            table.loc[row, name] = value
        return table.infer_objects()

    return change


def again(row: int, **values: object):
    """One row once more, with other values."""
    return lambda table: pd.concat([table, table.loc[[row]].assign(**values)], ignore_index=True)


def without(name: str):
    return lambda table: table.drop(columns=name)


CELLS_REFUSED = {
    "no column key": without("key"),
    "no column state": without("state"),
    "no key, in 1 of 10 rows: must be": at(3, key=None),
    "seed=0.5, key 0000000000000003, in 1 of 10 rows: must be a whole number": at(3, seed=0.5),
    "no seed, key 0000000000000003": at(3, seed=None),
    "seed=first": lambda cells: cells.assign(seed="first"),
    "classes=1, .*must be a whole number ≥ 2": at(0, classes=1),
    "steps=0, key .*must be a whole number ≥ 1": at(0, steps=0),
    "steps=-5, .*must be a whole number ≥ 1": at(0, steps=-5),
    "steps=1000.5": at(0, steps=1000.5),
    "steps=inf": at(0, steps=np.inf),
    "state=finished, key 0000000000000002, .*must be one of running, ": at(2, state="finished"),
    "no state, key": at(2, state=None),
    "key 0000000000000004 stands twice, with weight_decay 0.1 and 0.3; valid: once": again(
        4, weight_decay=0.3
    ),
    "key 0000000000000004 stands twice, with state done and diverged": again(4, state="diverged"),
}
CURVES_REFUSED = {
    "no column key": without("key"),
    "no column step": without("step"),
    "key 00000000000000ff has a curve but no cell, 1 of 1,010 rows": at(7, key="00000000000000ff"),
    "no key, in 1 of 1,010 rows": at(7, key=None),
    "step=-1, key 0000000000000000, .*must be a whole number ≥ 0": at(7, step=-1),
    "step=70.5, key": at(7, step=70.5),
    "no step, key": at(7, step=np.nan),
    "step=inf": at(7, step=np.inf),
    "step=70a": lambda curves: at(7, step="70a")(curves.astype({"step": str})),
    "step=1010, key .*must be ≤ steps of cells.parquet": at(100, step=1010),
    "test_accuracy=1.5, key .*in 1 of 1,010 rows: must be within": at(7, test_accuracy=1.5),
    "train_accuracy=-0.1": at(7, train_accuracy=-0.1),
    "test_accuracy=inf": at(7, test_accuracy=np.inf),
    "test_accuracy=high, key .*must be a number": lambda curves: at(7, test_accuracy="high")(
        curves.astype({"test_accuracy": str})
    ),
    "key 0000000000000000, step 70 stands twice, with test_accuracy 0.1 and 0.2": again(
        7, test_accuracy=0.2
    ),
    "key .*, step 70 stands twice, with train_loss 0.125 and nan": again(7, train_loss=np.nan),
}


@pytest.mark.parametrize("line", CELLS_REFUSED)
def test_wrong_cells_are_refused_with_column_value_and_key(line: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "t", CELLS_REFUSED[line])
    with pytest.raises(InputError, match=rf"^{folder}/cells.parquet: {line}") as refusal:
        tables.read_gathered(folder)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("line", CURVES_REFUSED)
def test_wrong_curves_are_refused_with_column_value_and_key(line: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "t", of_curves=CURVES_REFUSED[line])
    with pytest.raises(InputError, match=rf"^{folder}/curves.parquet: {line}") as refusal:
        tables.read_gathered(folder)
    assert "\n" not in str(refusal.value)


ALIKE = {
    "step as text": (same, lambda t: t.astype({"step": str})),
    "step as fractions": (same, lambda t: t.astype({"step": float})),
    "accuracies as text": (same, lambda t: t.astype({"test_accuracy": str})),
    "measures in float32": (
        same, lambda t: t.assign(**{"test_accuracy": t["test_accuracy"].astype("float32")})
    ),
    "seeds as fractions": (lambda t: t.astype({"seed": float}), same),
    "seeds as text": (lambda t: t.astype({"seed": str}), same),
    "decays in float32": (lambda t: t.astype({"weight_decay": "float32"}), same),
    "decays as text": (lambda t: t.astype({"weight_decay": str}), same),
    "lists": (lambda t: t.assign(**{"optimizer.betas": [[0.9, 0.999]] * len(t)}), same),
    "categories": (lambda t: t.astype("category"), lambda t: t.astype({"key": "category"})),
    "rows of the cells upside down": (lambda t: t[::-1], same),
    "rows of the curves in disorder": (same, lambda t: t.sample(frac=1, random_state=0)),
    "rows once more": (lambda t: pd.concat([t, t[:2]]), lambda t: pd.concat([t, t[5:9]])),
    "indexed by key": (lambda t: t.set_index("key").reset_index(), same),
}  # fmt: skip


@pytest.mark.parametrize("way", ALIKE)
def test_the_same_values_in_another_form_are_the_same_tables(way: str, tmp_path: Path) -> None:
    usual = tables.read_gathered(write(tmp_path / "usual"))
    other = tables.read_gathered(write(tmp_path / "other", *ALIKE[way]))
    assert_frame_equal(other.cells, usual.cells)
    assert_frame_equal(other.curves, usual.curves)


@pytest.mark.parametrize("floats", [False, True])
def test_keys_that_are_numbers(floats: bool, tmp_path: Path) -> None:
    def as_numbers(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(key=table["key"].map(lambda key: int(key, 16)).astype(int))

    def as_floats(table: pd.DataFrame) -> pd.DataFrame:
        return as_numbers(table).astype({"key": float}) if floats else as_numbers(table)

    read = tables.read_gathered(write(tmp_path / "t", as_numbers, as_floats))
    assert read.cells["key"].tolist() == [str(number) for number in range(10)]
    assert len(read.curves) == 1010 and set(read.curves["key"]) == set(read.cells["key"])


def test_what_nobody_needs_is_neither_read_nor_checked(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", of_curves=at(7, test_accuracy=9, train_loss=1))
    assert list(tables.read_gathered(folder, ["train_loss"]).curves) == [
        "key", "step", "train_loss"
    ]  # fmt: skip
    worded = write(tmp_path / "w", of_curves=lambda t: t.assign(remark="fine", **{"a/b": None}))
    assert set(tables.read_gathered(worded).curves["remark"]) == {"fine"}
    with pytest.raises(InputError, match=r"remark=fine, key .*must be a number"):
        tables.read_gathered(worded, ["remark"])


def test_repeated_rows_are_counted_in_a_note(tmp_path: Path) -> None:
    way = ALIKE["rows once more"]
    notes = tables.read_gathered(write(tmp_path / "t", *way)).notes
    assert [note.rpartition("/")[2] for note in notes] == [
        "cells.parquet: 2 rows repeated with equal values: counted once",
        "curves.parquet: 4 rows repeated with equal values: counted once",
    ]


def test_tables_from_before_a_column_was_added(tmp_path: Path) -> None:
    old = lambda t: t.drop(columns=["code", "processor", "dirty"])  # noqa: E731
    read = tables.read_gathered(write(tmp_path / "t", old))
    assert set(read.cells["code"]) == {"unknown"} == set(read.cells["processor"])


def test_an_accuracy_of_one_may_be_rounded(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", of_curves=at(7, test_accuracy=1 + 1e-7))
    assert len(tables.read_gathered(folder).curves) == 10 * len(foreign_tables.STEPS)
