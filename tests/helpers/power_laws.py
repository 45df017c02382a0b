"""Runs of a power law, as evaluations show them, for the tests of its parts."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.stats.intervals import Interval
from analysis.times import power_law

DECAYS = (0.3, 0.1, 0.01, 0.003)
ALONE = ["weight_decay"]
JOINT = ["weight_decay", "lr"]


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def seen(times: NDArray[np.float64], every: float, budget: float = math.inf) -> pd.DataFrame:
    """Times as evaluations every so many steps show them, until the budget is spent."""
    upper = np.ceil(times / every) * every
    observed = upper <= budget
    last = math.floor(budget / every) * every if math.isfinite(budget) else 0.0
    return pd.DataFrame(
        {
            "key": [f"{row:016d}" for row in range(len(times))],
            "event": "tau2",
            "step": np.where(observed, upper, last),
            "observed": observed,
            "lower": np.where(observed, upper - every, last),
            "upper": np.where(observed, upper, math.inf),
            "budget": budget,
            "state": "done",
        }
    )


def grid(
    generator: np.random.Generator,
    seeds: int = 5,
    k: float = 0.5,
    sigma: float = 0.3,
    every: float = 666,
    budget: float = math.inf,
    decays: tuple[float, ...] = DECAYS,
    rates: tuple[float, ...] = (1e-3,),
    rate_exponent: float = 1.0,
    of_seed: float = 0.0,
) -> pd.DataFrame:
    """Runs of a power law, each seed with all decays and rates; `of_seed` scatters seeds."""
    points = pd.MultiIndex.from_product([range(seeds), decays, rates])
    runs = points.to_frame(index=False, name=["seed", *JOINT])
    scatter = sigma * generator.normal(size=len(runs))
    scatter += of_seed * generator.normal(size=seeds)[runs["seed"]]
    times = 3000 * runs["weight_decay"] ** -k * (runs["lr"] / 1e-3) ** -rate_exponent
    events = seen((times * np.exp(scatter)).to_numpy(), every, budget)
    return pd.concat([events, runs], axis=1)


def fitted(events: pd.DataFrame, method: str = "profile", law: str = "power") -> power_law.Fit:
    return power_law.fit(events, ALONE, draws(), law, method)


def exponent(events: pd.DataFrame, method: str = "profile") -> Interval:
    return fitted(events, method).exponents["weight_decay"]


def tied(*bounds: tuple[float, float, float], seeds: int = 5) -> pd.DataFrame:
    """All seeds of a decay between the same two evaluations."""
    runs = pd.DataFrame(
        [(lower, upper, decay, seed) for decay, lower, upper in bounds for seed in range(seeds)],
        columns=["lower", "upper", "weight_decay", "seed"],
    )
    keys = [f"{row:016d}" for row in range(len(runs))]
    return runs.assign(
        key=keys, event="tau2", step=runs["upper"], observed=True, budget=1e5, state="done"
    )
