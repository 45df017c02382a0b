"""Cumulative incidence of an event beside one that rules it out, such as divergence.

A run that has diverged never has the event. To count it as censored would be to say that it might
still have had the event as the other runs do, and Kaplan–Meier's 1 − S then overstates how many
have (Putter, Fiocco & Geskus 2007).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats.effects import proportion
from analysis.stats.intervals import CONFIDENCE, Interval, none

Array = NDArray[np.float64]


def aalen_johansen(
    times: ArrayLike, observed: ArrayLike, ended: ArrayLike
) -> tuple[Array, Array, Array]:
    """Aalen–Johansen estimate (1978): ascending distinct times, and the share of runs with the
    event by each, with its variance (Greenwood's kind; Collett 2015, sec. 12.3).

    `times`, (n,), are those of the event where `observed`, of the event that rules it out where
    `ended`, else of censoring, which follows both at equal times. Raises ValueError for no runs and
    for a run with both events.
    """
    times = np.asarray(times, dtype=float)
    observed, ended = np.asarray(observed, dtype=bool), np.asarray(ended, dtype=bool)
    if not len(times):
        raise ValueError("incidence among no runs")
    if (observed & ended).any():
        raise ValueError(f"{(observed & ended).sum()} runs are both observed and ended")
    at = np.unique(times)
    same = times[:, None] == at
    d, own = (same & (observed | ended)[:, None]).sum(0), (same & observed[:, None]).sum(0)
    n = (times[:, None] >= at).sum(0)
    survival = np.cumprod(1 - d / n)
    before = np.append(1.0, survival[:-1])
    incidence = np.cumsum(before * own / n)
    left = np.maximum(n - d, 1)  # where none is left the incidence does not rise any more
    gain = np.tril(incidence[:, None] - incidence)
    variance = gain**2 @ (d / (n * left)) - 2 * gain @ (before * own / n**2)
    variance += np.cumsum(before**2 * own * (n - own) / n**3)
    return at, incidence, np.maximum(variance, 0)


def final_incidence(times: ArrayLike, observed: ArrayLike, ended: ArrayLike) -> Interval:
    """Share of runs with the event by the last time that is known of any, with its 95 % interval.

    Where no run was censored before the last event, that is a plain proportion and the interval of
    Clopper & Pearson; else log-log, cut at 0 and 1, without one where no or every run had the
    event. Errors as for `aalen_johansen`.
    """
    times = np.asarray(times, dtype=float)
    observed, ended = np.asarray(observed, dtype=bool), np.asarray(ended, dtype=bool)
    _, shares, variances = aalen_johansen(times, observed, ended)
    censored = times[~observed & ~ended]
    if not (censored < times[observed].max(initial=0)).any():
        return proportion(int(observed.sum()), len(times))
    estimate, error = float(shares[-1]), math.sqrt(variances[-1])
    if not 0 < estimate < 1:
        return none(estimate, "no run, or every run, had the event")
    log = math.log(estimate)
    half = float(stats.norm.isf((1 - CONFIDENCE) / 2)) * error / (estimate * log)
    ends = (estimate ** math.exp(-half), estimate ** math.exp(half))
    return Interval(estimate, min(ends), max(ends), "Aalen–Johansen, log-log")
