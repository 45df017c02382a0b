"""Coverage of the 95 % intervals of each method, simulated at 5, 10 and 30 runs per arm.

    python -m benchmarks.coverage --store       # about 50 minutes on two cores

Times are log-normal with a spread like that of grokking times (σ = 0.3) and a wider one (σ = 1),
all observed or with a budget that 40 % of the runs exceed. A missing interval counts as a miss.
"""

import argparse
import math
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track
from scipy import integrate, stats

from analysis.forecasting import synchrony
from analysis.stats import bootstrap, effects, means, restricted, survival
from analysis.stats.intervals import Interval
from analysis.stats.survival import Times
from analysis.times import order, power_law
from benchmarks import coverage_gap_laws
from benchmarks._common import RESULTS
from benchmarks.coverage_case import Array, Case, Generator

SIZES = (5, 10, 30)
RESAMPLES = 2_000  # 10,000 change coverage by some thousandths at five times the cost
SPREADS = (0.3, 1.0)
EXCEED = 0.4  # share of the later arm's runs that exceed the budget
LATER = 0.3  # log of the factor by which the first of two arms is later
SHARED = 0.5  # share of the variance common to the runs of a seed in paired arms
EXPONENT = 0.5
DECAYS = (0.3, 0.1, 0.03, 0.01)
GRID = 666.0  # steps between evaluations of the published schedule
CONSTANT = 4_000.0
LAG, LAG_SPREAD, LAG_EVERY = 1_000.0, 600.0, 200.0
CORRELATION, CORRELATION_SPREAD = 0.7, 0.3
PROPORTION = "proportion"
FILE = RESULTS / "coverage.csv"
ORDER = ["statistic", "scenario", "method", "n"]


def cases() -> list[Case]:
    """List all cases but the proportion, whose coverage is computed (`proportion_coverage`)."""
    laws: list[tuple[str, float, Callable[[Generator, int], Any]]] = [
        ("normal", 0.0, lambda g, n: g.normal(size=n)),
        *((f"log-normal {s:g}", math.exp(s**2 / 2), partial(_values, s)) for s in SPREADS),
    ]
    every = [
        Case("mean", law, truth, draw, means.METHODS, lambda x, g, m: means.mean(x, g, m))
        for law, truth, draw in laws
    ]
    for spread in SPREADS:
        for budget in (math.inf, math.exp(spread * stats.norm.isf(EXCEED))):
            scenario = f"log-normal {spread:g}" + ("" if math.isinf(budget) else ", budget")
            every += [
                Case(
                    "median", scenario, 1.0, partial(_one, spread, budget),
                    survival.MEDIAN_METHODS, _median,
                ),
                Case(
                    "restricted mean", scenario, _restricted(spread, 0, budget),
                    partial(_one, spread, budget), restricted.METHODS,
                    partial(_restricted_mean, budget),
                ),
            ]  # fmt: skip
            later = budget * math.exp(LATER)
            for pairs in (False, True):
                draw = partial(_two, spread, later, pairs)
                every += _of_two(spread, later, pairs, scenario, draw)
    every += [_exponent(spread, budget) for spread in SPREADS for budget in (math.inf, 30_000.0)]
    return [*every, *coverage_gap_laws.cases(), *_together()]


def _of_two(
    spread: float, budget: float, pairs: bool, scenario: str, draw: Callable[..., Any]
) -> list[Case]:
    label = scenario + (", pairs" if pairs else "")
    means_apart = _restricted(spread, LATER, budget) - _restricted(spread, 0, budget)
    every = [
        Case(
            "difference of medians", label, math.exp(LATER) - 1, draw, tuple(survival.BOOTSTRAPS),
            lambda ab, g, m: survival.median_difference(ab[0], ab[1], g, pairs, m),
        ),
        Case(
            "difference of restricted means", label, means_apart, draw, restricted.METHODS,
            lambda ab, g, m: restricted.restricted_mean_difference(
                ab[0], ab[1], budget, g, pairs, m
            ),
        ),
    ]  # fmt: skip
    if not pairs:
        every.append(
            Case(
                "Cliff's delta",
                label,
                _delta(spread, budget),
                draw,
                effects.CLIFF_DELTA_METHODS,
                lambda ab, g, m: effects.cliff_delta(ab[0], ab[1], g, m),
            )
        )
    if not pairs and math.isinf(budget):
        variance = math.expm1(spread**2) * math.exp(spread**2)
        pooled = math.sqrt(variance * (math.exp(2 * LATER) + 1) / 2)
        every.append(
            Case(
                "Cohen's d",
                label,
                means_apart / pooled,
                draw,
                effects.COHEN_D_METHODS,
                lambda ab, g, m: effects.cohen_d(ab[0], ab[1], g, m),
            )
        )
    return every


