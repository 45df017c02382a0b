"""Times to events: one row per run and event, and their medians by group."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from analysis.output.formats import bounded, counted, estimated, number, ranged
from analysis.output.notes import listed
from analysis.runs.tables import Tables, varied_columns
from analysis.stats import effects, restricted, survival
from analysis.stats.incidence import final_incidence
from analysis.stats.intervals import Interval, none
from analysis.stats.survival import Times
from analysis.times import half_changes
from analysis.times.labels import labelled, texts
from grokpipe.curves import definitions
from grokpipe.curves.definitions import EVENTS, columns, is_ratio, run_events
from grokpipe.curves.events import Event, first_reached, learned_levels
from grokpipe.curves.kinds import Crossing, OfOtherSeeds
from grokpipe.store.manifest import FINISHED

COLUMNS = (
    "event n reached median lower upper method mean mean_lower mean_upper mean_method horizon"
    " resolution runs share share_lower share_upper share_method diverged incidence incidence_lower"
    " incidence_upper incidence_method range_lower range_upper range_level"
).split()
EVENT_COLUMNS = ["step", "observed", "lower", "upper", "budget", "diverged"]
LEAST_LEVEL = 0.9
DIVERGED = "diverged"
"""state of a run that ended for good; a failed one is trained again when it is asked for again"""
MEASURES = columns()
"""the columns of the curves that named events are read from"""
UNDEFINED = {
    name: definition.undefined for name, definition in EVENTS.items() if definition.undefined
}
"""events that a run may not have at all, not even as censored, and why"""
NO_RUN = "none: no run has this event"


def events(
    tables: Tables, conditions: Sequence[str] = (), named: Sequence[str] | None = None
) -> pd.DataFrame:
    """A row per run and event: key, event, step, observed, lower, upper, budget, diverged, state,
    then the configuration. The events are all that have a name, or only those in `named`, as far as
    the tables have the columns that they are read from, and the conditions, which must have theirs.
    A run that is not finished is censored at its last step and has its state. One that diverged
    without the event never has it: it is later than its budget, and `diverged` is the step it was
    followed to (else NaN).

    t_cross uses the mean entropy at t_grok of the other seeds of the same arm. Runs without an
    evaluation have no row unless they diverged, and those of UNDEFINED none of that event:
    `undefined` lists them.
    """
    tables.require(("seed", "steps"), "needed for times to events")
    cells = tables.cells.set_index("key")
    classes = cells["classes"] if "classes" in cells else pd.Series(math.nan, index=cells.index)
    of_cell = {
        key: (1 / number, float(steps), state)
        for key, number, steps, state in zip(
            cells.index, classes, cells["steps"], cells["state"], strict=True
        )
    }
    runs = _runs(tables)
    names = list(dict.fromkeys([*(EVENTS if named is None else named), *conditions]))
    levels = _levels(tables, runs, names)
    rows = []
    for key, curves in runs.items():
        chance, budget, state = of_cell[key]
        found = run_events(curves, chance, budget, state == "done", levels.get(key), names)
        rows += [(key, name, *_times(event, state), state) for name, event in found.items()]
    there = dict.fromkeys(name for _, name, *_ in rows)
    everywhere = [name for name in there if name not in UNDEFINED and not is_ratio(name)]
    for key in of_cell.keys() - runs.keys():
        _, budget, state = of_cell[key]
        if state == DIVERGED:  # before its first evaluation
            unseen = first_reached([], [], budget)
            rows += [(key, name, *_times(unseen, state), state) for name in everywhere]
    long = pd.DataFrame(rows, columns=["key", "event", *EVENT_COLUMNS, "state"])
    configuration = tables.cells[["key", *tables.configuration]]
    return long.merge(configuration, on="key", how="left", sort=False)


def _times(event: Event, state: str) -> tuple[float, bool, float, float, float, float]:
    """The EVENT_COLUMNS of a run in this state."""
    if event.observed or state != DIVERGED:
        step, lower, diverged = event.step, event.lower, math.nan
    else:
        step, lower, diverged = event.budget, event.budget, event.step
    return step, event.observed, lower, event.upper, event.budget, diverged


def _never(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are of runs that never have the event, as they diverged without it."""
    return (rows["state"].eq(DIVERGED) & ~rows["observed"].astype(bool)).to_numpy()


def lasting(rows: pd.DataFrame) -> Times:
    """The times of an event's rows for medians and means: runs that never have it are at risk for
    as long as any run, whatever their own budget."""
    step = rows["step"].to_numpy(float)
    at_risk = np.where(_never(rows), step.max(), step)
    return Times(at_risk, rows["observed"].to_numpy(bool))


def incidence(rows: pd.DataFrame) -> Interval:
    """The share of an event's rows with it by the end of what is known of them: runs that diverged
    count as without it, unfinished ones as those that went on (Aalen–Johansen)."""
    ended = _never(rows)
    times = rows["diverged"].where(ended, rows["step"]) if ended.any() else rows["step"]
    return final_incidence(times, rows["observed"], ended)


