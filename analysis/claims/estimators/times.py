"""Estimators of times to events: means, shares, leads, delays."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from analysis.claims.arguments import ArmName, Column, EventName
from analysis.claims.arms import BASELINE, Arm, Runs, equation, finished, observed, require
from analysis.claims.estimate import Estimate
from analysis.output.formats import number
from analysis.runs.experiments import NotRun, Unmatched
from analysis.stats import effects, means
from analysis.times import contrasts, mean_times, order
from analysis.times.contrasts import Contrast
from grokpipe.curves.events import learned_levels
from grokpipe.errors import InputError

GROK = EventName("t_grok")
THAN = ArmName(BASELINE)


def mean_time(runs: Runs, of: ArmName, event: EventName = GROK) -> Estimate:
    """Mean step of an event over the runs of an arm, restricted to the steps that all were followed
    to (`mean_times.mean_time`). Where none had it the mean has a lower bound alone."""
    arm = runs.arm(of)
    whole = arm.whole(event)
    found, note = mean_times.mean_time(whole, runs.generator())
    if not whole.times.observed.any():
        found = replace(found, upper=math.inf)
    return Estimate(found, len(whole.runs), arm.tables, note=note)


def share_reached(
    runs: Runs, of: ArmName | list[ArmName], event: EventName = GROK, by_step: int | None = None
) -> Estimate:
    """Share of the runs of one or several arms that have an event, by a step if one is given.

    Unfinished runs count once their answer is known. Of several arms, those that were not run are
    left out.
    """
    arms = list(runs.there(of if isinstance(of, list) else [of]).values())
    rows = pd.concat([arm.events(event) for arm in arms], ignore_index=True)
    by = math.inf if by_step is None else by_step
    shown = rows["observed"].astype(bool) & (rows["step"] <= by)
    note = ""
    if len(arms) > 1:
        counts = [(arm.label, arm.events(event)["observed"]) for arm in arms]
        note = "; ".join(f"{label}: {found.sum()} of {len(found)}" for label, found in counts)
    return share(runs, arms, rows, shown, finished(rows) | (rows["step"] >= by), note)


def share_before(runs: Runs, of: ArmName, event: EventName, before: EventName = GROK) -> Estimate:
    """Share of the runs with the event `before` that had `event` at an earlier evaluation."""
    arm = runs.arm(of)
    found = leads(arm, event, before)
    k, n = int((found["order"] == order.BEFORE).sum()), len(found)
    return Estimate(effects.proportion(k, n), n, arm.tables.only(found.index), k)


def mean_lead(
    runs: Runs,
    of: ArmName,
    event: EventName,
    before: EventName = GROK,
    relative: bool = False,
) -> Estimate:
    """Mean steps from `event` to the event `before`, over the runs that had the latter; negative
    where `event` comes later. `relative`: each as a share of the time of `before`.

    In a run that had not had `event` by its last evaluation the lead is at most the time of
    `before` less that step: then the mean is only bounded from above.
    """
    arm = runs.arm(of)
    found = leads(arm, event, before)
    last = arm.tables.curves.groupby("key")["step"].max()
    most = found["lead"].fillna(found["step"] - last.reindex(found.index))
    unit = found["step"] if relative else 1
    interval = means.mean((most / unit).to_numpy(float), runs.generator())
    ends = ((found["lead"] / unit).agg(end) for end in ("min", "max"))
    note = f"runs from {' to '.join(number(end, 2 if relative else 0) for end in ends)}"
    if missing := int(found["lead"].isna().sum()):
        note += f"; {missing} runs had not shown it when they ended: no more than this"
        if interval.bounded:
            said = f"{interval.method}, {missing} leads bounded from above alone"
            interval = replace(interval, lower=-math.inf, method=said)
    return Estimate(interval, len(found), arm.tables.only(found.index), note=note)


def share_without(
    runs: Runs, of: ArmName | list[ArmName], event: EventName, without: EventName = GROK
) -> Estimate:
    """Share of the finished runs without the event `without` that had `event` all the same: how
    little it says that `event` comes first in those that have both. Raises NotRun if all had it."""
    arms = list(runs.there(of if isinstance(of, list) else [of]).values())
    rows, never = [], set()
    for arm in arms:
        late = arm.events(without)
        never |= set(late.loc[~late["observed"].astype(bool) & finished(late), "key"])
        rows.append(arm.events(event))
    early = pd.concat(rows, ignore_index=True).drop_duplicates("key")
    early = early[early["key"].isin(never)]
    if early.empty:
        raise NotRun(f"no finished run without {without}")
    k, n = int(early["observed"].sum()), len(early)
    return Estimate(effects.proportion(k, n), n, runs.joined(arms, early["key"]), k)


def calibrated_lead(runs: Runs, of: ArmName, column: Column, event: EventName = GROK) -> Estimate:
    """Mean steps by which a column passes the level that it has at an event in the other runs,
    before the event of its own run. A threshold set at the event leads it by nothing by
    construction: this is the lead that any other column has by the same construction."""
    arm = runs.arm(of)
    require(column, arm.tables.curves, f"arm {of}")
    at_event = arm.at(column, event).dropna()
    if len(at_event) < 2:
        raise NotRun(f"{of}: {len(at_event)} runs with {column} at {event}")
    levels = pd.Series(learned_levels(at_event), index=at_event.index)
    times = observed(arm.events(event)).set_index("key")["step"]
    found = {}
    for key, curve in arm.curves().items():
        if key in levels.index:
            values, steps = curve[column].to_numpy(float), curve["step"].to_numpy(float)
            sign = 1.0 if at_event[key] >= values[0] else -1.0
            passed = sign * (values - levels[key]) >= 0
            found[key] = times[key] - steps[passed.argmax()] if passed.any() else math.nan
    leads = pd.Series(found, dtype=float)
    ahead, never = int((leads > 0).sum()), int(leads.isna().sum())
    note = f"passed before {event} in {ahead} of {len(leads)} runs"
    if never:
        note += f"; {never} runs that never passed it are left out"
    leads = leads.dropna()
    interval = means.mean(leads.to_numpy(), runs.generator())
    return Estimate(interval, len(leads), arm.tables.only(leads.index), note=note)


def delay(runs: Runs, of: ArmName, than: ArmName = THAN, event: EventName = GROK) -> Estimate:
    """Restricted mean time of an arm less that of another over the seeds that they share
    (`contrasts.weighted`).

    The strengths of an arm count equally, seed by seed; two arms divided by the same column are
    compared at the strengths that both have.
    """
    arm, base = runs.arm(of), runs.arm(than)
    first, second = arm.strengths(event), base.strengths(event)
    if arm.by is not None and arm.by == base.by:
        shared = [strength for strength in first if strength in second]
        if not shared:
            raise Unmatched(f"arms {of} and {than}: no {arm.by} in common")
        first, second = ({s: one[s] for s in shared} for one in (first, second))
    terms = [(1 / len(first), one) for one in first.values()]
    terms += [(-1 / len(second), one) for one in second.values()]
    note = ""
    if arm.by and len(first) > 1:
        values = [strength for strength in first if strength is not None]
        note = f"mean over {equation(arm.by, *values)}"
    return compared(runs, [arm, base], lambda: contrasts.weighted(terms, runs.generator()), note)


def time_ratio(runs: Runs, of: ArmName, than: ArmName = THAN, event: EventName = GROK) -> Estimate:
    """Restricted mean time of an arm over that of another, over the seeds that they share
    (`contrasts.ratio`)."""
    arm, base = runs.arm(of), runs.arm(than)
    return compared(
        runs,
        [arm, base],
        lambda: contrasts.ratio(arm.whole(event), base.whole(event), runs.generator()),
    )


def leads(arm: Arm, event: EventName | str, before: EventName | str = GROK) -> pd.DataFrame:
    """The runs with the event `before`, by key in the order of seeds: seed, step (of `before`),
    event (the step of `event`), lead = step − event, both NaN where `event` was not seen, and order
    (of `event`; `order.orders`). Raises NotRun without such a run."""
    late = observed(arm.events(before)).set_index("key").sort_values("seed")
    if late.empty:
        raise NotRun(f"{arm.name}: no run had {before} yet")
    pairs = order.orders(arm.events(event), arm.events(before)).set_index("key").reindex(late.index)
    both = pairs["observed"].eq(True)
    return late[["seed", "step"]].assign(
        event=pairs["first_step"].where(both),
        lead=pairs["lag"].where(both),
        order=pairs["order"],
    )


def share(
    runs: Runs,
    arms: Sequence[Arm],
    rows: pd.DataFrame,
    shown: pd.Series,
    known: pd.Series,
    note: str = "",
) -> Estimate:
    """Share of `rows` (with `key`) that show something, out of those that do or of which it is
    `known` that they do not; both are masks of the rows. Raises NotRun if nothing is known yet."""
    known = known | shown
    if not known.any():
        names = ", ".join(arm.name for arm in arms)
        raise NotRun(f"{names}: no run is finished yet")
    k, n = int(shown.sum()), int(known.sum())
    waiting = f"{len(rows) - n} of {len(rows)} runs not finished" if n < len(rows) else ""
    said = "; ".join(part for part in (note, waiting) if part)
    tables = runs.joined(arms, rows["key"][known])
    return Estimate(effects.proportion(k, n), n, tables, k, said)


def compared(
    runs: Runs, arms: Sequence[Arm], make: Callable[[], Contrast], more: str = ""
) -> Estimate:
    """The estimate of a contrast of arms. Raises InputError where an arm has several runs of a
    seed."""
    try:
        found = make()
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{error}; divide the arm with by") from error
    tables = runs.joined(arms, found.keys)
    note = "; ".join(said for said in (found.note, more) if said)
    return Estimate(found.interval, len(tables.cells), tables, seeds=found.seeds, note=note)