def _exponent(spread: float, budget: float) -> Case:
    """Seeds × decays on the published grid of evaluations; a seed's runs have a part in common."""
    scenario = f"log-normal {spread:g}" + ("" if math.isinf(budget) else ", budget")

    def draw(generator: Generator, n: int) -> pd.DataFrame:
        of_seed = np.repeat(generator.normal(size=n), len(DECAYS))
        decay = np.tile(DECAYS, n)
        times = CONSTANT * decay**-EXPONENT * _values(spread, generator, len(decay), shared=of_seed)
        upper = np.ceil(times / GRID) * GRID
        observed = upper <= budget
        last = math.floor(budget / GRID) * GRID if math.isfinite(budget) else 0.0
        return pd.DataFrame(
            {
                "step": np.where(observed, upper, last),
                "observed": observed,
                "lower": np.where(observed, upper - GRID, last),
                "upper": np.where(observed, upper, math.inf),
                "budget": budget,
                "event": "tau",
                "seed": np.repeat(np.arange(n), len(DECAYS)),
                "key": [str(row) for row in range(len(decay))],
                "weight_decay": decay,
            }
        )

    def interval(runs: pd.DataFrame, generator: Generator, method: str) -> Interval:
        fitted = power_law.fit(runs, ["weight_decay"], generator, method=method)
        return fitted.exponents["weight_decay"]

    return Case("exponent", scenario, EXPONENT, draw, power_law.METHODS, interval)


def _together() -> list[Case]:
    """Cases of the median lag between two curves, seen at evaluations, and of their median rank
    correlation."""

    def lags(generator: Generator, n: int) -> pd.DataFrame:
        first = generator.uniform(10, 20, n) * LAG
        second = first + generator.normal(LAG, LAG_SPREAD, n)
        first, second = (np.ceil(times / LAG_EVERY) * LAG_EVERY for times in (first, second))
        lag = second - first
        return pd.DataFrame(
            {"lag": lag, "observed": True, "lower": lag - LAG_EVERY, "upper": lag + LAG_EVERY}
        )

    def correlations(generator: Generator, n: int) -> Array:
        middle = math.atanh(CORRELATION)
        return np.tanh(generator.normal(middle, CORRELATION_SPREAD, n))

    return [
        Case(
            "median lag", "normal", LAG, lags, ("order statistics",),
            lambda runs, g, m: order.median_lag(runs),
        ),
        Case(
            "median rank correlation", "normal of Fisher's z", CORRELATION, correlations,
            tuple(survival.BOOTSTRAPS), synchrony.median_correlation,
        ),
    ]  # fmt: skip


def _values(
    spread: float, generator: Generator, n: int, later: float = 0.0, shared: Array | None = None
) -> Array:
    own = generator.normal(size=n)
    if shared is not None:
        own = math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * own
    return np.exp(later + spread * own)


def _censored(times: Array, budget: float) -> Times:
    return Times(np.minimum(times, budget), times <= budget)


def _one(spread: float, budget: float, generator: Generator, n: int) -> Times:
    return _censored(_values(spread, generator, n), budget)


def _two(
    spread: float, budget: float, pairs: bool, generator: Generator, n: int
) -> tuple[Times, Times]:
    shared = generator.normal(size=n) if pairs else None
    first = _values(spread, generator, n, LATER, shared)
    return _censored(first, budget), _censored(_values(spread, generator, n, 0, shared), budget)


