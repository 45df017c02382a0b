"""Synchrony of two curves of a run: lag of their half-changes and rank correlations of their levels
and increments, also with a third curve held fixed; for each run, then over runs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from analysis.runs.tables import Tables
from analysis.stats import bootstrap
from analysis.stats.intervals import Interval, none
from analysis.stats.survival import BOOTSTRAPS
from analysis.times.order import check_seeds, counts, median_lag, orders
from analysis.times.timescales import events
from grokpipe.curves.conditions import HalfChange
from grokpipe.errors import InputError

CORRELATION = "percentile"
"""interval method of a median correlation"""
FEWEST = 4  # least number of values for a rank correlation
DIGITS = 12  # digits, relative to a curve's largest value, below which differences are round-off


def half_changes(tables: Tables, columns: Sequence[str], from_first: bool = False) -> pd.DataFrame:
    """The half-changes of columns (`definitions.half_of`) and t_mem in each run, as rows of
    `timescales.events`. Raises InputError for a column that the curves do not have."""
    _check(tables, columns)
    ordered = replace(tables, curves=tables.curves.sort_values(["key", "step"]))
    return events(ordered, [str(HalfChange(c, from_first)) for c in columns], named=["t_mem"])


def lags(tables: Tables, first: str, second: str, from_first: bool = False) -> pd.DataFrame:
    """Compute the lag from the half-change of `first` to that of `second` in each run; with
    `from_first` both are counted from the curve's first value.

    Returns a row per run with evaluations, by key: key, lag, observed, lower, upper (in steps) and
    order, as `order.orders` has them, then the configuration. Raises InputError for a column that
    the curves do not have.
    """
    halves = half_changes(tables, [first, second], from_first)
    rows = [halves[halves["event"] == str(HalfChange(c, from_first))] for c in (first, second)]
    names = ["key", "lag", "observed", "lower", "upper", "order"]
    found = orders(*rows)[names].sort_values("key", ignore_index=True)
    return _with_configuration(found, tables)


def correlations(
    tables: Tables, first: str, second: str, given: str | None = None, until: float = math.inf
) -> pd.DataFrame:
    """Compute Spearman's correlations of two curves in each run, up to step `until`.

    They are of the curves' `levels` and of their `increments` from one evaluation to the next; with
    a third curve `given` also `partial_levels` and `partial_increments`, which hold that curve
    fixed (`rank_correlations`). Evaluations at which one of the curves is not finite are dropped.

    Returns a row per run with evaluations: key, evaluations, dropped (both numbers of evaluations),
    the correlations in [−1, 1], NaN where undefined, then the configuration. Raises InputError for
    a column that the curves do not have.
    """
    columns = [first, second] if given is None else [first, second, given]
    rows = []
    for key, curves in _runs(tables, columns):
        values = curves.loc[curves["step"] <= until, columns]
        known = values.dropna()
        levels, partial_levels = rank_correlations(known)
        increments, partial_increments = rank_correlations(_increments(known))
        row = {"key": key, "evaluations": len(known), "dropped": len(values) - len(known)}
        row |= {"levels": levels, "increments": increments}
        if given is not None:
            row |= {"partial_levels": partial_levels, "partial_increments": partial_increments}
        rows.append(row)
    found = pd.DataFrame(rows, columns=["key", "evaluations", "dropped", *_names(given)])
    return _with_configuration(found, tables)


def increment_correlations(tables: Tables, columns: Sequence[str]) -> dict[str, pd.DataFrame]:
    """By key, Spearman's correlations of the increments of columns from one evaluation at which all
    are finite to the next, as a table by column; NaN as for `rank_correlations`. Raises InputError
    for a column that the curves do not have."""
    return {
        key: _increments(curves[list(columns)].dropna()).corr("spearman", FEWEST)
        for key, curves in _runs(tables, columns)
    }


def _increments(known: pd.DataFrame) -> pd.DataFrame:
    """Increments in units of each curve's largest value, rounded, since round-off would give ranks
    to equal ones."""
    return (known / known.abs().max()).diff().iloc[1:].round(DIGITS)


def rank_correlations(values: pd.DataFrame) -> tuple[float, float]:
    """Spearman's correlation of the first two columns, and the partial one given the third.

    The partial one is (r₁₂ − r₁₃ r₂₃) / √((1 − r₁₃²)(1 − r₂₃²)) of the ranks (Yule 1907): the
    correlation of the residuals of linear regressions on the third column's ranks. NaN without a
    third column.

    NaN for fewer than FEWEST rows and for a constant column; the partial one also where the third
    column's ranks determine those of another.
    """
    r = values.corr(method="spearman", min_periods=FEWEST).to_numpy()
    if values.shape[1] == 2:
        return float(r[0, 1]), math.nan
    left = (1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2)
    if not left > 10.0**-DIGITS:
        return float(r[0, 1]), math.nan
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt(left)
    return float(r[0, 1]), float(np.clip(partial, -1, 1))


def summary(
    tables: Tables,
    first: str,
    second: str,
    given: str | None,
    by: Sequence[str],
    generator: np.random.Generator,
    until: float = math.inf,
) -> pd.DataFrame:
    """Summarise lags and correlations over the runs of each group.

    Lags: `median_lag`. Later against earlier: the exact two-sided sign test without the other runs
    (Dixon & Mood 1946); NaN if there are only others. Correlations: the percentile bootstrap of the
    median over runs, whose simulated coverage is near 95 % from 5 runs upwards, whereas BCa on the
    mean of Fisher's z covers too little.

    Returns:
        a row per group, numbers in descending order: `by`, n, observed (runs whose lag is), the
        median lag with its interval (lag, lag_lower, lag_upper, lag_method), later and earlier
        (runs in which the half-change of `second` is certainly after, or before, that of `first`;
        in the others the order is not resolved by the evaluations or unknown), sign_p; then for
        each correlation the median over the runs in which it is defined, in the same four columns,
        and their number (levels_n).

    Raises:
        InputError: runs of a group share a seed and so are not independent, a column is missing, or
            no run has an evaluation.
    """
    by = list(by)
    runs = lags(tables, first, second).merge(
        correlations(tables, first, second, given, until)[["key", *_names(given)]], on="key"
    )
    check_seeds(runs, by, tables)
    if not len(runs):
        raise InputError(f"{tables.folder}: no run has an evaluation yet")
    rows = []
    for group, of_group in runs.groupby(by, sort=False, dropna=False):
        counted = counts(of_group)
        row = dict(zip(by, group, strict=True))
        row |= {"n": len(of_group), "observed": int(of_group["observed"].sum())}
        row |= median_lag(of_group).columns("lag")
        row |= {"later": counted["before"], "earlier": counted["after"]}
        row |= {"sign_p": counted["sign_p"]}
        for name in _names(given):
            values = of_group[name].dropna().to_numpy()
            row |= median_correlation(values, generator).columns(name)
            row |= {f"{name}_n": len(values)}
        rows.append(row)
    table = pd.DataFrame(rows)
    ascending = [not is_numeric_dtype(runs[column]) for column in by]
    return table.sort_values(by, ascending=ascending, ignore_index=True)


def median_correlation(
    values: NDArray[np.float64], generator: np.random.Generator, method: str = CORRELATION
) -> Interval:
    """Median of runs' correlations, (runs,), with a bootstrap interval (one of `BOOTSTRAPS`)."""
    if not len(values):
        return none(math.nan, "undefined in every run")
    return bootstrap.interval(
        lambda indices: np.median(values[indices], axis=-1),
        [len(values)], generator, BOOTSTRAPS[method],
    )  # fmt: skip


def _runs(tables: Tables, columns: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each run's key and curves: step and these columns, of which it may be one, NaN where
    not finite."""
    _check(tables, columns, clock=["step"])
    for key, curves in tables.curves.groupby("key", sort=True):
        ordered = curves.sort_values("step")[[*dict.fromkeys(["step", *columns])]]
        yield str(key), ordered.astype(float).replace([-math.inf, math.inf], math.nan)


def _check(tables: Tables, columns: Sequence[str], clock: Sequence[str] = ()) -> None:
    """Raise InputError unless these are different columns that the curves measure, or the clock."""
    measures = [
        name for name in tables.curves if name not in ("key", "step", *tables.configuration)
    ]
    for column in columns:
        if column not in [*measures, *clock]:
            valid = ", ".join(measures)
            raise InputError(f"{tables.folder}: no column {column}; valid: {valid}")
    if len(set(columns)) < len(columns):
        raise InputError(f"{', '.join(columns)}: must be different columns")


def _with_configuration(found: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    configuration = tables.cells[["key", *tables.configuration]]
    return found.merge(configuration, on="key", how="left")


def _names(given: str | None) -> list[str]:
    names = ["levels", "increments"]
    return names if given is None else [*names, *(f"partial_{name}" for name in names)]
