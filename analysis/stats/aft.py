"""The log-normal accelerated failure time model of interval-censored times, by maximum likelihood.

log τ = x·β + σε with ε ~ N(0, 1); of each run it is known that l < log τ ≤ u. A run that was never
seen to have the event has u = ∞, one that had it by its first evaluation l = −∞.

In the parameters γ = β/σ and θ = 1/σ the log-likelihood Σ log(Φ(θu − x·γ) − Φ(θl − x·γ)) is
concave (Olsen 1978; Pratt 1981), so that Newton's method finds its only maximum from any start, for
many weightings of the same runs at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog
from scipy.special import log_ndtr

TOLERANCE = 1e-12  # squared length of the last Newton step in standard errors
ITERATIONS = 200
SLACK = 1e-6  # rounding where intervals are narrow: a step that loses less is not refused
ELEMENTS = 1_000_000  # of one array at once: bounds the memory of many weightings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Runs on the log scale; equal runs may share a row."""

    lower: Array
    """(row,); −∞ if nothing bounds the time from below"""
    upper: Array
    """(row,); ∞ if nothing bounds it from above"""
    design: Array
    """(row, column), the intercept included; of full rank where both bounds are finite"""
    counts: Array
    """(row,) runs"""

    def fixing(self, column: int, slope: float) -> "Sample":
        """The same runs with this coefficient known."""
        known = slope * self.design[:, column]
        return replace(
            self,
            lower=self.lower - known,
            upper=self.upper - known,
            design=np.delete(self.design, column, axis=1),
        )


@dataclass(frozen=True)
class Maximum:
    """Estimates for one weighting of the runs or more, (…); NaN where none was found."""

    coefficients: Array
    """(…, column)"""
    sigma: Array
    """tends to 0 where `without_scatter`"""
    log_likelihood: Array


def maximise(sample: Sample) -> Maximum:
    """The maximum of the likelihood; NaN where `reweighted` has none."""
    found = reweighted(sample, sample.counts[None], _least_squares(sample))
    return Maximum(found.coefficients[0], found.sigma[0], found.log_likelihood[0])


