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
    at, place = np.unique(times, return_inverse=True)
    d, own = (np.bincount(place[of], minlength=len(at)) for of in (observed | ended, observed))
    n = len(times) - np.searchsorted(np.sort(times), at)
    survival = np.cumprod(1 - d / n)
    before = np.append(1.0, survival[:-1])
    incidence = np.cumsum(before * own / n)
    # Σ (F − F_i)² w_i − 2 Σ (F − F_i) v_i + …, over the times i up to that of F, by running sums;
    # where none is left the incidence does not rise any more, so that its weight does not matter
    w, v = d / (n * np.maximum(n - d, 1)), before * own / n**2
    variance = incidence**2 * np.cumsum(w) - 2 * incidence * np.cumsum(incidence * w + v)
    variance += np.cumsum(incidence**2 * w + 2 * incidence * v + before**2 * own * (n - own) / n**3)
    return at, incidence, np.maximum(variance, 0)


def final_incidence(times: ArrayLike, observed: ArrayLike, ended: ArrayLike) -> Interval:
    """Share of runs with the event by the last time that is known of any, with its 95 % interval.

    Where no run was censored before the last event, that is a plain proportion and the interval of
    Clopper & Pearson; else log-log, cut at 0 and 1, without one where no or every run had the
    event. Raises ValueError as `aalen_johansen` does.
    """
    times = np.asarray(times, dtype=float)
    observed, ended = np.asarray(observed, dtype=bool), np.asarray(ended, dtype=bool)
    censored = times[~observed & ~ended]
    if not (censored < times[observed].max(initial=0)).any():
        return proportion(int(observed.sum()), len(times))
    _, shares, variances = aalen_johansen(times, observed, ended)
    estimate, error = float(shares[-1]), math.sqrt(variances[-1])
    if not 0 < estimate < 1:
        return none(estimate, "no run, or every run, had the event")
    log = math.log(estimate)
    half = float(stats.norm.isf((1 - CONFIDENCE) / 2)) * error / (estimate * log)
    ends = (estimate ** math.exp(-half), estimate ** math.exp(half))
    return Interval(estimate, min(ends), max(ends), "Aalen–Johansen, log-log")
