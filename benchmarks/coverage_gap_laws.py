"""Gap laws for benchmarks/coverage.py: the power law of the remaining time, fitted to runs that
differ in exponent, length and threshold."""

import math
from functools import partial

import numpy as np

from analysis.forecasting import gap_laws, law_intervals, out_of_sample
from analysis.stats.intervals import Interval
from benchmarks.coverage_case import Case, Generator
from grokpipe.curves import gap

REPLICATIONS = 200  # a replication of a law at n = 30 takes more than a second
GAMMA, GAMMA_SPREAD = 1.65, 0.25  # exponents of the runs' laws
SCALE_SPREAD, THRESHOLD_SPREAD = 0.3, 0.02
LENGTH, EVERY, FALL, NOISE = 8_000.0, 400.0, 0.2, 0.003
MANY = 4_000  # runs whose pooled law is the truth


def cases() -> list[Case]:
    """List the cases; the true values are those of a fit to very many runs."""
    many = _falls(np.random.default_rng(0), MANY)
    laws = gap.fit_samples(many, np.ones((1, MANY)), "power")
    limit = float(laws.r_squared[0])

    def out(runs: gap.Runs, generator: Generator, method: str) -> Interval:
        predicted = gap_laws.held_out(runs, "power")
        return out_of_sample.r_squared(predicted, runs.remaining, runs.run, generator, method)

    def of(name: str, runs: gap.Runs, generator: Generator, method: str) -> Interval:
        return gap_laws.law_intervals(runs, "power", generator, method)[name]

    return [
        Case(name, "entropies", truth, _falls, law_intervals.METHODS, interval, REPLICATIONS)
        for name, truth, interval in (
            ("γ of a gap law", float(laws.shape[0]), partial(of, "gamma")),
            ("R² of a gap law", limit, partial(of, "r_squared")),
            ("R² out of sample", limit, out),
        )
    ]


def _falls(generator: Generator, n: int) -> gap.Runs:
    """Draw runs whose entropy falls to its threshold by the gap's power law, with noise."""
    entropies, remaining = [], []
    for _ in range(n):
        gamma = generator.normal(GAMMA, GAMMA_SPREAD)
        scale = math.exp(generator.normal(0, SCALE_SPREAD))
        threshold = generator.normal(0.6, THRESHOLD_SPREAD)
        left = EVERY * np.arange(math.ceil(LENGTH * scale / EVERY), -1, -1)
        falling = threshold + FALL * (left / (LENGTH * scale)) ** (1 / gamma)
        entropies.append(falling + generator.normal(0, NOISE, len(left)))
        remaining.append(left)
    return gap.pool(entropies, remaining)
