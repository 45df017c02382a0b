"""Samples for the censored likelihood (analysis/stats/aft.py), from events and columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from analysis.stats.aft import Sample
from analysis.times.timescales import EVENT_COLUMNS
from grokpipe.errors import InputError

Array = NDArray[np.float64]


class NoFit(InputError):
    """The columns are fit for a law, but these runs do not determine it."""


@dataclass(frozen=True)
class Runs:
    """The runs of one event; equal runs share a row, and the order is that of the rows."""

    event: str
    against: tuple[str, ...]
    n: int
    observed: int
    sample: Sample
    """design: 1, then each column, or its logarithm"""
    values: Array
    """(row, column) the columns as they are"""
    by_seed: Array
    """(seed, row) counts: a seed's runs are resampled together"""
    resolution: float
    """the longest interval between evaluations in which an event was observed"""


def runs(events: pd.DataFrame, against: Sequence[str], logarithms: bool) -> Runs:
    """The rows of one event in the long table of `analysis.timescales.events`.

    An event that the first evaluation showed already (lower = upper) lies in (0, upper]. Raises
    InputError for columns that `check_columns` refuses and several runs of one seed at one grid
    point, NoFit for a column that does not vary or varies only with others, events at step 0, and
    runs that do not bound the exponents: an event must have been seen between two evaluations, the
    first not at step 0, at two values of each column. Raises ValueError for the rows of several
    events.
    """
    if events["event"].nunique() > 1:
        raise ValueError(f"rows of {events['event'].nunique()} events; fit one at a time")
    if events.empty:
        raise NoFit("no run has this event; nothing to fit")
    event = str(events["event"].iloc[0])
    check_columns(events, against, logarithms)
    values = events[list(against)].to_numpy(dtype=float)
    _check_repeated(events, against)
    _check_varied(design(values, logarithms), values, against)

    observed = events["observed"].to_numpy(dtype=bool)
    lower, upper = events["lower"].to_numpy(dtype=float), events["upper"].to_numpy(dtype=float)
    if at_start := int((upper <= 0).sum()):
        raise NoFit(
            f"{event}: {at_start} of {len(events)} runs had it at step 0, which has no logarithm; "
            "valid: an event that comes later"
        )
    lower = np.where(observed & (lower == upper), 0, lower)
    if not observed.any():
        raise NoFit(f"{event}: observed in 0 of {len(events)} runs; nothing to fit")
    _check_bounded(event, lower, upper, design(values, logarithms), values, against)

    table = np.column_stack([lower, upper, values])
    rows, row_of = np.unique(table, axis=0, return_inverse=True)
    seed_of, seeds = pd.factorize(events["seed"], sort=True)
    by_seed = np.zeros((len(seeds), len(rows)))
    np.add.at(by_seed, (seed_of, row_of.reshape(-1)), 1)
    with np.errstate(divide="ignore"):
        bounds = np.log(rows[:, :2])
    sample = Sample(bounds[:, 0], bounds[:, 1], design(rows[:, 2:], logarithms), by_seed.sum(0))
    resolution = float((upper - lower)[observed].max())
    return Runs(
        event, tuple(against), len(events), int(observed.sum()), sample, rows[:, 2:], by_seed,
        resolution,
    )  # fmt: skip


def design(values: Array, logarithms: bool) -> Array:
    """A column of ones, then the columns or their logarithms."""
    return np.column_stack([np.ones(len(values)), np.log(values) if logarithms else values])


def with_logarithms(events: pd.DataFrame, against: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows whose values of these columns have a logarithm, and a line for each column by which
    runs are left out. Raises InputError as `check_columns` does for other columns, and where no run
    is left."""
    check_columns(events, against, logarithms=False)
    notes = []
    for column in against:
        positive = events[column] > 0
        without = events.loc[~positive].drop_duplicates("key")
        if len(without) == events["key"].nunique():
            raise NoFit(f"{column}: not positive in any run; no logarithm to fit")
        if len(without):
            values = ", ".join(f"{value:g}" for value in sorted(without[column].unique()))
            notes.append(
                f"note: {len(without)} of {events['key'].nunique()} runs are left out:"
                f" {column}={values} has no logarithm"
            )
        events = events[positive]
    return events, notes


def check_columns(events: pd.DataFrame, against: Sequence[str], logarithms: bool) -> None:
    """Raises InputError for columns that are unknown, not numbers, or have no logarithm."""
    for column in against:
        if column not in events:
            numbers = [c for c in events if is_numeric_dtype(events[c])]
            valid = [c for c in numbers if c not in (*EVENT_COLUMNS, "seed")]
            raise InputError(f"{column}: no such column; valid: {', '.join(valid)}")
        if not is_numeric_dtype(events[column]) or is_bool_dtype(events[column]):
            raise InputError(f"{column}={events[column].iloc[0]}: must be a column of numbers")
        runs = events.drop_duplicates("key")  # the rows may be of several events
        values = runs[column].to_numpy(dtype=float)
        if missing := int((~np.isfinite(values)).sum()):
            raise InputError(f"{column}: not finite in {missing} of {len(values)} runs")
        if logarithms and (values <= 0).any():
            worst = values.min()
            raise InputError(
                f"{column}={worst:g} in {(values == worst).sum()} of {len(values)} runs has no "
                "logarithm; valid: positive numbers"
            )


def _check_repeated(events: pd.DataFrame, against: Sequence[str]) -> None:
    repeated = events[events.duplicated([*against, "seed"], keep=False)]
    if repeated.empty:
        return
    first = repeated.sort_values([*against, "seed"]).iloc[0]
    same = repeated[(repeated[[*against, "seed"]] == first[[*against, "seed"]]).all(axis=1)]
    after = list(events.columns).index("state") + 1 if "state" in events else 0
    others = [c for c in events.columns[after:] if same[c].astype(str).nunique() > 1]
    raise InputError(
        f"{', '.join(f'{c}={first[c]:g}' for c in against)}, seed={first['seed']}: {len(same)} runs"
        f" that differ in {', '.join(others) or 'nothing'}; fit against that too, or leave one in"
    )


def _check_varied(regressors: Array, values: Array, against: Sequence[str]) -> None:
    for column, of_column in zip(against, values.T, strict=True):
        if (of_column == of_column[0]).all():
            raise NoFit(f"{column}={of_column[0]:g} in all runs: needs two values to fit")
    if not _full_rank(regressors):
        raise NoFit(f"{', '.join(against)}: vary only together; fit against one of them")


def _check_bounded(
    event: str, lower: Array, upper: Array, regressors: Array, values: Array, against: Sequence[str]
) -> None:
    bounded = (lower > 0) & np.isfinite(upper)
    if _full_rank(regressors[bounded]):
        return
    seen = sorted({tuple(row) for row in values[bounded].tolist()})
    points = "; ".join(
        ", ".join(f"{c}={v:g}" for c, v in zip(against, row, strict=True)) for row in seen
    )
    raise NoFit(
        f"{event}: seen between two evaluations {f'at {points} only' if seen else 'in no run'}; "
        f"needs {len(against) + 1} values to bound the exponent"
    )


def _full_rank(regressors: Array) -> bool:
    """Whether the design determines the coefficients, independent of units."""
    varied = regressors[:, 1:] - regressors[:1, 1:]
    scale = abs(varied).max(0, initial=0)
    if not (scale > 0).all():
        return False
    return int(np.linalg.matrix_rank(varied / scale, tol=1e-9)) == varied.shape[1]
