"""Table 1 of Truong et al. (2026) with every arm, and what stands beside it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName
from analysis.claims.arm_tables import (
    ONE_SIDED,
    Strength,
    delay,
    differences,
    on_one_processor,
    readable_tests,
    strengths,
    tests,
    trend,
)
from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.ratios import slowdown
from analysis.output.formats import bounded, estimated, interval, number, p_value
from analysis.runs.experiments import NotRun
from analysis.stats import effects, restricted, survival
from analysis.times import compare, contrasts
from grokpipe.curves.events import ENTROPY

GROK, SUSTAINED = "t_grok", "t_grok_sustained"
AGAIN = "baseline_again"
OTHERS = (
    "mixing", "matched", "norm_alone", "noise", "temperature", "held_up", "pushed_down", "frozen",
)  # fmt: skip
EARLIER = ("pushed_down",)
"""arms that by the paper's argument grok earlier than the baseline; the others later"""
TIMES = "Table 1: times of grokking"
HELD = "Table 1: times from which test accuracy 0.99 holds for 5 evaluations"
TESTS = "Table 1: tests against the baseline"
TREND = "Table 1: trend over the strength"
RAISED = "Table 1: entropy of unmixed probes"
ONE_PROCESSOR = "Table 1: delays between runs of one kind of processor"
PAIRS = "Table 1: delays between runs of the same seed"
RATIO = "ratio of times, all seeds [95 %]"
DELAY = "delay, same seeds [95 %]"
FAMILY = "log-rank"
"""the test whose p-values, adjusted for all arms that were run (Holm), stand in Table 1: it may be
made whatever the budgets and the censoring"""


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Table 1 with every arm that was run, the same for grokking that holds, its tests, the trend
    over the strengths, and H̃ of unmixed probes beside the baseline's, where that groks. Raises
    NotRun without a baseline or without any arm."""
    base, every = baseline(runs), found(runs)
    tested = tests(every, base, EARLIER)
    shown = {
        TIMES: _times(runs, every, base, tested),
        PAIRS: _pairs(every, base, runs.generator()),
        HELD: _sustained(runs),
        TESTS: readable_tests(tested),
        RAISED: differences(runs, every, runs.arm(BASELINE), ENTROPY, GROK, "H̃"),
    }
    more = {TREND: trend(every, base), ONE_PROCESSOR: on_one_processor(runs, every, base, AGAIN)}
    return shown | {name: table for name, table in more.items() if not table.empty}


def baseline(runs: Runs, event: str = GROK) -> compare.Arm:
    """Raises NotRun."""
    return runs.arm(BASELINE).whole(event)


def found(runs: Runs, event: str = GROK) -> list[Strength]:
    """The arms that were run. Raises NotRun if there are none."""
    return strengths(runs, OTHERS, event)


def _times(
    runs: Runs, every: Sequence[Strength], base: compare.Arm, tested: pd.DataFrame
) -> pd.DataFrame:
    """Everything in it is of all seeds of an arm and of the baseline, as the tests are."""
    by_test, generator = tested.set_index(["arm", "test"]), runs.generator()
    again = ArmName(AGAIN) if AGAIN in runs.arms and _is_there(runs, AGAIN) else None
    rows = [_alone(base, generator)]
    for one in every:
        at = runs if one.value is None else runs.at(str(one.arm.by), one.value)
        apart = slowdown(at, ArmName(one.arm.name), again=again).interval
        p = by_test.loc[one.label]
        times = one.times.times
        row = {
            RATIO: ("> " if np.isinf(apart.upper) else "") + estimated(apart, 2),
            "p, Mann–Whitney one-sided (as published)": p_value(p["p"][ONE_SIDED]),
            "p, log-rank": p_value(p["p"][FAMILY]),
            "p, log-rank, Holm": p_value(p["p_holm"][FAMILY]),
            "Cohen's d (as published)": estimated(
                effects.cohen_d(times, base.times, generator), 2
            ),
            "Cliff's delta [95 %]": estimated(effects.cliff_delta(times, base.times, generator), 2),
        }  # fmt: skip
        rows.append(_alone(one.times, generator) | row)
    return pd.DataFrame(rows).fillna("–")


def _pairs(
    every: Sequence[Strength], base: compare.Arm, generator: np.random.Generator
) -> pd.DataFrame:
    """The paper's delay, where a seed's run in both arms is a pair."""
    rows = []
    for one in every:
        found = contrasts.weighted([(1, one.times), (-1, base)], generator)
        rows.append(
            {"arm": one.label, "seeds": str(found.seeds),
             DELAY: estimated(found.interval, 0, "+"), "of which": found.note or "–"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _is_there(runs: Runs, arm: str) -> bool:
    try:
        runs.arm(arm)
    except NotRun:
        return False
    return True


def _sustained(runs: Runs) -> pd.DataFrame:
    """A run that reaches 0.99 once and falls back has grokked in Table 1, and has not here."""
    base, generator = baseline(runs, SUSTAINED), runs.generator()
    rows: list[dict[str, str]] = []
    for arm in (base, *(one.times for one in found(runs, SUSTAINED))):
        alone = _alone(arm, generator)
        row = {name: alone[name] for name in ("arm", "grokked", "mean [95 %]", "median [95 %]")}
        if arm is not base:
            row[DELAY] = estimated(delay(arm, base, generator), 0, "+")
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def _alone(arm: compare.Arm, generator: np.random.Generator) -> dict[str, str]:
    times, observed = arm.times.times, arm.times.observed
    until = restricted.horizon([(arm.times, arm.budgets)])
    mean = restricted.restricted_mean(times, observed, until, generator)
    median = survival.median(times, observed)
    to = "" if np.isinf(until) else f" to {number(until)}"
    of_grokked = number(float(times[observed].mean())) if observed.any() else "–"
    middle = bounded(median.median, median.followed, median.n)
    return {
        "arm": arm.label,
        "grokked": f"{observed.sum()}/{len(observed)}",
        "mean of those that grokked (as published)": of_grokked,
        "mean [95 %]": estimated(mean) + to,
        "median [95 %]": f"{middle} {interval(median.lower, median.upper)}".rstrip(),
    }
