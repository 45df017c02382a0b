"""Linear mixed model of right-censored values: y = Xβ + Σ_k Z_k u_k + ε, crossed random effects.

u_k ~ N(0, s_k²) for each level of grouping k, ε ~ N(0, σ²); of a censored value it is known that it
exceeds y. The variances maximise the likelihood with β and u integrated out over a flat prior of β
by Laplace's approximation about their joint mode. Without censored values the integrand is Gaussian
and that is the restricted likelihood itself (REML; Patterson & Thompson 1971). Given the variances,
the integrand is log-concave, so that Newton's method finds its only mode.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats
from scipy.special import log_ndtr

from analysis.stats.intervals import CONFIDENCE, Interval, none

ITERATIONS = 100
TOLERANCE = 1e-10  # squared length of the last Newton step in standard errors
NEGLIGIBLE = 1e-3  # ratio of a standard deviation to σ below which it counts as 0
VANISHING = 1e-5  # ratio to the scatter about the design below which σ counts as 0
DIFFERENCE = 1e-2  # step in log variances for numerical derivatives

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class MixedModel:
    """Estimates of a mixed model."""

    coefficients: Array
    """(column,)"""
    covariance: Array
    """(column, column) at the estimated variances"""
    deviations: dict[str, float]
    """standard deviation s_k of each grouping that was fitted; 0 on the boundary"""
    sigma: float
    """residual standard deviation; 0 where the groupings leave no scatter"""
    log_likelihood: float
    """restricted, by Laplace; its constant is that of the normal density"""
    left_out: dict[str, str]
    """groupings that the data cannot tell from something else, and from what"""
    _problem: "_Problem" = field(repr=False, compare=False)

    def contrast(self, weights: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
        """Σ weights · β with its t interval, the degrees of freedom by Satterthwaite (1946; as
        Giesbrecht & Burns 1985): 2f²/Var f̂ for the variance f of the contrast.

        Exact where one variance decides, as in pairs without censored values: there it is the
        paired t. Variances estimated as 0 are taken as known. No interval where the variances are
        not determined, or no scatter is left.
        """
        weights = np.asarray(weights, dtype=float)
        estimate = float(weights @ self.coefficients)
        if not self.sigma:
            return none(estimate, "no scatter is left")
        freedom = self._freedom(weights)
        if not freedom > 0:
            return none(estimate, "the variances are not determined")
        error = math.sqrt(weights @ self.covariance @ weights)
        half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
        method = f"mixed model, t with {freedom:.1f} degrees of freedom"
        return Interval(estimate, estimate - half, estimate + half, method)

    def _freedom(self, weights: Array) -> float:
        """Satterthwaite's degrees of freedom, by central differences in the log variances."""
        every = np.array([*self.deviations.values(), self.sigma])
        free = np.flatnonzero(every > 0)

        def at(shift: Array) -> tuple[float, float]:
            moved = every.copy()
            moved[free] *= np.exp(shift / 2)
            _, log_likelihood, covariance = self._problem.integrate(moved)
            return log_likelihood, math.log(weights @ covariance @ weights)

        m = len(free)
        unit, zero = DIFFERENCE * np.eye(m), at(np.zeros(m))
        ends = [(at(step), at(-step)) for step in unit]
        slope = np.array([(up[1] - down[1]) / (2 * DIFFERENCE) for up, down in ends])
        information = np.empty((m, m))
        for i in range(m):
            for j in range(i + 1):
                if i == j:
                    bend = ends[i][0][0] + ends[i][1][0] - 2 * zero[0]
                else:
                    signs = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
                    bend = sum(s * at(a * unit[i] + b * unit[j])[0] for a, b, s in signs) / 4
                information[i, j] = information[j, i] = -bend / DIFFERENCE**2
        if not (np.linalg.eigvalsh(information) > 0).all():
            return math.nan
        return float(2 / (slope @ np.linalg.solve(information, slope)))


def fit(
    values: ArrayLike, observed: ArrayLike, design: ArrayLike, groups: Mapping[str, ArrayLike]
) -> MixedModel:
    """Fit the model by restricted maximum likelihood.

    A grouping that the data cannot tell from something else is left out (`MixedModel.left_out`):
    one of a single level, or with a run a level, or whose levels follow from the design or from the
    groupings before it.

    Args:
        values: (n,), of censored ones their lower bounds.
        observed: (n,); False: censored.
        design: (n, column), of full rank.
        groups: grouping → (n,) labels of its levels.

    Raises:
        ValueError: fewer than two observed values more than columns, the design is not of full rank
            over the observed values, or shapes differ.
    """
    values, observed = np.asarray(values, dtype=float), np.asarray(observed, dtype=bool)
    design = np.asarray(design, dtype=float)
    if values.ndim != 1 or not values.shape == observed.shape == design.shape[:1]:
        raise ValueError(f"shapes {values.shape}, {observed.shape}, {design.shape} do not match")
    columns = design.shape[1]
    if observed.sum() < columns + 2:
        raise ValueError(f"{observed.sum()} observed values for {columns} coefficients")
    if np.linalg.matrix_rank(design[observed]) < columns:
        raise ValueError("the observed values do not determine the coefficients")
    kept: dict[str, Array] = {}
    left_out: dict[str, str] = {}
    for name, labels in groups.items():
        levels = _indicators(labels, len(values))
        if why := _indistinct(levels, design, kept):
            left_out[name] = why
        else:
            kept[name] = levels
    problem = _Problem(values, observed, design, tuple(kept.values()))
    deviations, scattered = problem.maximise()
    mode, log_likelihood, covariance = problem.integrate(deviations)
    return MixedModel(
        coefficients=mode[:columns],
        covariance=covariance,
        deviations=dict(zip(kept, deviations[:-1].tolist(), strict=True)),
        sigma=float(deviations[-1]) if scattered else 0.0,
        log_likelihood=log_likelihood,
        left_out=left_out,
        _problem=problem,
    )


