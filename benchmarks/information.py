"""Bias and spread of the information estimates where the true value is known.

    python -m benchmarks.information --store    # about three minutes of one core

Pairs: X and Z Gaussian of equal dimension, correlated one to one, with true mutual information
−d/2 log(1 − ρ²); estimated by both forms of grokpipe/measures/information/compression.py.
Channels: Z = g + E with g Gaussian of d equal variances, E standard; true ½ d log(1 + variance),
which is also the Gaussian bound of Theorem 3.4; estimated by the mixture of bounds.py.
"""

import argparse
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from benchmarks._common import RESULTS
from grokpipe.measures.information import bounds, compression

FILE = RESULTS / "information.csv"
TRUE = (0.0, 0.575, 3.32, 7.83)
"""nats: in 4 + 4 dimensions, correlations of 0, 0.5, 0.9 and 0.99"""
DIMENSIONS = (1, 2, 4)
SIZES = (1_000, 3_000, 10_000)
CHANNELS = (1, 10, 100)
CHANNEL_SIZES = (100, 300, 1_000)
REPLICATIONS = 10
ORDER = ["estimator", "dimensions", "true", "n"]


def pair(d: int, true: float, n: int, draws: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw n samples of a Gaussian pair (n, d), (n, d) with this mutual information."""
    rho = math.sqrt(-math.expm1(-2 * true / d))
    x, noise = draws.normal(size=(2, n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def pair_estimates(d: int, true: float, n: int, draws: np.random.Generator) -> dict[str, float]:
    """Both estimates of one drawn pair."""
    x, z = pair(d, true, n, draws)
    labels = np.zeros(n, dtype=np.int64)
    return {
        "compression": compression.released(x, z, labels).x,
        "compression_5nn": compression.five(x, z, labels).x,
    }


def channel_estimates(d: int, true: float, n: int, draws: np.random.Generator) -> dict[str, float]:
    """The mixture's estimate, with its pairwise bounds, of one drawn set of features."""
    features = math.sqrt(math.expm1(2 * true / d)) * draws.normal(size=(n, d))
    mixture = bounds.Mixtures([torch.from_numpy(features - features.mean(0))]).at(1.0)
    return {
        "conditional": mixture.estimate,
        "conditional_lower": mixture.lower,
        "conditional_upper": mixture.upper,
    }


def rows(case: tuple[str, int, float, int, int]) -> Iterator[dict[str, object]]:
    """Yield a row for each estimator in a case: mean error and standard deviation, in nats."""
    kind, d, true, n, replications = case
    estimates = pair_estimates if kind == "pair" else channel_estimates
    draws = np.random.default_rng([kind == "pair", d, round(1000 * true), n])
    table = pd.DataFrame([estimates(d, true, n, draws) for _ in range(replications)])
    for name in table:
        yield {
            "estimator": name,
            "dimensions": d,
            "true": true,
            "n": n,
            "bias": table[name].mean() - true,
            "sd": table[name].std(),
            "replications": replications,
        }


def cases(replications: int) -> list[tuple[str, int, float, int, int]]:
    """All cases, the slowest first."""
    kinds = (("pair", DIMENSIONS, SIZES), ("channel", CHANNELS, CHANNEL_SIZES))
    return [
        (kind, d, true, n, replications)
        for kind, dimensions, sizes in kinds
        for d in reversed(dimensions)
        for n in reversed(sizes)
        for true in TRUE
    ]


def _rows(case: tuple[str, int, float, int, int]) -> list[dict[str, object]]:
    torch.set_num_threads(1)
    return list(rows(case))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help=f"keep the rows in {FILE.name}")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    every = cases(options.replications)
    found: list[dict[str, object]] = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for part in track(pool.map(_rows, every), "estimating", len(every)):
            found += part
    table = pd.DataFrame(found).sort_values(ORDER)
    print(table.to_string(index=False))
    if options.store:
        table.to_csv(FILE, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
