"""Three laws for the median of log-normal times, each at its largest likelihood, and how well it
fits."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize

from analysis.stats import aft
from analysis.stats.aft import Maximum, Sample
from analysis.times.regression import Runs

POWER, EXPONENTIAL, LOGARITHMIC = LAWS = ("power", "exponential", "logarithmic")

Array = NDArray[np.float64]


def in_logarithms(law: str) -> bool:
    """Whether the law is linear in the logarithms of its columns."""
    return law != EXPONENTIAL


def maximise(runs: Runs, law: str) -> Maximum:
    """Coefficients of log τ, or of τ for the logarithmic law; σ is 0 where the law passes through
    the intervals of all runs, which is where the likelihood is largest then."""
    found = _logarithmic(runs.sample) if law == LOGARITHMIC else aft.maximise(runs.sample)
    return replace(found, sigma=np.zeros(())) if _passes_through(runs.sample, law) else found


def explained(sample: Sample, sigma: float) -> float:
    """1 − σ²/σ₀² with σ₀ from the same likelihood and one mean for all; NaN if that is 0."""
    null = replace(sample, design=np.ones((len(sample.lower), 1)))
    if aft.without_scatter(null):
        return math.nan
    return 1 - sigma**2 / float(aft.maximise(null).sigma) ** 2


@dataclass(frozen=True)
class LackOfFit:
    """Test of a law against one free mean per grid point."""

    p: float
    """NaN where it cannot be told"""
    ratio: float
    """likelihood ratio, 2 log Λ; NaN where there is none"""
    df: int
    """grid points less coefficients"""
    why: str
    """why there is no p, or an empty text"""


def lack_of_fit(runs: Runs, found: Maximum) -> LackOfFit:
    """Likelihood ratio test of a law against one free mean per grid point.

    A grid point where no time is bounded on both sides, as where no run had the event, has
    likelihood 1 under a mean of its own, and counts. exp(2 log Λ / n) − 1 with n observed runs is
    referred to F, with the observed runs beyond one for each grid point that has any as residual
    degrees of freedom: exact where times are, it tends to χ². No test without residual degrees.
    """
    sample = runs.sample
    points, point_of = np.unique(runs.values, axis=0, return_inverse=True)
    member = point_of.reshape(-1) == np.arange(len(points))[:, None]
    bounded = np.isfinite(sample.lower) & np.isfinite(sample.upper)
    seen = member[(member & bounded).any(1)]
    df = len(points) - len(found.coefficients)
    if df <= 0:
        why = f"{len(points)} values for {len(found.coefficients)} coefficients"
        return LackOfFit(math.nan, math.nan, df, why)
    kept = seen.any(0)
    own = Sample(
        sample.lower[kept], sample.upper[kept], seen[:, kept].T.astype(float), sample.counts[kept]
    )
    ratio = max(0.0, 2 * float(aft.maximise(own).log_likelihood - found.log_likelihood))
    residual = runs.observed - len(seen)
    if residual <= 0:
        return LackOfFit(math.nan, ratio, df, "no value has the event in several runs")
    statistic = np.expm1(min(ratio / runs.observed, 500)) * residual / df
    return LackOfFit(float(stats.f.sf(statistic, df, residual)), ratio, df, "")


def _passes_through(sample: Sample, law: str) -> bool:
    if law == LOGARITHMIC:
        sample = replace(sample, lower=np.exp(sample.lower), upper=np.exp(sample.upper))
    return aft.without_scatter(sample)


def _logarithmic(sample: Sample) -> Maximum:
    """log τ = log(a + b log x) + σε. The parameters are log σ and the logarithms of the medians at
    the two ends of the range: between them no median can be negative."""
    at = sample.design[:, 1]
    low, span = float(at.min()), float(np.ptp(at))
    shares = np.column_stack([1 - (at - low) / span, (at - low) / span])

    def objective(parameters: Array) -> tuple[float, Array]:
        parts = shares * np.exp(parameters[:2])
        middle, sigma = parts.sum(1), np.exp(parameters[2])
        lower = (sample.lower - np.log(middle)) / sigma
        upper = (sample.upper - np.log(middle)) / sigma
        log_p, at_lower, at_upper = aft.densities(lower, upper)
        by_middle = sample.counts * (at_lower - at_upper) / sigma
        times_lower = np.where(np.isfinite(lower), lower, 0) * at_lower
        times_upper = np.where(np.isfinite(upper), upper, 0) * at_upper
        by_sigma = sample.counts * (times_lower - times_upper)
        gradient = np.append(by_middle @ (parts / middle[:, None]), by_sigma.sum())
        return -float(sample.counts @ log_p), -gradient

    power = aft.maximise(sample)
    ends = power.coefficients[0] + power.coefficients[1] * np.array([low, low + span])
    # from a wide scatter: with a narrow one the likelihood is too steep for a first step
    start = np.append(ends, np.log(max(float(power.sigma), 0.3)))
    with np.errstate(all="ignore"):  # a step too long gives infinity, and is refused as such
        best = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-6})
    first, last = np.exp(best.x[:2])
    slope = (last - first) / span
    return Maximum(
        np.array([first - slope * low, slope]), np.exp(best.x[2]), np.asarray(-best.fun)
    )  # fmt: skip