def _indicators(labels: ArrayLike, n: int) -> Array:
    """Z of a grouping, (n, level)."""
    _, codes = np.unique(np.asarray(labels).astype(str), return_inverse=True)
    if codes.shape != (n,):
        raise ValueError(f"labels of {codes.size} values for {n}")
    return np.eye(codes.max() + 1)[codes]


def _indistinct(levels: Array, design: Array, kept: Mapping[str, Array]) -> str:
    """What a grouping cannot be told from, or an empty text."""
    n, count = levels.shape
    if count == 1:
        return "one level only"
    if count == n:
        return "a run a level: not told from the scatter"
    rank = np.linalg.matrix_rank(design)
    if np.linalg.matrix_rank(np.hstack([design, levels])) == rank:
        return "its levels are those of the arms"
    for other, of_other in kept.items():
        if (levels.T @ of_other > 0).sum() == count == of_other.shape[1]:
            return f"its levels are those of {other}"
    return ""


@dataclass(frozen=True)
class _Problem:
    values: Array
    observed: Mask
    design: Array
    levels: tuple[Array, ...]

    def maximise(self) -> tuple[Array, bool]:
        """The standard deviations (s_1, …, σ) at the largest restricted likelihood, and whether σ
        is more than the bound put on it where there is no scatter."""
        design, values = self.design[self.observed], self.values[self.observed]
        residuals = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        scale = math.sqrt(float((residuals**2).mean()))
        if scale <= VANISHING * float(np.ptp(values)):
            return np.append(np.zeros(len(self.levels)), 1.0), False

        def deviations(parameters: Array) -> Array:
            # the likelihood is even in each s_k/σ, so that these need no bounds
            ratios, sigma = np.abs(parameters[:-1]), scale * math.exp(parameters[-1])
            return sigma * np.append(np.where(ratios < NEGLIGIBLE, 0.0, ratios), 1.0)

        def objective(parameters: Array) -> float:
            if parameters[-1] < math.log(VANISHING):
                return math.inf
            return -self.integrate(deviations(parameters))[1]

        best = min(
            (
                optimize.minimize(
                    objective,
                    np.append(np.full(len(self.levels), ratio), 0.0),
                    method="Nelder-Mead",
                    options={"xatol": 1e-4, "fatol": 1e-7, "maxfev": 4_000},
                )
                for ratio in (0.3, 1.5)
            ),
            key=lambda result: result.fun,
        )
        return deviations(best.x), bool(best.x[-1] > math.log(2 * VANISHING))

    def integrate(self, deviations: Array) -> tuple[Array, float, Array]:
        """Mode of (β, u/s), log of the integral over both, and the covariance of β.

        `deviations` are (s_1, …, σ).
        """
        sigma, columns = deviations[-1], self.design.shape[1]
        effects = [s * z for s, z in zip(deviations[:-1], self.levels, strict=True)]
        joint = np.hstack([self.design, *effects]) / sigma
        prior = np.append(np.zeros(columns), np.ones(joint.shape[1] - columns))
        scaled = self.values / sigma
        # the mode if all values were observed
        mode = np.linalg.solve(joint.T @ joint + np.diag(prior), joint.T @ scaled)
        value, gradient, information = self._derivatives(mode, joint, prior, scaled)
        for _ in range(ITERATIONS):
            step = np.linalg.solve(information, gradient)
            if not gradient @ step > TOLERANCE:
                break
            new = self._derivatives(mode + step, joint, prior, scaled)
            while new[0] < value - 1e-12 * abs(value):  # halved until it does not overshoot
                step = step / 2
                new = self._derivatives(mode + step, joint, prior, scaled)
            mode = mode + step
            value, gradient, information = new
        constant = columns / 2 * math.log(2 * math.pi)
        determinant = float(np.linalg.slogdet(information)[1])
        log_integral = (
            value - int(self.observed.sum()) * math.log(sigma) + constant - determinant / 2
        )
        covariance = np.asarray(np.linalg.inv(information), dtype=float)
        return mode, log_integral, covariance[:columns, :columns]

    def _derivatives(
        self, at: Array, joint: Array, prior: Array, scaled: Array
    ) -> tuple[float, Array, Array]:
        """Logarithm of the integrand in units of σ, its gradient, and minus its Hessian."""
        z = scaled - joint @ at
        log_density = -z * z / 2 - math.log(2 * math.pi) / 2
        log_tail = log_ndtr(-z)
        hazard = np.exp(log_density - log_tail)
        value = np.where(self.observed, log_density, log_tail).sum() - prior @ at**2 / 2
        slope = np.where(self.observed, z, hazard)
        bend = np.where(self.observed, 1.0, hazard * (hazard - z))
        gradient = joint.T @ slope - prior * at
        return float(value), gradient, (joint.T * bend) @ joint + np.diag(prior)
