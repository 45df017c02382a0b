"""E1: when the baseline groks and at which entropy (Truong et al. 2026, section 5)."""

import numpy as np
import pandas as pd

from analysis import bootstrap, effects, means
from analysis.entropy import conditions
from analysis.entropy.conditions import BASELINE
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.mean_times import mean_time as restricted_mean
from analysis.entropy.thresholds import at_grok
from analysis.findings import Finding
from analysis.timescales import events
from grokpipe.curves.events import ENTROPY

MEMORISED = 500
"""steps within which the paper's networks memorise"""


def mean_time(experiments: Experiments) -> Finding:
    """T_grok, mean over seeds, runs that never grok counted up to what all were followed to."""
    tables, arm = experiments.tables(BASELINE), conditions.baseline(experiments)
    found, note = restricted_mean(arm, experiments.generator())
    return Finding(found, len(arm.runs), tables, note=note)


def grokked(experiments: Experiments) -> Finding:
    """The share of runs that grok."""
    tables = experiments.tables(BASELINE)
    observed = conditions.baseline(experiments).times.observed
    k, n = int(observed.sum()), len(observed)
    return Finding(effects.proportion(k, n), n, tables, k)


def mean_threshold(experiments: Experiments) -> Finding:
    """H̃*: H̃ at T_grok, mean over the runs that grok. Raises NotRun if none does."""
    values = _thresholds(experiments)
    found = means.mean(values, experiments.generator())
    note = f"seeds from {values.min():.3f} to {values.max():.3f}"
    return Finding(found, len(values), experiments.tables(BASELINE).only(values.index), note=note)


def threshold_variance(experiments: Experiments) -> Finding:
    """The variance of H̃(T_grok) between seeds (of the sample, n − 1). Raises NotRun."""
    values = _thresholds(experiments)
    of_runs = values.to_numpy()
    found = bootstrap.interval(
        lambda indices: of_runs[indices].var(-1, ddof=1), [len(of_runs)], experiments.generator()
    )
    return Finding(found, len(values), experiments.tables(BASELINE).only(values.index))


def mean_start(experiments: Experiments) -> Finding:
    """H̃ before the first step, mean over seeds."""
    tables = experiments.tables(BASELINE)
    first = tables.curves[tables.curves["step"] == 0].set_index("key")[ENTROPY]
    return Finding(means.mean(first.to_numpy(), experiments.generator()), len(first), tables)


def memorised_by_500(experiments: Experiments) -> Finding:
    """The share of runs with training accuracy 0.99 within 500 steps."""
    tables = experiments.tables(BASELINE)
    found = events(tables)
    found = found[found["event"] == "t_mem"]
    within = found["observed"].astype(bool) & (found["step"] <= MEMORISED)
    k, n = int(within.sum()), len(within)
    latest = found.loc[found["observed"].astype(bool), "step"].max()
    note = "" if np.isnan(latest) else f"the last one at {latest:,.0f}"
    return Finding(effects.proportion(k, n), n, tables, k, note)


def _thresholds(experiments: Experiments) -> pd.Series:
    values = at_grok(experiments.tables(BASELINE)).dropna()
    if not len(values):
        raise NotRun(f"{BASELINE}: no run grokked yet")
    return values
