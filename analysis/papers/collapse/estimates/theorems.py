"""Whether what Theorems 3.2 and 3.4 of Sakamoto & Sato (2026) bound stays below, in one run."""

import math

import numpy as np
import pandas as pd

BOUND, TRAINING_BOUND = "theorem/bound", "theorem/bound_train"
ESTIMATE = "information/conditional_{}"
BOUNDS = ("information/gaussian_bound_{}", "information/trace_bound_{}")
SIGMAS = ("0.1", "0.3", "1")
"""noise, relative to the largest feature norm"""
ROUNDING = 1e-6  # of accuracies and bounds
ALLOWED = 0.05  # nats: error of the estimate of I(Z;X|Y)
SLACK = "0.3"


def bound_holds(curve: pd.DataFrame) -> bool | None:
    """Whether the error is at or below the bound of Theorem 3.2, from moments of the test set,
    wherever that is known. None where it is nowhere."""
    return _holds(curve, BOUND)


def training_bound_holds(curve: pd.DataFrame) -> bool | None:
    """The same for moments of the training set, of which the theorem says nothing."""
    return _holds(curve, TRAINING_BOUND)


def conditional_information_below_bounds(curve: pd.DataFrame) -> bool | None:
    """Whether I(Z;X|Y) is at or below both bounds of Theorem 3.4, but for ALLOWED, for each noise
    and wherever all are known. None where they are nowhere."""
    tested = 0
    for sigma in SIGMAS:
        estimate, *bounds = (name.format(sigma) for name in (ESTIMATE, *BOUNDS))
        if not {estimate, *bounds} <= {*curve}:
            return None
        values = curve[[estimate, *bounds]].dropna()
        if not (values[estimate] <= values[bounds].min(axis=1) + ALLOWED).all():
            return False
        tested += len(values)
    return True if tested else None


def slack(curve: pd.DataFrame) -> float:
    """The bound by covariances over I(Z;X|Y) with noise SLACK, geometric mean over the evaluations
    at which both are positive; NaN without any."""
    columns = [name.format(SLACK) for name in (BOUNDS[0], ESTIMATE)]
    if not {*columns} <= {*curve}:
        return math.nan
    values = curve[columns].dropna()
    bound, estimate = values[(values > 0).all(axis=1)].to_numpy(float).T
    return float(np.exp(np.log(bound / estimate).mean())) if len(bound) else math.nan


def _holds(curve: pd.DataFrame, bound: str) -> bool | None:
    if bound not in curve:
        return None
    values = curve[[bound, "test_accuracy"]].dropna()
    if values.empty:
        return None
    return bool((1 - values["test_accuracy"] <= values[bound] + ROUNDING).all())