def _runs(tables: Tables) -> dict[str, dict[str, NDArray[Any]]]:
    """By key, in order: the columns of a run's curves."""
    curves = tables.curves
    if not curves["key"].is_monotonic_increasing:
        curves = curves.sort_values("key", kind="stable")
    keys = curves["key"].to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    columns = {str(name): curves[name].to_numpy() for name in curves if name != "key"}
    return {
        str(keys[start]): {name: values[start:end] for name, values in columns.items()}
        for start, end in zip(starts, [*starts[1:], len(keys)][: len(starts)], strict=True)
    }


def shown(events: pd.DataFrame, tables: Tables) -> list[str]:
    """The events that the tables' tasks show (`definitions.SHOWN`), as far as runs have them, in
    the order of `events`; all if runs have none of those."""
    cells = tables.cells
    tasks = cells["task.name"].dropna().unique() if "task.name" in cells else [""]
    wanted, there = definitions.shown(tasks), list(events["event"].unique())
    return [name for name in there if name in wanted] or there


def arms(tables: Tables) -> pd.Series:
    """For each cell by its key, the number of its arm: the cells that differ in the seed alone."""
    cells, varied = tables.cells, varied_columns(tables)
    number = cells.groupby(varied, dropna=False, sort=False).ngroup() if varied else 0
    return pd.Series(number, index=cells.index).set_axis(cells["key"])


def _levels(
    tables: Tables, runs: Mapping[str, Mapping[str, NDArray[Any]]], names: Collection[str]
) -> dict[str, dict[str, float]]:
    """For each run, by event: the levels that are learned from the other runs of its arm."""
    found: dict[str, dict[str, float]] = {}
    for name in EVENTS.keys() & set(names):
        definition = EVENTS[name]
        if isinstance(definition, Crossing) and isinstance(definition.level, OfOtherSeeds):
            at = EVENTS[definition.level.at]
            assert isinstance(at, Crossing)
            known = {
                key: _at_first(curves[definition.column], at.reached(curves[at.column]))
                for key, curves in runs.items()
                if definition.column in curves and at.column in curves
            }
            values = pd.Series(known, dtype=float)
            of_arm = values.groupby(arms(tables).reindex(values.index))
            for key, level in of_arm.transform(learned_levels).items():
                found.setdefault(str(key), {})[name] = float(level)
    return found


def _at_first(values: NDArray[Any], reached: NDArray[np.bool_]) -> float:
    return float(values[reached.argmax()]) if reached.any() else math.nan


