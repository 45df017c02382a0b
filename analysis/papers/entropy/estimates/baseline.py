"""E1: when the baseline groks and at which entropy (Truong et al. 2026, section 5)."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from analysis.claims.findings import Finding
from analysis.papers.entropy.estimates import conditions
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.shares import finished, share
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.stats import means
from analysis.stats.intervals import CONFIDENCE, Interval, none
from analysis.times.mean_times import mean_time as restricted_mean
from analysis.times.timescales import events
from grokpipe.curves.events import ENTROPY

MEMORISED = 500
"""steps within which the paper's networks memorise"""


def mean_time(experiments: Experiments) -> Finding:
    """T_grok, mean over seeds, runs that never grok counted up to what all were followed to."""
    tables, arm = experiments.tables(BASELINE), conditions.baseline(experiments)
    found, note = restricted_mean(arm, experiments.generator())
    return Finding(found, len(arm.runs), tables, note=note)


def grokked(experiments: Experiments) -> Finding:
    """The share of runs that grok, of those that did or are finished. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    found = conditions.groks(tables)
    return share(BASELINE, tables, found, found["observed"].astype(bool), finished(found))


def mean_threshold(experiments: Experiments) -> Finding:
    """H̃*: H̃ at T_grok, mean over the runs that grok. Raises NotRun if none does."""
    values = _thresholds(experiments)
    found = means.mean(values, experiments.generator())
    note = f"seeds from {values.min():.3f} to {values.max():.3f}"
    return Finding(found, len(values), experiments.tables(BASELINE).only(values.index), note=note)


def threshold_variance(experiments: Experiments) -> Finding:
    """The variance of H̃(T_grok) between seeds (of the sample, n − 1). Raises NotRun."""
    values = _thresholds(experiments)
    found = variance(values.to_numpy())
    return Finding(found, len(values), experiments.tables(BASELINE).only(values.index))


def variance(values: np.ndarray) -> Interval:
    """The variance (n − 1) of the runs' values, (n,), with the 95 % interval of a normal sample,
    (n − 1)s²/χ²; none for one run or without spread.

    Of ten values it held 95 % of the time where they are normal, 99 % where uniform, 89 % where
    log-normal with σ = 0.3 (400 simulations each); BCa held 80, 91 and 78 %: a resample of ten
    holds about six different ones.
    """
    if len(values) < 2:
        return none(math.nan, "one run")
    estimate = float(values.var(ddof=1))
    if not estimate > 0:
        return none(estimate, "no spread")
    freedom, tail = len(values) - 1, (1 - CONFIDENCE) / 2
    lower, upper = freedom * estimate / stats.chi2.isf([tail, 1 - tail], freedom)
    return Interval(estimate, float(lower), float(upper), "χ² (normal)")


def mean_start(experiments: Experiments) -> Finding:
    """H̃ before the first step, mean over seeds."""
    tables = experiments.tables(BASELINE)
    first = tables.curves[tables.curves["step"] == 0].set_index("key")[ENTROPY]
    return Finding(means.mean(first.to_numpy(), experiments.generator()), len(first), tables)


def memorised_by_500(experiments: Experiments) -> Finding:
    """The share of runs with training accuracy 0.99 within 500 steps, of those that were followed
    for as long, or are finished. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    found = events(tables)
    found = found[found["event"] == "t_mem"]
    within = found["observed"].astype(bool) & (found["step"] <= MEMORISED)
    known = (found["step"] >= MEMORISED) | (finished(found))
    latest = found.loc[found["observed"].astype(bool), "step"].max()
    note = "" if np.isnan(latest) else f"the last one at {latest:,.0f}"
    return share(BASELINE, tables, found, within, known, note)


def _thresholds(experiments: Experiments) -> pd.Series:
    values = at_grok(experiments.tables(BASELINE)).dropna()
    if not len(values):
        raise NotRun(f"{BASELINE}: no run grokked yet")
    return values
