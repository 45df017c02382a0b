"""Log-normal accelerated failure time model of interval-censored times, by maximum likelihood.

log τ = x·β + σε with ε ~ N(0, 1); for each run it is known that l < log τ ≤ u. A run in which the
event was not observed has u = ∞, one that had the event by its first evaluation l = −∞.

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
SLACK = 1e-6  # rounding where intervals are narrow: a step that loses no more is accepted
ELEMENTS = 1_000_000  # per array, to bound the memory of many weightings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Runs on the log scale; equal runs may share a row."""

    lower: Array
    """(row,); −∞ if the time has no lower bound"""
    upper: Array
    """(row,); ∞ if the time has no upper bound"""
    design: Array
    """(row, column), the intercept included; of full rank where both bounds are finite"""
    counts: Array
    """(row,) number of runs"""

    def fixing(self, column: int, slope: float) -> "Sample":
        """The same runs with this coefficient fixed at `slope`."""
        known = slope * self.design[:, column]
        return replace(
            self,
            lower=self.lower - known,
            upper=self.upper - known,
            design=np.delete(self.design, column, axis=1),
        )


@dataclass(frozen=True)
class Maximum:
    """Estimates for one or several weightings of the runs, (…); NaN where there is no maximum."""

    coefficients: Array
    """(…, column)"""
    sigma: Array
    """tends to 0 where `without_scatter`"""
    log_likelihood: Array


def maximise(sample: Sample) -> Maximum:
    """Maximise the likelihood; NaN where `reweighted` has no maximum."""
    maxima = reweighted(sample, sample.counts[None], _least_squares(sample))
    return Maximum(maxima.coefficients[0], maxima.sigma[0], maxima.log_likelihood[0])


def reweighted(sample: Sample, counts: Array, start: Maximum) -> Maximum:
    """Maximise the likelihood for several counts of the same rows, (batch, row), from one start.

    NaN where the counted rows bounded on both sides do not have full rank, since the likelihood may
    then be unbounded.
    """
    size = max(1, ELEMENTS // counts.shape[1])
    with np.errstate(all="ignore"):  # too long a step gives NaN and is rejected
        parts = [
            _newton(sample, counts[first : first + size], start)
            for first in range(0, len(counts), size)
        ]
    return Maximum(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def covariance(sample: Sample, at: Maximum) -> Array:
    """Covariance of the coefficients and, last, log σ: the inverse of the observed information."""
    *_, hessian = _derivatives(sample, sample.counts, at.coefficients[None], at.sigma[None])
    units = np.append(np.full(len(at.coefficients), at.sigma), -1.0)
    return np.linalg.inv(-hessian[0]) * np.outer(units, units)


def profile(sample: Sample, at: Maximum, column: int, drop: float) -> tuple[float, float]:
    """Profile likelihood limits of a coefficient (Venzon & Moolgavkar 1988).

    The two values at which the log-likelihood, maximised over all other parameters, has fallen by
    `drop`. Since it is concave, there is exactly one on either side of the maximum.
    """
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
    """Return whether one x·β lies in every interval, its ends included.

    Then the likelihood increases as σ goes to 0: the evaluations are too coarse, or the runs too
    few, to show any scatter.
    """
    has_upper, has_lower = np.isfinite(sample.upper), np.isfinite(sample.lower)
    solution = linprog(
        np.zeros(sample.design.shape[1]),
        A_ub=np.vstack([sample.design[has_upper], -sample.design[has_lower]]),
        b_ub=np.concatenate([sample.upper[has_upper], -sample.lower[has_lower]]),
        bounds=(None, None),
    )
    return bool(solution.status == 0)


def log_probability(a: Array, b: Array) -> Array:
    """Compute log(Φ(b) − Φ(a)) for a < b, accurately in either tail."""
    above = a > 0
    a, b = np.where(above, -b, a), np.where(above, -a, b)
    at_b = log_ndtr(b)
    return at_b + np.log(-np.expm1(log_ndtr(a) - at_b))


def densities(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Compute log P with P = Φ(b) − Φ(a), and φ(a)/P and φ(b)/P, its slopes up to sign."""
    log_p = log_probability(a, b)
    constant = log_p + np.log(2 * np.pi) / 2
    return log_p, np.exp(-a * a / 2 - constant), np.exp(-b * b / 2 - constant)


def _least_squares(sample: Sample) -> Maximum:
    """Starting values: least squares on the middles of the intervals, or on their only bound."""
    known = np.isfinite(sample.lower) | np.isfinite(sample.upper)  # other runs carry no information
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
    """Maximise by damped Newton steps; return coefficients, σ and log-likelihoods."""
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
    """Newton step, shortened so that θ keeps a tenth of its value, and its unshortened squared
    length in standard errors."""
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
    """Log-likelihood (batch,), and its gradient and Hessian in γ and, last, θ.

    Both are taken about these coefficients and in units of this σ (γ = 0 and θ = 1 there), so that
    no large numbers cancel.
    """
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
