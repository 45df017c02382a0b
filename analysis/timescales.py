"""Times to events: one row per run and event, and their medians by group."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from analysis import restricted, survival
from analysis.gather import Tables
from analysis.intervals import none
from analysis.survival import Times
from analysis.tables import bounded, interval, number
from grokpipe.curves.events import CROSSINGS, ENTROPY, RNC1, learned_levels, run_events

COLUMNS = (
    "event n reached median lower upper method mean mean_lower mean_upper mean_method horizon"
    " resolution"
).split()
EVENT_COLUMNS = ["step", "observed", "lower", "upper", "budget"]
MEASURES = ("train_accuracy", "test_accuracy", RNC1, ENTROPY)
"""what events are read from"""


def events(tables: Tables) -> pd.DataFrame:
    """A row per run and event: key, event, step, observed, lower, upper, budget, state, then the
    configuration. A run that is not finished is censored at its last step and has its state.

    t_cross uses the mean entropy at t_grok of the other seeds of the same arm. Runs without an
    evaluation are left out.
    """
    rows = []
    cells = tables.cells.set_index("key")
    runs = {
        str(key): {str(name): curves[name].to_numpy() for name in curves}
        for key, curves in tables.curves.groupby("key", sort=True)
    }
    levels = _levels(tables, runs)
    for key, curves in runs.items():
        cell = cells.loc[key]
        found = run_events(
            curves,
            chance=1 / cell["classes"],
            budget=float(cell["steps"]),
            finished=cell["state"] == "done",
            level=levels.get(key, math.nan),
        )
        for name, event in found.items():
            rows.append({"key": key, "event": name, **vars(event), "state": cell["state"]})
    long = pd.DataFrame(rows, columns=["key", "event", *EVENT_COLUMNS, "state"])
    configuration = tables.cells[["key", *tables.configuration]]
    return long.merge(configuration, on="key", how="left", sort=False)


def arms(tables: Tables) -> pd.Series:
    """For each cell by its key, the number of its arm: the cells that differ in the seed alone."""
    same = [column for column in tables.configuration if column != "seed"]
    number = tables.cells.groupby(same, dropna=False, sort=False).ngroup()
    return number.set_axis(tables.cells["key"])


def _levels(tables: Tables, runs: Mapping[str, Mapping[str, NDArray[Any]]]) -> dict[str, float]:
    """For each run with entropies, the mean entropy at t_grok of the others of its arm."""
    at_grok = pd.Series(
        {
            key: _at_first(curves[ENTROPY], CROSSINGS["t_grok"].reached(curves["test_accuracy"]))
            for key, curves in runs.items()
            if ENTROPY in curves
        },
        dtype=float,
    )
    return dict(at_grok.groupby(arms(tables).reindex(at_grok.index)).transform(learned_levels))


def _at_first(values: NDArray[Any], reached: NDArray[np.bool_]) -> float:
    return float(values[reached.argmax()]) if reached.any() else math.nan


def timescales(
    events: pd.DataFrame,
    by: Sequence[str],
    method: str = survival.DEFAULT,
    generator: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Kaplan–Meier medians with 95 % intervals by a method of `survival.median`: columns `by`, then
    COLUMNS and followed, in the order of the groups (largest first) and of the events' definitions.

    `mean` is restricted to `horizon`, the steps that all groups were followed to, or ∞ if all their
    runs had the event. `resolution` is the widest gap between evaluations in which an event of the
    group was seen: no number is known more finely. A ratio's n counts the runs in which its
    denominator was observed.
    """
    order = {name: position for position, name in enumerate(events["event"].unique())}
    rows = []
    for event, of_event in events.groupby("event", sort=False):
        groups = [
            (of_group, Times(of_group["step"].to_numpy(float), of_group["observed"].to_numpy(bool)))
            for _, of_group in of_event.groupby(list(by), sort=False, dropna=False)
        ]
        until = restricted.horizon((runs, group["budget"].to_numpy()) for group, runs in groups)
        for of_group, runs in groups:
            mean = (
                restricted.restricted_mean(runs.times, runs.observed, until)
                if until > 0
                else none(math.nan, "followed for 0 steps")
            )
            widths = (of_group["upper"] - of_group["lower"])[of_group["observed"]]
            rows.append(
                {column: of_group[column].iloc[0] for column in by}
                | {"event": event, "horizon": until, "resolution": widths.max()}
                | vars(survival.median(runs.times, runs.observed, method, generator))
                | mean.columns("mean")
            )
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS, "followed"])
    table["order"] = table["event"].map(order)
    ascending = [not is_numeric_dtype(table[column]) for column in by] + [True]
    table = table.sort_values([*by, "order"], ascending=ascending, ignore_index=True)
    return table.drop(columns="order")


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The same table for people: thousands separated, what was not reached as a bound."""
    shown = table.drop(columns=[*COLUMNS[1:], "followed"])
    shown["reached"] = [f"{r}/{n}" for r, n in zip(table["reached"], table["n"], strict=True)]
    shown["median"] = [
        bounded(row.median, row.followed, decimals(row.event)) for row in table.itertuples()
    ]
    shown["95 % interval"] = [
        f"{number(row.lower, decimals(row.event))} – {number(row.upper, decimals(row.event))}"
        if row.reached
        else "–"
        for row in table.itertuples()
    ]
    shown["mean [95 %]"] = [
        f"{number(row.mean, decimals(row.event))} "
        + interval(row.mean_lower, row.mean_upper, decimals(row.event))
        + ("" if row.horizon == math.inf else f" to {number(row.horizon, decimals(row.event))}")
        for row in table.itertuples()
    ]
    shown["known to within"] = [
        number(row.resolution, decimals(row.event)) for row in table.itertuples()
    ]
    return shown


def decimals(event: str) -> int:
    """Steps have none; ratios of times, such as tau2_half/tau1, have two."""
    return 2 if "/" in event else 0
