"""Forecast the step of an event from a run's predictor, by a law fitted to other runs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from grokpipe.curves.gap import Floats, Kind, Law, Runs, fit, fit_samples
from grokpipe.errors import InputError

LEVEL = 0.95
ROUNDING = 1e-12


@dataclass(frozen=True)
class Forecast:
    """Forecast step of an event with an interval, never before the step of the forecast itself.

    NaN where the predictor is NaN.
    """

    step: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Forecaster:
    """A law with its errors on runs that were not used to fit it."""

    law: Law
    errors: Floats
    """true less predicted steps until the event, ascending, of shape (points,)"""
    shares: Floats
    """cumulative share of each error, every run weighted equally, ascending to 1"""

    def forecast(self, step: ArrayLike, x: ArrayLike, level: float = LEVEL) -> Forecast:
        """Forecast the event from `step` and the predictor `x` at that step (same shape).

        The ends of the interval are quantiles of the errors, extended to include the forecast. The
        coverage therefore holds over all evaluations of a run together, not at each time by itself.
        It is near the level if errors vary within a run about as much as between runs; if each run
        is wrong by a constant, n runs cannot cover much more than (n − 1)/(n + 1).
        """
        step = np.asarray(step, dtype=np.float64)
        expected = step + self.law.remaining(x)
        low, high = self._error((1 - level) / 2), self._error((1 + level) / 2)
        return Forecast(
            step=np.maximum(expected, step),
            lower=np.maximum(expected + min(low, 0), step),
            upper=np.maximum(expected + max(high, 0), step),
        )

    def _error(self, share: float) -> float:
        at = np.searchsorted(self.shares, share - ROUNDING)
        return float(self.errors[min(int(at), len(self.errors) - 1)])


def fit_forecaster(runs: Runs, kind: Kind = "power") -> Forecaster:
    """Fit the law of these runs, and collect the errors of each run by the law of the others.

    Raises InputError unless at least two runs can be forecast from the others.
    """
    count = len(runs)
    laws = fit_samples(runs, 1 - np.eye(count), kind)
    errors, weights = [], []
    for number in range(count):
        seen = runs.run == number
        if seen.any() and np.isfinite(laws.threshold[number]):
            errors.append(runs.remaining[seen] - laws.law(number).remaining(runs.x[seen]))
            weights.append(np.full(len(errors[-1]), 1 / len(errors[-1])))
    if len(errors) < 2:
        raise InputError(
            f"runs to calibrate a forecast: {len(errors)} of {count} can be forecast from others;"
            " must be ≥ 2"
        )
    pooled, weight = np.concatenate(errors), np.concatenate(weights) / len(errors)
    order = np.argsort(pooled, kind="stable")
    return Forecaster(fit(runs, kind), pooled[order], weight[order].cumsum())
