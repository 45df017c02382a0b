"""Times to events: one row per run and event, and their medians by group."""

from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis import survival
from analysis.gather import Tables
from grokpipe.curves.events import run_events

COLUMNS = ["event", "n", "reached", "median", "lower", "upper"]
EVENT_COLUMNS = ["step", "observed", "lower", "upper", "budget"]


def events(tables: Tables) -> pd.DataFrame:
    """A row per run and event: key, event, step, observed, lower, upper, budget, state, then the
    configuration. A run that is not finished is censored at its last step and has its state.

    Runs without an evaluation are left out.
    """
    rows = []
    cells = tables.cells.set_index("key")
    for key, curves in tables.curves.groupby("key", sort=True):
        cell = cells.loc[key]
        found = run_events(
            {str(name): curves[name].to_numpy() for name in curves},
            chance=1 / cell["classes"],
            budget=float(cell["steps"]),
            finished=cell["state"] == "done",
        )
        for name, event in found.items():
            rows.append({"key": key, "event": name, **vars(event), "state": cell["state"]})
    long = pd.DataFrame(rows, columns=["key", "event", *EVENT_COLUMNS, "state"])
    configuration = tables.cells[["key", *tables.configuration]]
    return long.merge(configuration, on="key", how="left", sort=False)


def timescales(events: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Kaplan–Meier medians with 95 % intervals: columns `by`, event, n, reached, median, lower,
    upper, followed, in the order of the groups (largest first) and of the events' definitions.

    A ratio's n counts the runs in which its denominator was observed.
    """
    order = {name: position for position, name in enumerate(events["event"].unique())}
    rows = []
    for group, of_group in events.groupby([*by, "event"], sort=False, dropna=False):
        found = survival.median(of_group["step"], of_group["observed"])
        rows.append(dict(zip([*by, "event"], group, strict=True)) | vars(found))
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
        _time(row.median, row.event)
        if row.median < float("inf")
        else f"> {_time(row.followed, row.event)}"
        for row in table.itertuples()
    ]
    shown["95 % interval"] = [
        f"{_time(row.lower, row.event)} – {_time(row.upper, row.event)}" if row.reached else "–"
        for row in table.itertuples()
    ]
    return shown


def _time(value: float, event: str) -> str:
    """Steps without decimals; ratios of times, such as tau2_half/tau1, with two."""
    if value == float("inf"):
        return "∞"
    return f"{value:,.2f}" if "/" in event else f"{value:,.0f}"
