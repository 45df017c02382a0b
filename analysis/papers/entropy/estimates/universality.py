"""E6: other tasks modulo 97, and composition in S5 (Truong et al. 2026, section 9, Table 3)."""

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.conditions import BASELINE, groks
from analysis.papers.entropy.estimates.shares import finished, share
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.combine import every, join
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import means
from analysis.stats.intervals import Interval
from analysis.times import timescales
from analysis.times.compare import Arm
from analysis.times.mean_times import mean_time

MODULAR, S5 = "e6_universality", "e6_s5"
ADDITION, MULTIPLICATION, SUBTRACTION = "mod_add", "mod_mul", "mod_sub"
TASKS = {ADDITION: "a + b", MULTIPLICATION: "a · b", SUBTRACTION: "a − b"}
SEEDS = range(5)
"""the published ones; addition has more in the baseline"""
FRACTION = 0.1
"""of S5's pairs, as published"""


def modular_grokked(experiments: Experiments) -> Finding:
    """The share of runs of the three tasks that grok. Raises NotRun."""
    of_tasks = modular(experiments)
    tables = join(list(of_tasks.values()), experiments.folder)
    found = {task: groks(one) for task, one in of_tasks.items()}
    said = [f"{TASKS[task]}: {one['observed'].sum()} of {len(one)}" for task, one in found.items()]
    runs = pd.concat(found.values(), ignore_index=True)
    observed = runs["observed"].astype(bool)
    return share(MODULAR, tables, runs, observed, finished(runs), "; ".join(said))


def multiplication_time(experiments: Experiments) -> Finding:
    return _time(experiments, _task(experiments, MULTIPLICATION))


def subtraction_time(experiments: Experiments) -> Finding:
    return _time(experiments, _task(experiments, SUBTRACTION))


def threshold_spread(experiments: Experiments) -> Finding:
    """How far the largest mean H̃* of the three tasks is from the smallest. Raises NotRun.

    The interval is of the largest difference between two tasks, each over the seeds that grokked in
    both (`means.mean`): its upper end is the farthest that the interval of any pair reaches, its
    lower end the nearest to 0 that all allow. A range that is resampled itself is never below its
    own noise.
    """
    of_tasks = modular(experiments)
    if len(of_tasks) < len(TASKS):
        raise NotRun(f"{MODULAR}: not all of {', '.join(TASKS.values())} have been run")
    thresholds = {task: _by_seed(tables) for task, tables in of_tasks.items()}
    levels = {task: of_task.mean() for task, of_task in thresholds.items()}
    note = "; ".join(f"{TASKS[task]}: {number(level, 3)}" for task, level in levels.items())
    spread = float(np.ptp(list(levels.values())))  # NaN if a task has none, unlike max and min
    pairs = differences(thresholds, experiments.generator())
    tables = join(list(of_tasks.values()), experiments.folder)
    lower = max(_least(pair) for pair in pairs.values())
    upper = max(max(abs(pair.lower), abs(pair.upper)) for pair in pairs.values())
    if any(not pair.bounded for pair in pairs.values()):
        lower = upper = math.nan
    methods = {pair.method for pair in pairs.values()}
    found = Interval(spread, lower, upper, f"the three differences, {' and '.join(methods)}")
    return Finding(found, len(tables.cells), tables, note=note)


def s5_grokked(experiments: Experiments) -> Finding:
    """At the published fraction. Raises NotRun."""
    tables = _fraction(experiments, FRACTION)
    found = groks(tables)
    others = [
        f"{number(k)} of {number(n)} at {fraction:g}"
        for fraction, k, n in _by_fraction(experiments)
        if fraction != FRACTION
    ]
    note = "other fractions: " + ", ".join(others) if others else ""
    return share(S5, tables, found, found["observed"].astype(bool), finished(found), note)


def s5_time(experiments: Experiments) -> Finding:
    """At the published fraction. Raises NotRun."""
    return _time(experiments, _fraction(experiments, FRACTION))


