"""Made-up times that the tests of survival share."""

from fractions import Fraction

import numpy as np
import pytest

from analysis.stats.survival import Times

SEEDS = pytest.mark.parametrize("seed", range(20))


def random(seed: int, largest: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Tied times, about a third censored anywhere."""
    draws = np.random.default_rng(seed)
    times = draws.integers(1, 30, size=draws.integers(3, largest)).astype(float)
    observed = draws.random(len(times)) < 0.7
    observed[0] = True
    return times, observed


def arm(times: object, observed: object = True) -> Times:
    times = np.array(times, dtype=float)
    return Times(times, np.array(np.broadcast_to(observed, times.shape), dtype=bool))


A, B = arm([11, 23, 35, 47, 60], [1, 1, 0, 1, 0]), arm([8, 14, 27, 39], [1, 1, 1, 0])


def by_fractions(times: np.ndarray, observed: np.ndarray) -> list[tuple[float, Fraction]]:
    """S after each distinct time, from its definition, in exact numbers."""
    left, steps = Fraction(1), []
    for time in sorted(set(times)):
        events = int((observed & (times == time)).sum())
        left *= 1 - Fraction(events, int((times >= time).sum()))
        steps.append((time, left))
    return steps
