"""What benchmarks/coverage.py asks: of one number, under one law of runs, by several methods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.stats.intervals import Interval

REPLICATIONS = 1_000

Generator = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Case:
    """An estimate of one number under one law of the runs."""

    statistic: str
    scenario: str
    truth: float
    draw: Callable[[Generator, int], Any]
    """the runs of one replication, n an arm"""
    methods: tuple[str, ...]
    interval: Callable[[Any, Generator, str], Interval]
    replications: int = REPLICATIONS