def s5_threshold(experiments: Experiments) -> Finding:
    """The mean H̃ at T_grok, at the published fraction or else at the smallest at which a run groks.
    Raises NotRun if none does."""
    fractions = [fraction for fraction, k, _ in _by_fraction(experiments) if k]
    if not fractions:
        raise NotRun(f"{S5}: no run groks at any fraction, so there is no threshold")
    fraction = FRACTION if FRACTION in fractions else min(fractions)
    tables = _fraction(experiments, fraction)
    found = at_grok(tables).dropna()
    tables = tables.only(found.index)
    note = f"at a fraction of {fraction:g}"
    if fraction != FRACTION:
        note += f", the smallest at which a run groks: none does at {FRACTION:g}"
    interval = means.mean(found.to_numpy(), experiments.generator())
    return Finding(interval, len(found), tables, note=note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Table 3, and the differences between the tasks' thresholds. Raises NotRun without any run of
    the other tasks."""
    groups: list[tuple[str, Tables]] = []
    shown = {}
    try:
        of_tasks = modular(experiments)
        groups += [(TASKS[task], tables) for task, tables in of_tasks.items()]
        thresholds = {TASKS[task]: _by_seed(tables) for task, tables in of_tasks.items()}
        shown["Table 3: differences of the thresholds"] = _difference_table(
            differences(thresholds, experiments.generator())
        )
    except NotRun:
        pass
    try:
        groups += [
            (f"S5, {fraction:g} of the pairs", _fraction(experiments, fraction))
            for fraction, _, _ in _by_fraction(experiments)
        ]
    except NotRun:
        if not groups:
            raise
    rows = [_row(name, tables, experiments.generator()) for name, tables in groups]
    return {"Table 3: other tasks": pd.DataFrame(rows), **shown}


def modular(experiments: Experiments) -> dict[str, Tables]:
    """The runs of each task modulo 97 that was run, at the published seeds. Raises NotRun without
    those of multiplication and subtraction, or without the baseline."""
    found = {ADDITION: experiments.tables(BASELINE)}
    others = experiments.tables(MODULAR)
    found |= {
        task: _where(others, "task.name", task)
        for task in (MULTIPLICATION, SUBTRACTION)
        if (others.cells["task.name"] == task).any()
    }
    return {task: tables.only(_keys(tables, SEEDS)) for task, tables in found.items()}


def differences(
    thresholds: Mapping[str, pd.Series], generator: np.random.Generator
) -> dict[tuple[str, str], Interval]:
    """The mean difference of two tasks' thresholds, each by seed, over the seeds that have both,
    with its interval: of the first less the second of each pair."""
    found = {}
    for one, other in combinations(thresholds, 2):
        both = (thresholds[one] - thresholds[other]).dropna()
        if len(both):
            found[one, other] = means.mean(both.to_numpy(), generator)
        else:
            found[one, other] = Interval(math.nan, math.nan, math.nan, "none: no seed with both")
    return found


def fractions(experiments: Experiments) -> dict[float, Tables]:
    """S5's runs by the share of the pairs that they were trained on, ascending. Raises NotRun."""
    return {
        fraction: _fraction(experiments, fraction) for fraction, _, _ in _by_fraction(experiments)
    }


def _least(pair: Interval) -> float:
    """The smallest size of a difference in its interval."""
    return max(pair.lower, -pair.upper, 0.0)


def _time(experiments: Experiments, tables: Tables) -> Finding:
    arm = Arm("", groks(tables))
    found, note = mean_time(arm, experiments.generator())
    return Finding(found, len(arm.runs), tables, note=note)


def _task(experiments: Experiments, task: str) -> Tables:
    of_tasks = modular(experiments)
    if task not in of_tasks:
        raise NotRun(f"{MODULAR}: no run of {TASKS[task]}")
    return of_tasks[task]


def _fraction(experiments: Experiments, fraction: float) -> Tables:
    tables = experiments.tables(S5)
    near = np.isclose(tables.cells["task.fraction"].astype(float), fraction)
    if not near.any():
        raise NotRun(f"{S5}: no run at a fraction of {fraction:g}")
    return tables.only(tables.cells["key"][near])


def _by_fraction(experiments: Experiments) -> list[tuple[float, int, int]]:
    """Fraction, runs that grokked, runs; fractions ascending."""
    events = groks(experiments.tables(S5))
    return [
        (float(fraction), int(of_fraction["observed"].sum()), len(of_fraction))
        for fraction, of_fraction in events.groupby("task.fraction", sort=True)
    ]


def _by_seed(tables: Tables) -> pd.Series:
    """H̃ at T_grok by seed."""
    seeds = tables.cells.set_index("key")["seed"]
    values = at_grok(tables)
    return values.set_axis(seeds.reindex(values.index).to_numpy())


def _where(tables: Tables, column: str, value: object) -> Tables:
    return tables.only(tables.cells["key"][tables.cells[column] == value])


def _keys(tables: Tables, seeds: range) -> pd.Series:
    return tables.cells["key"][tables.cells["seed"].isin(seeds)]


def _row(name: str, tables: Tables, generator: np.random.Generator) -> dict[str, str]:
    grok = Arm(name, groks(tables))
    time, note = mean_time(grok, generator)
    values = at_grok(tables).dropna().to_numpy()
    threshold = "–"
    if len(values):
        mean = means.mean(values, generator)
        threshold = f"{number(mean.estimate, 3)} {interval(mean.lower, mean.upper, 3)}".rstrip()
    to = f" to {number(grok.budgets.min())}" if note else ""
    return {
        "task": name,
        "grokked": f"{grok.times.observed.sum()}/{len(grok.runs)}",
        "mean T_grok [95 %]": (
            f"{number(time.estimate)} {interval(time.lower, time.upper)}".rstrip() + to
        ),
        "H̃* [95 %]": threshold,
        "T_collapse < T_grok": _fires_before(tables),
        "the same every 200 steps": _fires_before(every(tables, 200)),
    }


def _fires_before(tables: Tables) -> str:
    """In how many of the runs that grok the rolling window fires before."""
    events = timescales.events(tables).set_index(["event", "key"])
    grok, collapse = events.loc["t_grok"], events.loc["t_collapse"]
    grok = grok[grok["observed"].astype(bool)]
    collapse = collapse.reindex(grok.index)
    fires = collapse["observed"].astype(bool) & (collapse["step"] < grok["step"])
    return f"{fires.sum()}/{len(grok)}"


def _difference_table(pairs: Mapping[tuple[str, str], Interval]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tasks": f"{one} less {other}",
            "difference of H̃*, same seeds [95 %]": (
                f"{number(pair.estimate, 3, '+')} {interval(pair.lower, pair.upper, 3, '+')}"
            ).rstrip(),
        }
        for (one, other), pair in pairs.items()
    )
