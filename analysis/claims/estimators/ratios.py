"""Estimators of how much later an arm has an event: ratios of times, and what another machine does.

Times of one event scatter over decades and multiply, so arms are compared by the ratio of their
geometric means.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.claims.arguments import ArmName, EventName
from analysis.claims.arms import Arm, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import GROK, THAN
from analysis.output.formats import number, p_value
from analysis.runs.experiments import NotRun
from analysis.stats import means, variances
from analysis.stats.intervals import CONFIDENCE, Interval, none
from analysis.times import compare, mixed
from grokpipe.errors import InputError

MACHINE = "processor"
FEWEST = 2
BOUND = "bound"
"""begins the method of an estimate that only says more than"""


def slowdown(
    runs: Runs,
    of: ArmName,
    than: ArmName = THAN,
    event: EventName = GROK,
    by: Literal["mixed model", "pairs", "Welch"] = "mixed model",
    again: ArmName | None = None,
    bound: bool = True,
) -> Estimate:
    """Time of an event in an arm over that in another one, as a ratio of geometric means.

    By the mixed model log T ~ arm + (1 | seed) + (1 | machine) of all strengths of the arm
    (`mixed.delays`), in which `again`, runs of the second arm on another machine, tells the
    machine's share; by the pairs of shared seeds (t); or by all runs of both (Welch's t). Censored
    runs enter the model, and leave the other two without an interval. Where no run of the arm had
    the event, there is a bound: the budget over the other arm's mean, at Fisher's exact test of the
    two shares; without `bound` it is shown and decides nothing, as where the published arm had it.
    Raises NotRun where no run of the second arm had the event.
    """
    arm, base = runs.arm(of), runs.arm(than)
    first, second = arm.whole(event), base.whole(event)
    if not second.times.observed.any():
        raise NotRun(f"{than}: no run had {event} yet")
    behind = [arm, base]
    note = ""
    if not first.times.observed.any():
        found = _bound(first, second)
        if not bound:
            found = none(math.nan, f"not the published arm, which groks; {found.method}")
    elif by == "mixed model":
        repeated = [runs.arm(again)] if again is not None else []
        behind += repeated
        found, note = _modelled(runs, arm, base, repeated, event)
    else:
        found = (_pairs if by == "pairs" else _welch)(first, second, runs.generator())
    never = [
        (one.label, int((~one.times.observed).sum()), len(one.runs)) for one in (first, second)
    ]
    said = [f"{label}: {k} of {n} runs did not have {event}" for label, k, n in never if k]
    tables = runs.joined(behind, [key for one in behind for key in one.tables.cells["key"]])
    return Estimate(
        found,
        len(tables.cells),
        tables,
        seeds=len(first.runs),
        note="; ".join(part for part in (*said, note) if part),
        scale="log",
    )


def repeat_spread(
    runs: Runs, of: ArmName, than: ArmName = THAN, event: EventName = GROK
) -> Estimate:
    """Standard deviation, in steps, of the difference between two runs of the same cell on two
    machines: the floor of any difference between two runs of one seed. Raises NotRun for fewer than
    two cells that had the event on both."""
    arms = [runs.arm(of), runs.arm(than)]
    times = [
        rows[rows["observed"].astype(bool)].set_index("seed")["step"].astype(float)
        for rows in (arm.events(event) for arm in arms)
    ]
    difference = (times[0] - times[1]).dropna()
    if len(difference) < FEWEST:
        raise NotRun(f"{of}: {len(difference)} cells had {event} on both machines")
    variance = variances.variance(difference.to_numpy())
    ends = [math.sqrt(v) for v in (variance.estimate, variance.lower, variance.upper)]
    keys = arms[0].seeds()[lambda seed: seed.isin(difference.index)].index
    note = f"mean difference {number(difference.mean())}"
    tables = arms[0].tables.only(keys)
    spread = Interval(ends[0], ends[1], ends[2], variance.method)
    return Estimate(spread, len(difference), tables, note=note)


def _modelled(
    runs: Runs, arm: Arm, base: Arm, again: list[Arm], event: EventName
) -> tuple[Interval, str]:
    """The ratio of `arm`, which may be one strength, by a model of all its strengths."""
    if len(several := arm.strengths(event)) > 1:
        raise InputError(f"{len(several)} strengths: ask for each of them, by each: {arm.by}")
    whole = replace(runs, only=None).arm(arm.name)
    settings = {
        of_strength.label: of_strength.runs for of_strength in whole.strengths(event).values()
    }
    wanted = next(
        label for label, rows in settings.items() if set(arm.tables.cells["key"]) & set(rows["key"])
    )
    rows = [_with_machine(whole, one).assign(arm=label) for label, one in settings.items()]
    rows += [_with_machine(one, one.events(event)).assign(arm=base.label) for one in (base, *again)]
    together = pd.concat(rows, ignore_index=True)
    together = together.drop_duplicates(["arm", "key", MACHINE])
    found = runs.once(
        f"delays of {arm.name} {sorted(settings)} over {base.name} {len(again)} {event}",
        lambda: mixed.delays(together, base.label, MACHINE),
    )
    parts = {"seeds": found.seed_sd, "machines": found.machine_sd, "the rest": found.rest_sd}
    spread = ", ".join(f"{name} {sd:.2f}" for name, sd in parts.items() if not math.isnan(sd))
    said = f"log T scatters by (SD) {spread}" if spread else ""
    return found.ratio(wanted), "; ".join(part for part in (said, found.note) if part)


def _with_machine(arm: Arm, rows: pd.DataFrame) -> pd.DataFrame:
    machines = arm.tables.cells.drop_duplicates("key").set_index("key")[MACHINE]
    return rows.assign(**{MACHINE: machines.reindex(rows["key"]).to_numpy()})


def _pairs(arm: compare.Arm, base: compare.Arm, generator: np.random.Generator) -> Interval:
    shared = compare.paired(arm, base)
    if shared is None:
        return none(math.nan, "the arms do not share two seeds with one run each")
    first, second = (one.times for one in shared)
    if not (first.observed.all() and second.observed.all()):
        return none(math.nan, "a run was censored")
    found = means.mean(np.log(first.times / second.times), generator)
    return _ratio(found, f"paired {found.method}, {len(first.times)} seeds")


def _welch(arm: compare.Arm, base: compare.Arm, generator: np.random.Generator) -> Interval:
    del generator
    if not (arm.times.observed.all() and base.times.observed.all()):
        return none(math.nan, "a run was censored")
    if min(len(arm.runs), len(base.runs)) < FEWEST:
        return none(math.nan, "one run")
    logs = [np.log(one.times.times) for one in (arm, base)]
    if all(np.ptp(one) == 0 for one in logs):
        return none(math.exp(logs[0].mean() - logs[1].mean()), "no spread")
    ends = stats.ttest_ind(*logs, equal_var=False).confidence_interval(CONFIDENCE)
    centre = float(logs[0].mean() - logs[1].mean())
    return _ratio(Interval(centre, float(ends.low), float(ends.high), ""), "Welch t")


def _ratio(found: Interval, method: str) -> Interval:
    back: Callable[[float], float] = math.exp
    return Interval(back(found.estimate), back(found.lower), back(found.upper), method)


def _bound(arm: compare.Arm, base: compare.Arm) -> Interval:
    """More than this: none of the arm's runs had the event by its least budget."""
    until = float(np.min(arm.times.times))
    early = base.times.observed & (base.times.times <= until)
    table = [[0, len(arm.runs)], [int(early.sum()), len(base.runs) - int(early.sum())]]
    p = float(stats.fisher_exact(table).pvalue)
    said = f"{BOUND}: none of {len(arm.runs)} runs by {number(until)}, {table[1][0]} of "
    said += f"{len(base.runs)} of the other arm, Fisher's exact p {p_value(p)}"
    observed = base.times.times[base.times.observed]
    if len(observed) < FEWEST:
        return Interval(math.nan, 0.0, math.inf, said)
    logs = np.log(observed)
    latest = logs.mean() + stats.t.isf((1 - CONFIDENCE) / 2, len(logs) - 1) * stats.sem(logs)
    least = until / math.exp(float(latest))
    shown = p < 1 - CONFIDENCE and least > 1
    return Interval(until / math.exp(logs.mean()), least if shown else 0.0, math.inf, said)