def timescales(
    events: pd.DataFrame,
    by: Sequence[str],
    method: str = survival.DEFAULT,
    generator: np.random.Generator | None = None,
    runs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Kaplan–Meier medians with 95 % intervals by a method of `survival.median`: columns `by`, then
    COLUMNS and followed, in the order of the groups (largest first) and of the events' definitions.

    `runs` holds all runs (key, columns `by`), by default those of `events`. A group's `n` counts
    its runs with the event, seen or censored, and `runs` all; without any its row has no numbers.

    `mean` is restricted to `horizon`, the steps that all groups were followed to, or ∞ if all their
    runs had the event; NaN where no run of the group had the event before that. `range_…` are order
    statistics around the median with their exact level, where the interval has no upper end.
    `diverged` counts the group's runs that did, and `incidence` is the share with the event where
    some are unfinished and some diverged. `resolution` is the widest gap between evaluations in
    which an event of the group was seen: no number is known more finely. `share` is reached/n.
    """
    order = {name: position for position, name in enumerate(events["event"].unique())}
    groups = _groups(events if runs is None else runs, by)
    rows = []
    for event, of_event in events.groupby("event", sort=False):
        of_groups = [of_event[of_event["key"].isin(group["key"])] for group in groups]
        times = [lasting(rows) if len(rows) else None for rows in of_groups]
        until = restricted.horizon(
            (known, of_group["budget"].to_numpy())
            for known, of_group in zip(times, of_groups, strict=True)
            if known
        )
        for group, of_group, known in zip(groups, of_groups, times, strict=True):
            row = {column: group[column].iloc[0] for column in by}
            row |= {"event": event, "runs": len(group)}
            row |= {"diverged": int((group["state"] == DIVERGED).sum())}
            if known is None:
                rows.append(row | {"n": 0, "reached": 0, "method": NO_RUN, "mean_method": NO_RUN})
                continue
            mean = (
                restricted.restricted_mean(known.times, known.observed, until)
                if until > 0
                else none(math.nan, "followed for 0 steps")
            )
            median = survival.median(known.times, known.observed, method, generator)
            widths = (of_group["upper"] - of_group["lower"])[of_group["observed"]]
            rows.append(
                row
                | {"horizon": until, "resolution": widths.max()}
                | share(of_group).columns("share")
                | incidence(of_group).columns("incidence")
                | vars(median)
                | order_range(known, median.upper)
                | mean.columns("mean")
            )
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS, "followed"])
    table["order"] = table["event"].map(order)
    ascending = [not is_numeric_dtype(table[column]) for column in by] + [True]
    table = table.sort_values([*by, "order"], ascending=ascending, ignore_index=True)
    return table.drop(columns="order")


def order_range(times: Times, upper: float) -> dict[str, float]:
    """The range of a median as columns range_lower, range_upper and range_level, NaN where its
    interval has an `upper` end of its own, and where its level is below LEAST_LEVEL, as of fewer
    than five runs."""
    found = survival.order_range(times.times, times.observed)
    needed = not math.isfinite(upper) and found.level >= LEAST_LEVEL
    return {f"range_{name}": end if needed else math.nan for name, end in vars(found).items()}


def share(runs: pd.DataFrame) -> Interval:
    """The share of an event's rows that had it, with the interval of Clopper & Pearson; none while
    a run that has not had it is unfinished."""
    waiting = int((~runs["observed"].astype(bool) & ~runs["state"].isin(FINISHED)).sum())
    if waiting:
        return none(math.nan, f"{waiting} of {len(runs)} runs are not finished")
    return effects.proportion(int(runs["observed"].sum()), len(runs))


def undefined(
    events: pd.DataFrame, tables: Tables, by: Sequence[str], names: Collection[str]
) -> list[str]:
    """A line for each reason why runs do not have one of the events `names`, with the groups of the
    columns `by` of which they are, and their number where others of the group have it; and on how
    half-changes among them were read."""
    runs, seen = tables.cells, set(events["key"])
    unseen = ~runs["key"].isin(seen)
    missing = {"no evaluation yet": {"": unseen}}
    for name, why in UNDEFINED.items():
        if name not in names or not set(columns([name])) <= set(tables.curves):
            continue  # not asked for, or no run measured what it is read from
        of_event = set(events.loc[events["event"] == name, "key"])
        without = runs["key"].isin(seen - of_event)
        missing.setdefault(why, {})[name] = without
    notes = []
    groups = labelled(runs, by)
    for why, by_event in missing.items():
        lines: dict[str, list[str]] = {}
        for name, without in by_event.items():
            if without.any():
                counts = {
                    label: (int(without[group.index].sum()), len(group))
                    for label, group in groups.items()
                }
                lines.setdefault(_whose(counts), []).append(name)
        for whose, without_names in lines.items():
            said = f" are without {', '.join(without_names)}" if without_names[0] else ""
            notes.append(f"note: {whose}{said}: {why}")
    return notes + half_changes.notes(events, list(names))


def _whose(counts: Mapping[str, tuple[int, int]]) -> str:
    """Runs by their number in each group and that of the whole group: `all runs of 0.3, 0.1` or
    `1 of 4 runs of 0.3`."""
    every = [label for label, (k, n) in counts.items() if k == n]
    if len(every) == len(counts):
        return "all runs"
    some = [f"{k} of {n} runs of {label}" for label, (k, n) in counts.items() if 0 < k < n]
    between = "; " if any("," in label for label in counts) else ", "
    whole = f"all runs of {listed(every, between=between)}" if every else ""
    return "; ".join(filter(None, [whole, listed(some)]))


def _groups(runs: pd.DataFrame, by: Sequence[str]) -> list[pd.DataFrame]:
    return list(labelled(runs.drop_duplicates("key"), by).values())


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The same table for people: thousands separated, what was not reached as a bound. Diverged
    runs, and ranges beside intervals without an upper end, have columns where there are any."""
    shown = table.drop(columns=[*COLUMNS[1:], "followed"])
    for column in shown.columns[: shown.columns.get_loc("event")]:
        written = texts(shown[column])
        if any(f"{v:g}" != text for v, text in written.items() if isinstance(v, float)):
            shown[column] = shown[column].map(written)  # six digits do not tell them apart
    rows = list(table.itertuples())
    shown["reached"] = [counted(row.reached, row.n, row.runs) for row in rows]
    if table["diverged"].any():
        shown["diverged"] = table["diverged"]
        shown["incidence [95 %]"] = [
            estimated(Interval(row.incidence, row.incidence_lower, row.incidence_upper, ""), 2)
            for row in rows
        ]
    shown["median"] = [
        bounded(row.median, row.followed, row.n, decimals(row.event)) for row in rows
    ]
    shown["95 % interval"] = [
        f"{number(row.lower, decimals(row.event))} – {number(row.upper, decimals(row.event))}"
        if not math.isnan(row.lower)
        else "–"
        for row in rows
    ]
    if table["range_level"].notna().any():
        shown["range (level)"] = [
            ranged(row.range_lower, row.range_upper, row.range_level, decimals(row.event))
            for row in rows
        ]
    shown["mean [95 %]"] = [
        estimated(Interval(row.mean, row.mean_lower, row.mean_upper, ""), decimals(row.event))
        + (
            f" to {number(row.horizon, decimals(row.event))}"
            if math.isfinite(row.horizon) and not math.isnan(row.mean)
            else ""
        )
        for row in rows
    ]
    shown["known to within"] = [number(row.resolution, decimals(row.event)) for row in rows]
    return shown


def decimals(event: str) -> int:
    """Steps have none; ratios of times, such as tau2_half/tau1, have two."""
    return 2 if is_ratio(event) else 0
