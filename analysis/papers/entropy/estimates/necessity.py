"""E9: does any run grok without having crossed the baseline's H̃*? (Truong et al. 2026, the title of
section 11)"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pandas as pd
from scipy import stats

from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import at_event
from analysis.claims.rules import TAIL
from analysis.runs.combine import join
from analysis.runs.experiments import NotRun
from analysis.stats import effects
from grokpipe.curves.events import ENTROPY

OTHERS = (
    "e2_mixing", "e2_noise", "e3_norm_control", "e3_norm_alone", "e3_norm_freeze",
    "e3_temperature", "e3_regularise", "d2_failures", "e9_rates",
)  # fmt: skip
"""experiments on the baseline's task and architecture with other arms, decays, fractions, rates"""
LEVELS = {"the mean": "H̃* (mean)", "a new run": "upper end of H̃* of a new run"}
SWEPT = ("intervention.alpha", "intervention.beta", "weight_decay", "task.fraction", "lr")


def crossed_before_grokking(
    runs: Runs, level_of: Literal["the mean", "a new run"] = "the mean"
) -> Estimate:
    """Of the runs of all other arms that grok: in how many H̃ was at or below the baseline's mean
    H̃* at T_grok or at an earlier evaluation. About half of any runs are above a mean: "a new run"
    takes the level below which a further run of the baseline groks in 97.5 % (the upper end of the
    95 % prediction interval). Raises NotRun."""
    base = runs.arm(BASELINE)
    values = at_event(base, ENTROPY).to_numpy(float)
    level = threshold(base)
    if level_of == "a new run":
        if len(values) < 2:
            raise NotRun(f"{BASELINE}: one run that groks has no spread")
        reach = stats.t.isf(TAIL, len(values) - 1) * math.sqrt(1 + 1 / len(values))
        level += float(reach * values.std(ddof=1))
    others = list(_others(runs, base))
    found = pd.concat([crossed(arm, level) for arm in others]) if others else pd.DataFrame()
    if found.empty:
        raise NotRun(f"{', '.join(OTHERS)}: no run that groks")
    found = found[~found.index.duplicated()]
    tables = join([arm.tables for arm in others], runs.folder).only(found.index)
    k, n = int(found["by then"].sum()), len(found)
    # no run need be below a mean over runs: what the baseline's own do is the yardstick
    own = crossed(base, level)
    note = (
        f"{LEVELS[level_of]} = {level:.3f}, of the baseline's seeds, of which"
        f" {own['by then'].sum()} of {len(own)} have crossed it by T_grok and"
        f" {own['before'].sum()} at an earlier evaluation; of the other arms' runs"
        f" {found['before'].sum()} of {n} earlier"
    )
    return Estimate(effects.proportion(k, n), n, tables, k, note)


def threshold(base: Arm) -> float:
    """H̃*, the mean over the baseline's runs that grok. Raises NotRun if none does."""
    return float(at_event(base, ENTROPY).mean())


def by_arm(runs: Runs) -> Iterator[Arm]:
    """The baseline and every other arm that was run, labelled by what varies within its
    experiment. Raises NotRun without a baseline."""
    base = runs.arm(BASELINE)
    yield base
    for experiment in _others(runs, base):
        cells = experiment.tables.cells
        swept = [c for c in SWEPT if c in cells and cells[c].nunique(dropna=False) > 1]
        values = {arm: arm.tables.cells.iloc[0][swept].tolist() for arm in experiment.settings()}
        for arm in sorted(values, key=lambda arm: values[arm]):
            named = zip(swept, values[arm], strict=True)
            said = ", ".join(f"{name.rpartition('.')[2]} {value:g}" for name, value in named)
            yield replace(arm, label=f"{experiment.label} {said}".strip())


def crossed(arm: Arm, level: float) -> pd.DataFrame:
    """By key, of the runs that grok, whether H̃ was at or below the level `by then`, at an
    evaluation up to T_grok, and `before`, at an earlier one."""
    below = {key: curve[ENTROPY] <= level for key, curve in arm.until("t_grok").items()}
    rows = {
        key: {"by then": bool(one.any()), "before": bool(one.iloc[:-1].any())}
        for key, one in below.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["by then", "before"])


def _others(runs: Runs, base: Arm) -> Iterator[Arm]:
    """The other experiments that were run, without the baseline's cells."""
    known = set(base.tables.cells["key"])
    for name in OTHERS:
        try:
            tables = runs.tables(name)
        except NotRun:
            continue
        label = name.partition("_")[2].replace("_", " ")
        whole = Arm(name, label, None, tables, runs.events(name))
        yield whole.only(set(tables.cells["key"]) - known)
