"""Made-up curves of a predictor that falls towards an event."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grokpipe.curves.gap import Law, fit, pool

Curves = list[NDArray[np.float64]]
REMAINING = [np.arange(end, -1, -100.0) for end in (8_000, 9_500, 12_000, 7_000)]


def noisy(seed: int, runs: int = 4) -> tuple[Curves, Curves]:
    """A predictor that falls, convex and with noise, to about 0.6; a time of each run's own."""
    draws = np.random.default_rng(seed)
    ends = draws.integers(20, 40, runs) * 100.0
    remaining = [np.arange(end, -1, -100) for end in ends]
    x = [0.6 + (r / 8e4) ** (1 / 1.6) + draws.normal(0, 0.02, len(r)) for r in remaining]
    return x, remaining


def fit_power(x_by_run: Sequence[ArrayLike], remaining_by_run: Sequence[ArrayLike]) -> Law:
    """Fit the power law in the gap; arguments and errors as in `pool`."""
    return fit(pool(x_by_run, remaining_by_run), "power")


def fit_logarithmic(x_by_run: Sequence[ArrayLike], remaining_by_run: Sequence[ArrayLike]) -> Law:
    """Fit the logarithmic law; arguments and errors as in `pool`."""
    return fit(pool(x_by_run, remaining_by_run), "logarithmic")
