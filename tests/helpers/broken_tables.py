"""Ways to break the tables of `foreign_tables`, each with the words that a refusal must have."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.helpers.foreign_tables import Change, same


@dataclass(frozen=True)
class Broken:
    """What is done to both tables, and what the line that refuses them names."""

    words: tuple[str, ...]
    cells: Change = same
    curves: Change = same


def at(row: int, **values: object) -> Change:
    """Other values in one row."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype({name: object for name in values})
        for name, value in values.items():
            table.loc[row, name] = value
        return table.infer_objects()

    return change


def again(row: int, **values: object) -> Change:
    """One row once more, with other values."""
    return lambda table: pd.concat([table, table.loc[[row]].assign(**values)], ignore_index=True)


def without(name: str) -> Change:
    return lambda table: table.drop(columns=name)


def times(name: str, factor: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(**{name: table[name] * factor})


KEY = "0000000000000003"
BROKEN = {
    "no key of the cells": Broken(("cells.parquet", "key"), cells=without("key")),
    "no state": Broken(("cells.parquet", "state"), cells=without("state")),
    "another state": Broken(("state=finished", KEY), cells=at(3, state="finished")),
    "half a seed": Broken(("seed=0.5", KEY), cells=at(3, seed=0.5)),
    "a cell twice": Broken((KEY, "seed"), cells=again(3, seed=9)),
    "no budget": Broken(("steps=0", KEY), cells=at(3, steps=0)),
    "no key of the curves": Broken(("curves.parquet", "key"), curves=without("key")),
    "no step": Broken(("curves.parquet", "step"), curves=without("step")),
    "words for steps": Broken(("step=end",), curves=lambda t: at(7, step="end")(t.astype(str))),
    "a step before 0": Broken(("step=-10",), curves=at(7, step=-10)),
    "a step beyond the budget": Broken(("step=2000", "steps"), curves=at(7, step=2000)),
    "a step that is NaN": Broken(("no step", "key"), curves=at(7, step=np.nan)),
    "per cent": Broken(("test_accuracy=10", "[0, 1]"), curves=times("test_accuracy", 100)),
    "an evaluation twice": Broken(
        ("step 70", "test_accuracy"), curves=again(7, test_accuracy=0.3)
    ),
    "a curve of no cell": Broken((KEY, "no cell"), cells=lambda t: t.drop(index=3)),
}  # fmt: skip
