"""The table of cells of adopted runs: what the logs say of a run, and what is taken if not."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.adopt.roles import as_numbers, listed
from analysis.runs.adopt.runs import arms
from analysis.runs.checks import coercion
from analysis.runs.checks.schema import STATES
from analysis.runs.rows import UNKNOWN
from grokpipe.errors import InputError

STATE_WORDS = {"finished": "done", "completed": "done", "success": "done", "crashed": "interrupted",
               "killed": "interrupted", "preempted": "interrupted"}  # fmt: skip
"""states as W&B and others call them"""


def read_cells(table: pd.DataFrame, of_run: NDArray[np.intp]) -> pd.DataFrame:
    """A row per run: the first value of each column that is not missing.

    Raises InputError for a run with two values of one column.
    """
    starts = np.concatenate([[0], np.flatnonzero(of_run[1:] != of_run[:-1]) + 1])
    cells = {}
    for name in table:
        numbers = as_numbers(table[name])
        least, most = np.fmin.reduceat(numbers, starts), np.fmax.reduceat(numbers, starts)
        several = (least != most) & ~np.isnan(least)
        if several.any() and name != "run":
            at = int(several.argmax())
            inside = np.arange(starts[at], [*starts[1:], len(of_run)][at])
            values = list(dict.fromkeys(table[name].iloc[inside].dropna()))[:2]
            run = table["run"].iloc[starts[at]]
            raise InputError(
                f"run {run}: {name} is {values[0]} and {values[1]}; a run has one value (if it is "
                "no configuration, put it in columns or ignore of --map)"
            )
        there = np.where(np.isnan(numbers), len(numbers), np.arange(len(numbers)))
        rows = np.minimum.reduceat(there, starts)
        values = table[name].iloc[np.minimum(rows, len(numbers) - 1)].reset_index(drop=True)
        values = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
        missing = rows == len(numbers)
        cells[name] = values.where(~missing, None) if missing.any() else values
        if pd.api.types.is_float_dtype(values) and (values == values.round()).all():
            cells[name] = (
                values.astype(np.int64) if name in ("seed", "steps", "classes") else values
            )
    return pd.DataFrame(cells)


def completed(cells: pd.DataFrame, curves: pd.DataFrame) -> tuple[pd.DataFrame, list[str], bool]:
    """Give each run a seed, a budget and a state. Raises InputError for ones that are not valid."""
    notes = []
    last = curves.groupby("run")["step"].max().reindex(cells.index, fill_value=0).to_numpy()
    cells = cells.drop(columns="run")
    cells["trained_steps"] = last
    if "seed" not in cells:
        cells["seed"] = np.arange(len(cells))
        notes.append(
            "note: no seeds: the runs are numbered, and no two of them count as paired "
            "(--map with name: reads seeds and more from the names of runs)"
        )
    whole, wrong = coercion.whole(cells["seed"])
    _refuse(cells, wrong, "seed", "must be a whole number")
    cells["seed"] = whole
    given = cells["steps"] if "steps" in cells else pd.Series(np.nan, index=cells.index)
    missing = given.isna().to_numpy()
    taken = np.maximum(last, 1)
    of_arm = arms(cells, ("steps", "state", "reason", "trained_steps"))
    longest = pd.Series(taken).groupby(of_arm).transform("max").to_numpy()
    cells["steps"] = np.where(missing, longest, given)
    whole, wrong = coercion.whole(cells["steps"])
    _refuse(cells, wrong | (whole < 1).to_numpy(), "steps", "must be a whole number ≥ 1")
    _refuse(cells, (whole < last).to_numpy(), "steps", "the run has evaluations after it")
    cells["steps"] = whole
    if missing.any():
        values = listed([f"{n:,}" for n in sorted(set(longest[missing]))], 4)
        notes.append(f"note: budget not given: the last step of the runs of an arm, {values}")
    state = cells["state"] if "state" in cells else pd.Series("done", index=cells.index)
    state = state.fillna("done").map(str).str.lower().replace(STATE_WORDS)
    _refuse(cells, (~state.isin(STATES)).to_numpy(), "state",
            f"must be one of {', '.join((*STATES, *STATE_WORDS))}")  # fmt: skip
    cells["state"] = state
    known = {"reason": "adopted", "data": UNKNOWN, "commit": UNKNOWN, "dirty": UNKNOWN,
             "code": UNKNOWN, "torch": UNKNOWN, "processor": UNKNOWN}  # fmt: skip
    for name, value in known.items():
        if name not in cells:
            cells[name] = value
    if "classes" in cells:
        whole, wrong = coercion.whole(cells["classes"])
        _refuse(cells, wrong | (whole < 2).to_numpy(), "classes", "must be a whole number ≥ 2")
        cells["classes"] = whole
    return cells, notes, not missing.any()


def _refuse(cells: pd.DataFrame, wrong: NDArray[np.bool_], column: str, valid: str) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        value = cells[column].iloc[row]
        shown = f"no {column}" if pd.isna(value) else f"{column}={value}"
        raise InputError(f"run {cells['key'].iloc[row]}: {shown}: {valid}")