def reweighted(sample: Sample, counts: Array, start: Maximum) -> Maximum:
    """The maxima for several counts of the same rows, (batch, row), from one start.

    NaN where the rows that are counted and bounded on both sides do not have full rank: there the
    likelihood may grow without end.
    """
    size = max(1, ELEMENTS // counts.shape[1])
    with np.errstate(all="ignore"):  # a step too long gives NaN, and is refused as such
        parts = [
            _newton(sample, counts[first : first + size], start)
            for first in range(0, len(counts), size)
        ]
    return Maximum(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def covariance(sample: Sample, at: Maximum) -> Array:
    """Of the coefficients and log σ, last: the inverse of the observed information."""
    *_, hessian = _derivatives(sample, sample.counts, at.coefficients[None], at.sigma[None])
    units = np.append(np.full(len(at.coefficients), at.sigma), -1.0)
    return np.linalg.inv(-hessian[0]) * np.outer(units, units)


def profile(sample: Sample, at: Maximum, column: int, drop: float) -> tuple[float, float]:
    """The two values of a coefficient at which the likelihood, largest over all else, has fallen by
    `drop` (Venzon & Moolgavkar 1988). It falls to both sides of the maximum without end, as the
    likelihood is concave: each value is the only one on its side."""
    if not np.isfinite(drop):
        return -np.inf, np.inf

    def above(slope: float) -> float:
        return float(maximise(sample.fixing(column, slope)).log_likelihood - target)

    target, estimate = at.log_likelihood - drop, float(at.coefficients[column])
    ends = []
    for direction in (-1, 1):
        inside, step = estimate, direction * 0.01 / float(np.ptp(sample.design[:, column]))
        while above(inside + step) > 0:
            inside, step = inside + step, 2 * step
        ends.append(float(brentq(above, inside, inside + step, xtol=abs(step) * 1e-8)))
    return ends[0], ends[1]


def without_scatter(sample: Sample) -> bool:
    """Whether one x·β lies in every interval, its ends included. Then the likelihood grows as σ
    falls to 0: the evaluations are too coarse, or the runs too few, to show any scatter."""
    has_upper, has_lower = np.isfinite(sample.upper), np.isfinite(sample.lower)
    found = linprog(
        np.zeros(sample.design.shape[1]),
        A_ub=np.vstack([sample.design[has_upper], -sample.design[has_lower]]),
        b_ub=np.concatenate([sample.upper[has_upper], -sample.lower[has_lower]]),
        bounds=(None, None),
    )
    return bool(found.status == 0)


def log_probability(a: Array, b: Array) -> Array:
    """log(Φ(b) − Φ(a)) for a < b, in either tail."""
    above = a > 0
    a, b = np.where(above, -b, a), np.where(above, -a, b)
    at_b = log_ndtr(b)
    return at_b + np.log(-np.expm1(log_ndtr(a) - at_b))


def densities(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """log P with P = Φ(b) − Φ(a), and its slopes φ(a)/P, falling, and φ(b)/P, rising."""
    log_p = log_probability(a, b)
    constant = log_p + np.log(2 * np.pi) / 2
    return log_p, np.exp(-a * a / 2 - constant), np.exp(-b * b / 2 - constant)


def _least_squares(sample: Sample) -> Maximum:
    """On the middles of the intervals, or the bound that there is: a start."""
    known = np.isfinite(sample.lower) | np.isfinite(sample.upper)  # else a run says nothing
    lower, upper, design = sample.lower[known], sample.upper[known], sample.design[known]
    lower = np.where(np.isfinite(lower), lower, upper)
    upper = np.where(np.isfinite(upper), upper, lower)
    root = np.sqrt(sample.counts[known])
    middles = (lower + upper) / 2
    coefficients = np.linalg.lstsq(design * root[:, None], middles * root, rcond=None)[0]
    squares = (middles - design @ coefficients) ** 2 + (upper - lower) ** 2 / 12  # of a uniform
    variance = float((squares * root**2).sum() / sample.counts.sum())
    sigma = np.asarray(np.sqrt(variance or 1.0))
    return Maximum(coefficients.astype(float), sigma, np.full((), np.nan))


def _newton(sample: Sample, counts: Array, start: Maximum) -> tuple[Array, Array, Array]:
    """Damped Newton: coefficients, σ and log-likelihoods."""
    coefficients = np.tile(start.coefficients, (len(counts), 1))
    sigma = np.full(len(counts), start.sigma)
    value, gradient, hessian = _derivatives(sample, counts, coefficients, sigma)
    step, gain = _step(gradient, hessian)
    solvable = _full_rank(sample, counts)
    active = np.flatnonzero(solvable)
    for _ in range(ITERATIONS):
        active = active[~(gain[active] <= TOLERANCE)]
        if not len(active):
            break
        trial_sigma = sigma[active] / (1 + step[active, -1])
        trial = coefficients[active] + trial_sigma[:, None] * step[active, :-1]
        new, gradient, hessian = _derivatives(sample, counts[active], trial, trial_sigma)
        better = new >= value[active] - SLACK
        step[active[~better]] /= 4
        moved = active[better]
        coefficients[moved], sigma[moved], value[moved] = (
            trial[better], trial_sigma[better], new[better],
        )  # fmt: skip
        step[moved], gain[moved] = _step(gradient[better], hessian[better])
    unsolved = np.append(active, np.flatnonzero(~solvable))
    coefficients[unsolved], sigma[unsolved], value[unsolved] = np.nan, np.nan, np.nan
    return coefficients, sigma, value


def _step(gradient: Array, hessian: Array) -> tuple[Array, Array]:
    """The Newton step, shortened so that θ keeps a tenth of its value, and its squared length in
    standard errors before that."""
    information = -hessian
    diagonal = np.einsum("bii->bi", information)  # a view
    diagonal += 1e-12 * abs(diagonal) + 1e-100  # where the likelihood is flat
    step = np.linalg.solve(information, gradient[..., None])[..., 0]
    gain = (gradient * step).sum(-1)
    return step * (0.9 / np.maximum(-step[:, -1:], 0.9)), gain


def _full_rank(sample: Sample, counts: Array) -> NDArray[np.bool_]:
    bounded = np.isfinite(sample.lower) & np.isfinite(sample.upper)
    design = sample.design[bounded]
    design = design / np.maximum(abs(design).max(0, initial=0), 1e-300)
    gram = _outer(design, (counts[:, bounded] > 0).astype(float))
    rounding = 1e-14 * np.trace(gram, axis1=1, axis2=2)
    return np.linalg.matrix_rank(gram, tol=rounding, hermitian=True) == design.shape[1]


def _outer(design: Array, weights: Array) -> Array:
    """Σ w x xᵀ over the rows, (batch, column, column)."""
    rows, columns = design.shape
    products = (design[:, :, None] * design[:, None]).reshape(rows, columns**2)
    return (weights @ products).reshape(len(weights), columns, columns)


def _derivatives(
    sample: Sample, counts: Array, coefficients: Array, sigma: Array
) -> tuple[Array, Array, Array]:
    """The log-likelihood (batch,), its gradient and Hessian in γ and θ, last, both taken about
    these coefficients and in units of this σ (γ = 0 and θ = 1 here): nothing large cancels."""
    design, line, scale = sample.design, coefficients @ sample.design.T, sigma[:, None]
    lower, upper = (sample.lower - line) / scale, (sample.upper - line) / scale
    log_p, at_lower, at_upper = densities(lower, upper)
    lower, upper = np.where(np.isfinite(lower), lower, 0), np.where(np.isfinite(upper), upper, 0)

    # slopes in x·γ and θ, then second derivatives; differences first, as the densities are large
    # and nearly equal where intervals are narrow
    bend_lower, bend_upper = lower * at_lower, upper * at_upper
    by_line, by_theta = at_lower - at_upper, bend_upper - bend_lower
    line_line = -by_theta - by_line**2
    line_theta = bend_upper * upper - bend_lower * lower - by_line * by_theta
    theta_theta = bend_lower * lower**2 - bend_upper * upper**2 - by_theta**2

    batch, columns = coefficients.shape
    gradient = np.empty((batch, columns + 1))
    gradient[:, :-1] = (counts * by_line) @ design
    gradient[:, -1] = (counts * by_theta).sum(-1)
    hessian = np.empty((batch, columns + 1, columns + 1))
    hessian[:, :-1, :-1] = _outer(design, counts * line_line)
    hessian[:, :-1, -1] = hessian[:, -1, :-1] = (counts * line_theta) @ design
    hessian[:, -1, -1] = (counts * theta_theta).sum(-1)
    return (counts * log_p).sum(-1), gradient, hessian
