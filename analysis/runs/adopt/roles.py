"""What each column of the logs is: run, key, step, a measure, or configuration."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.adopt import guesses
from analysis.runs.adopt.mapping import ROLES, Map
from analysis.runs.adopt.readers import wandb
from grokpipe.errors import InputError

WALL = ("_runtime", "_timestamp", "_wandb", "wall_time", "Wall time", "timestamp", "time")
"""times on the clock, which are no measure"""
MEASURED = {"acc", "accuracy", "loss", "error", "entropy", "norm", "grad", "gap", "margin"}
"""words in the name of a measure, which may be constant by chance"""
ARM = "arm"
"""the configuration that a column of names is, where several seeds share one"""
ROWS = 3  # evaluations per run, on average, from which on a constant column is configuration


@dataclass(frozen=True)
class Roles:
    """Columns by what they are: name here → name there."""

    step: str
    run: str | None
    """the column that tells the runs apart: a name or a key"""
    measures: dict[str, str]
    configuration: dict[str, str]
    told: list[str]
    """guesses and columns that are left out, in words"""


def assign(
    rows: pd.DataFrame, log: NDArray[np.intp], given: Map, beside: Collection[str], first: str
) -> Roles:
    """Give each column its role: as the map says, else by its name, else by its values.

    Args:
        rows: all logs, one after another.
        log: the number of the log of each row.
        given: the user's map, whose columns are all there.
        beside: columns that stood beside the rows of a log, and so are configuration.
        first: the file to name in a refusal.

    Raises InputError without a column of steps, and for two columns that could be one measure.
    """
    names = [str(name) for name in rows if str(name) not in given.ignore]
    taken = set(given.theirs.values())
    guessed: dict[str, str] = {}  # name there → what it is taken for

    def guess(found: str | None, ours: str) -> str | None:
        if found is not None and found != ours:
            guessed[found] = ours
        return found

    free = [name for name in names if name not in taken]
    step = given.columns.get("step") or guess(guesses.step_among(free), "step")
    if step is None:
        raise InputError(
            f"{first}: no column of steps (--map with columns: {{step: …}}); "
            f"there are: {', '.join(names)}"
        )
    run = given.columns.get("run") or given.columns.get("key")
    run = run or ("key" if "key" in free else guess(guesses.run_among(free), "run"))
    free = [name for name in free if name not in (step, run)]

    groups = _groups(rows, log, step, run)
    configuration = dict(given.configuration)
    seeds = [name for name in free if guesses.configuration(name) == "seed"]
    seeds += [given.configuration["seed"]] if "seed" in given.configuration else []
    if run in guessed or run == "run":
        several = [name for name in seeds if not groups.same_in_each(rows[name])]
        if several and run not in taken:  # the name of an arm, whose runs have their seeds
            configuration[ARM], guessed[run] = run, ARM
            run, groups = None, _groups(rows, log, step, None)
    scheduled = []
    for name in free:
        ours = guesses.configuration(name)
        if ours == "loss" and _is_number(rows[name]):
            continue  # in a configuration it is the name of an objective
        if ours and name not in beside and groups.varies(rows[name]):
            scheduled.append(name)  # as a rate by its schedule
            continue
        if ours and ours not in {*configuration, *given.fixed, *given.columns}:
            configuration[ours] = name
            guess(name, ours)
    free = [name for name in free if name not in configuration.values()]

    measures = {ours: n for ours, n in given.columns.items() if ours not in ROLES}
    numeric = [name for name in free if _is_number(rows[name])]
    for ours, name in guesses.measures(numeric).items():
        if ours not in {*measures, *given.fixed, *configuration}:
            measures[ours] = str(guess(name, ours))
    told = [f"{theirs} → {ours}" for theirs, ours in guessed.items()]
    told = [f"taken by their names: {', '.join(told)}"] if told else []

    constant, left_out = [], []
    for name in free:
        if name in measures.values():
            continue
        fixed = name in beside or groups.tells_apart(rows[name])
        number = _is_number(rows[name])
        twice = name in measures or name in configuration
        wall = name in WALL or name in wandb.INTERNAL
        if twice or wall or rows[name].isna().all() or not (fixed or number):
            left_out.append(name)
        elif name in beside:
            configuration[name] = name
        elif fixed and not (number and _is_measured(name)):
            configuration[name] = name
            constant.append(name)
        else:
            measures[name] = name
    if constant:
        told.append(f"configuration, as constant within each run: {', '.join(constant)}")
    if scheduled:
        told.append(f"no configuration, as varying within a run: {', '.join(scheduled)}")
    if left_out:
        told.append(f"left out: {', '.join(left_out)}")
    return Roles(step, run, measures, configuration, told)


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def _is_measured(name: str) -> bool:
    if "/" in name:
        return True  # as loops name what they log
    words = set("".join(c if c.isalpha() else " " for c in name.lower()).split())
    return bool(words & MEASURED)


@dataclass(frozen=True)
class _Groups:
    """Rows of what seems to be one run."""

    order: NDArray[np.intp] | None
    starts: NDArray[np.intp]
    known: bool
    """whether the groups are runs, of several evaluations each, for sure"""

    def tells_apart(self, values: pd.Series) -> bool:
        """Whether a column has one value in each run, and not the same in all; words may be the
        same."""
        if not self.known or not self.same_in_each(values):
            return False
        return not _is_number(values) or values.nunique() > 1

    def varies(self, values: pd.Series) -> bool:
        """Whether a column has several values in a group."""
        return self.known and not self.same_in_each(values)

    def same_in_each(self, values: pd.Series) -> bool:
        """Whether a column has one value in each group, NaN aside."""
        numbers = as_numbers(values)
        if self.order is not None:
            numbers = numbers[self.order]
        least, most = np.fmin.reduceat(numbers, self.starts), np.fmax.reduceat(numbers, self.starts)
        return bool(((least == most) | np.isnan(least)).all())


def as_numbers(values: pd.Series) -> NDArray[np.float64]:
    """A column as numbers that are equal where its values are; NaN where one is missing."""
    if _is_number(values):
        return values.to_numpy(float, na_value=np.nan)
    codes = values.astype("category").cat.codes.to_numpy(float)
    return np.where(codes < 0, np.nan, codes)


def _groups(rows: pd.DataFrame, log: NDArray[np.intp], step: str, run: str | None) -> _Groups:
    """The rows by the column that names the run; without one, a run ends where its steps fall,
    which is not known where runs are interleaved."""
    order: NDArray[np.intp] | None = None
    known = True
    if run is not None:
        codes = as_numbers(rows[run])
        order = np.argsort(codes, kind="stable")
        ends = codes[order][1:] != codes[order][:-1]
    else:
        steps = as_numbers(rows[step])
        ends = (log[1:] != log[:-1]) | (steps[1:] < steps[:-1])
        known = not (steps[1:] == steps[:-1]).any()
    starts = np.concatenate([[0], np.flatnonzero(ends) + 1])
    return _Groups(order, starts, known and len(rows) >= ROWS * len(starts))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names with commas, of very many the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
