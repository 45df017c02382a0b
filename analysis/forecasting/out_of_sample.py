"""R² of predictions of the time that is left, each made without the run that it is for."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.forecasting.law_intervals import clipped, law_interval
from analysis.stats.intervals import Interval, none

Floats = NDArray[np.float64]

UNVARIED = "no remaining time differs from the mean of the other runs"


def r_squared(
    predicted: Floats,
    remaining: Floats,
    run: NDArray[np.intp],
    generator: np.random.Generator,
    method: str | None = None,
) -> Interval:
    """R² out of sample, from the predictions by the law of the other runs at each evaluation.

    Methods as in `law_intervals`. NaN without an interval for fewer than two runs, and where no
    remaining time differs from the mean of the other runs, as for events at the first evaluation
    after the start.
    """
    squares = np.bincount(run, (remaining - predicted) ** 2)
    total, known = _around_the_others(remaining, run)
    known &= np.isfinite(squares)
    squares, total = squares[known], total[known]
    if known.sum() < 2:
        return none(math.nan, "fewer than two runs")
    if not total.any():
        return none(math.nan, UNVARIED)
    interval = law_interval(
        lambda indices: 1 - _share(squares, total, indices), len(squares), generator, method
    )
    return clipped(interval, -math.inf, 1.0)


def gain(
    first: Floats,
    second: Floats,
    remaining: Floats,
    run: NDArray[np.intp],
    generator: np.random.Generator,
) -> Interval:
    """R² out of sample of one prediction of `remaining` (as for `r_squared`) less that of
    another, over resampled runs; all of shape (evaluations,).

    NaN without an interval for fewer than two runs with both predictions.
    """
    squares = [np.bincount(run, (remaining - ours) ** 2) for ours in (first, second)]
    total, known = _around_the_others(remaining, run)
    known &= np.isfinite(squares[0]) & np.isfinite(squares[1])
    if known.sum() < 2:
        return none(math.nan, "fewer than two runs")
    less, total = (squares[1] - squares[0])[known], total[known]
    if not total.any():
        return none(math.nan, UNVARIED)
    return law_interval(lambda indices: _share(less, total, indices), len(less), generator)


def _share(part: NDArray[Any], total: Floats, indices: NDArray[np.intp]) -> Floats:
    """Sum of the part over that of the total in each sample of runs; NaN where that is 0."""
    of_samples = total[indices].sum(-1)
    ratio: Floats = part[indices].sum(-1) / np.where(of_samples > 0, of_samples, np.nan)
    return ratio


def _around_the_others(
    remaining: Floats, run: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Sum of squares of each run around the mean of the other runs, and which runs have points."""
    points, sums = np.bincount(run), np.bincount(run, remaining)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (sums.sum() - sums) / (points.sum() - points)
    around: Floats = (remaining - mean[run]) ** 2
    return np.bincount(run, around).astype(float), points > 0