def _median(runs: Times, generator: Generator, method: str) -> Interval:
    median = survival.median(runs.times, runs.observed, method, generator)
    return Interval(median.median, median.lower, median.upper, median.method)


def _restricted_mean(budget: float, runs: Times, generator: Generator, method: str) -> Interval:
    return restricted.restricted_mean(runs.times, runs.observed, budget, generator, method)


def _restricted(spread: float, later: float, budget: float) -> float:
    """E min(τ, budget) of a log-normal time, in closed form."""
    mean = math.exp(later + spread**2 / 2)
    if math.isinf(budget):
        return mean
    z = (math.log(budget) - later) / spread
    return float(mean * stats.norm.cdf(z - spread) + budget * stats.norm.sf(z))


def _delta(spread: float, budget: float) -> float:
    """P(first later) − P(second later), both beyond the budget being a tie."""
    first, second = stats.norm(LATER, spread), stats.norm(0, spread)
    end = math.log(budget)

    def before(one: Any, other: Any) -> float:
        return integrate.quad(lambda t: one.pdf(t) * other.sf(t), -12 * spread, min(end, 12))[0]

    return before(second, first) - before(first, second)


def proportion_coverage(n: int) -> float:
    """Compute the least coverage of Clopper–Pearson over proportions of 1, 2, … 99 %."""
    ends = [effects.proportion(k, n) for k in range(n + 1)]
    shares = np.arange(1, 100) / 100
    held = np.array([[end.lower <= share <= end.upper for end in ends] for share in shares])
    return float((held * stats.binom.pmf(np.arange(n + 1), n, shares[:, None])).sum(1).min())


def simulated(case: Case, n: int, replications: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield a row per method: coverage, and the share of intervals without a finite width.

    All methods see the same runs, and every call draws the same.
    """
    name = zlib.crc32(f"{case.statistic}{case.scenario}{n}".encode())
    draws = np.random.default_rng([name, seed])
    held = {method: [0, 0] for method in case.methods}
    for _ in range(replications):
        runs = case.draw(draws, n)
        for method in case.methods:
            interval = case.interval(runs, draws, method)
            held[method][0] += interval.lower <= case.truth <= interval.upper
            held[method][1] += not interval.bounded
    for method, (covered, unbounded) in held.items():
        yield {
            "statistic": case.statistic,
            "scenario": case.scenario,
            "method": method,
            "n": n,
            "coverage": covered / replications,
            "unbounded": unbounded / replications,
            "replications": replications,
        }


def _rows(task: tuple[int, int, int]) -> list[dict[str, object]]:
    bootstrap.RESAMPLES = RESAMPLES
    which, n, replications = task
    return list(simulated(cases()[which], n, replications))


def main() -> None:
    every = cases()
    names = [*dict.fromkeys(case.statistic for case in every), PROPORTION]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help=f"keep the rows in {FILE.name}")
    parser.add_argument("--replications", type=int, help="in place of each case's own number")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--statistic", choices=names, nargs="+", default=names)
    options = parser.parse_args()
    tasks = [
        (which, n, options.replications or case.replications)
        for n in reversed(SIZES)
        for which, case in enumerate(every)
        if case.statistic in options.statistic
    ]
    rows = [
        {"statistic": PROPORTION, "scenario": "the worst share", "method": "Clopper–Pearson",
         "n": n, "coverage": proportion_coverage(n), "unbounded": 0.0, "replications": 0}
        for n in SIZES if PROPORTION in options.statistic
    ]  # fmt: skip
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for part in track(pool.map(_rows, tasks), "simulating", len(tasks)):
            rows += part
    table = pd.DataFrame(rows)
    print(table.sort_values(ORDER).to_string(index=False))
    if options.store:
        if FILE.exists():
            before = pd.read_csv(FILE)
            table = pd.concat([before[~before["statistic"].isin(options.statistic)], table])
        table.sort_values(ORDER).to_csv(FILE, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
