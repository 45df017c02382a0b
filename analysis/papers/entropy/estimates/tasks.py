"""E6: thresholds of other tasks modulo 97, and of composition in S5 (Truong et al. 2026, section
9)."""

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.claims.arms import Arm, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import at_event
from analysis.output.formats import number
from analysis.runs.experiments import NotRun
from analysis.stats import means
from analysis.stats.intervals import CONFIDENCE, Interval, none
from grokpipe.curves.events import ENTROPY

MODULAR = ("addition", "multiplication", "subtraction")
PUBLISHED_FRACTION = 0.1


def threshold_spread(runs: Runs, by: Literal["pairs", "Welch"] = "pairs") -> Estimate:
    """How far the largest mean H̃* of the three tasks is from the smallest. Raises NotRun.

    The interval is of the largest difference between two tasks, each over the seeds that grokked in
    both (`means.mean`), or of all runs of both (Welch's t): its upper end is the farthest that the
    interval of any pair reaches, its lower end the nearest to 0 that all allow. A range that is
    resampled itself is never below its own noise.
    """
    arms = [runs.arm(name) for name in MODULAR]
    thresholds = {arm.label: by_seed(arm) for arm in arms}
    levels = {label: of_task.mean() for label, of_task in thresholds.items()}
    spread = float(np.ptp(list(levels.values())))  # NaN if a task has none, unlike max and min
    pairs = differences(thresholds, runs.generator(), by).values()
    lower = max(max(pair.lower, -pair.upper, 0.0) for pair in pairs)
    upper = max(max(abs(pair.lower), abs(pair.upper)) for pair in pairs)
    if any(not pair.bounded for pair in pairs):
        lower = upper = math.nan
    methods = dict.fromkeys(pair.method for pair in pairs)
    found = Interval(spread, lower, upper, f"the three differences, {' and '.join(methods)}")
    tables = runs.joined(arms, [key for arm in arms for key in arm.tables.cells["key"]])
    note = "; ".join(f"{label}: {number(level, 3)}" for label, level in levels.items())
    return Estimate(found, len(tables.cells), tables, note=note)


def s5_threshold(runs: Runs) -> Estimate:
    """The mean H̃ at T_grok, at the published fraction or else at the smallest at which a run groks.
    Raises NotRun if none does."""
    grokked = {
        fraction: arm
        for fraction, arm in runs.divided("s5_by_fraction").items()
        if arm.events("t_grok")["observed"].any()
    }
    if not grokked:
        raise NotRun("s5_by_fraction: no run groks at any fraction, so there is no threshold")
    published = PUBLISHED_FRACTION in grokked
    fraction = PUBLISHED_FRACTION if published else min(grokked)
    values = at_event(grokked[fraction], ENTROPY)
    note = f"at a fraction of {fraction:g}"
    if not published:
        note += f", the smallest at which a run groks: none does at {PUBLISHED_FRACTION:g}"
    interval = means.mean(values.to_numpy(), runs.generator())
    return Estimate(interval, len(values), grokked[fraction].tables.only(values.index), note=note)


def differences(
    thresholds: Mapping[str, pd.Series],
    generator: np.random.Generator,
    by: Literal["pairs", "Welch"] = "pairs",
) -> dict[tuple[str, str], Interval]:
    """The mean difference of two tasks' thresholds, each by seed, with its interval: of the first
    less the second of each pair, over the seeds that have both, or of all runs by Welch's t."""
    found = {}
    for one, other in combinations(thresholds, 2):
        if by == "Welch":
            found[one, other] = _welch(*(thresholds[name].dropna() for name in (one, other)))
            continue
        both = (thresholds[one] - thresholds[other]).dropna()
        if len(both):
            found[one, other] = means.mean(both.to_numpy(), generator)
        else:
            found[one, other] = Interval(math.nan, math.nan, math.nan, "none: no seed with both")
    return found


def _welch(first: pd.Series, second: pd.Series) -> Interval:
    if min(len(first), len(second)) < 2:
        return none(math.nan, "fewer than two runs that grok")
    ends = stats.ttest_ind(first, second, equal_var=False).confidence_interval(CONFIDENCE)
    centre = float(first.mean() - second.mean())
    return Interval(centre, float(ends.low), float(ends.high), "Welch t")


def by_seed(arm: Arm) -> pd.Series:
    """H̃ at T_grok by seed."""
    values = arm.at(ENTROPY, "t_grok")
    return values.set_axis(arm.seeds().reindex(values.index).to_numpy())
