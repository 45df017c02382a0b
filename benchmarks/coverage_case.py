"""A case of benchmarks/coverage.py: one number under one distribution of runs, several methods."""

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
    """The estimate of one number under one distribution of the runs."""

    statistic: str
    scenario: str
    truth: float
    draw: Callable[[Generator, int], Any]
    """draws the runs of one replication, n per arm"""
    methods: tuple[str, ...]
    interval: Callable[[Any, Generator, str], Interval]
    replications: int = REPLICATIONS
