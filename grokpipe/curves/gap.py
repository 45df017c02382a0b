"""Gap laws: the time until an event as a function of a predictor's distance from its threshold.

A law is fitted to the pooled evaluations of runs that had the event: the remaining time ΔT = T − t
against the predictor x at t. The threshold x* is the mean over the same runs of x at the event. The
gap is max(x − x*, 0) for a predictor that falls towards the event and max(x* − x, 0) for one that
rises, according to the sign of the mean of x − x*.

    power        ΔT = C₁ gap^γ + C₂, C₁ ≥ 0       (Truong et al. 2026, equation 2)
    logarithmic  ΔT = (1/k) log((x − x∞)/(x* − x∞)) = (1/k) log(1 + gap/|x* − x∞|)
                                                   (ibid., Proposition 6, equation 22)

Both are fitted by least squares with variable projection (Golub & Pereyra 1973): for a given shape
(γ, or |x* − x∞|) the law is a line, so that only the shape is searched for.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grokpipe.errors import InputError

Floats = NDArray[np.float64]
Kind = Literal["power", "logarithmic"]

GAMMA = (0.05, 10.0)
"""range of γ that is searched"""
DISTANCE = (1e-3, 1e3)
"""range of |x* − x∞| that is searched, in units of the largest gap; beyond it the law is a line"""
GRID = 16  # shapes tried before the best is refined
REFINEMENTS = 20  # golden sections, which narrow two steps of the grid by a factor of 15,000
GOLDEN = (math.sqrt(5) - 1) / 2
ROUNDING = 1e-12
BATCH = 50_000  # points at a time: fastest while they fit into the cache


@dataclass(frozen=True)
class Runs:
    """The evaluations of several runs before an event, pooled, run after run."""

    x: Floats
    """the predictor, of shape (points,)"""
    remaining: Floats
    """steps until the event, > 0, of shape (points,)"""
    run: NDArray[np.intp]
    """index of the run, ascending, of shape (points,)"""
    at_event: Floats
    """the predictor at the event, NaN where it was not measured, of shape (runs,)"""
    undefined: int
    """evaluations before the event left out because the predictor was NaN or infinite"""

    def __len__(self) -> int:
        return len(self.at_event)


def pool(x_by_run: Sequence[ArrayLike], remaining_by_run: Sequence[ArrayLike]) -> Runs:
    """Pool the evaluations of runs that had the event.

    Args:
        x_by_run: the predictor at the evaluations of each run.
        remaining_by_run: T − t at the same evaluations. Zero marks the event, whose x enters the
            threshold; negative values came after the event and are left out.

    Raises:
        ValueError: the two differ in length.
        InputError: no run has a defined value before the event, or none at the event.
    """
    x, remaining, run, at_event, undefined = [], [], [], [], 0
    for number, both in enumerate(zip(x_by_run, remaining_by_run, strict=True)):
        values, steps = (np.asarray(array, dtype=np.float64) for array in both)
        if values.shape != steps.shape:
            raise ValueError(f"run {number}: {len(values)} values at {len(steps)} evaluations")
        defined, before = np.isfinite(values), steps > 0
        x.append(values[before & defined])
        remaining.append(steps[before & defined])
        run.append(np.full(len(x[-1]), number))
        undefined += int((before & ~defined).sum())
        at_event.append(values[(steps == 0) & defined])
    if not sum(map(len, x)):
        raise InputError("the predictor has no value before the event in any run: nothing to fit")
    if not sum(map(len, at_event)):
        raise InputError("the predictor has no value at the event in any run: no threshold")
    return Runs(
        x=np.concatenate(x),
        remaining=np.concatenate(remaining),
        run=np.concatenate(run).astype(np.intp),
        at_event=np.array([float(value[0]) if len(value) else math.nan for value in at_event]),
        undefined=undefined,
    )


@dataclass(frozen=True)
class Law:
    """A fitted law of the remaining time."""

    kind: Kind
    threshold: float
    """x*; 0 for a law in x itself"""
    direction: float
    """1: the predictor falls towards the threshold; −1: it rises"""
    shape: float
    """γ, or |x* − x∞|; NaN if undetermined because the coefficient is zero"""
    coefficient: float
    """C₁, or 1/k"""
    constant: float
    """C₂; 0 in the logarithmic law"""

    def gap(self, x: ArrayLike) -> Floats:
        """Distance of `x` from the threshold, 0 beyond it; same shape as `x`."""
        return _gap(np.asarray(x, dtype=np.float64), self.threshold, self.direction)

    def remaining(self, x: ArrayLike) -> Floats:
        """Remaining time ΔT at predictor `x`, same shape; NaN where `x` is NaN.

        Can be negative if C₂ is.
        """
        gap = self.gap(x)
        if self.coefficient == 0:
            return np.where(np.isnan(gap), np.nan, self.constant)
        basis = gap**self.shape if self.kind == "power" else np.log1p(gap / self.shape)
        return self.constant + self.coefficient * basis


@dataclass(frozen=True)
class Laws:
    """One kind of law fitted to many samples of runs: fields as in `Law`, each (samples,)."""

    kind: Kind
    threshold: Floats
    direction: Floats
    shape: Floats
    coefficient: Floats
    constant: Floats
    r_squared: Floats
    """1 − residual/total sum of squares in the sample; NaN if nothing varies"""

    def law(self, sample: int) -> Law:
        """The law of one sample."""
        fields = (self.threshold, self.direction, self.shape, self.coefficient, self.constant)
        return Law(self.kind, *(float(field[sample]) for field in fields))


def fit(runs: Runs, kind: Kind = "power", absolute: bool = False) -> Law:
    """Fit a law to these runs, every evaluation weighted equally.

    Args:
        runs: pooled runs.
        kind: power or logarithmic.
        absolute: fit in x itself instead of its gap (x ≥ 0, x* = 0, C₁ of either sign).

    Raises as `fit_samples` does.
    """
    return fit_samples(runs, np.ones((1, len(runs))), kind, absolute).law(0)


def fit_samples(runs: Runs, counts: ArrayLike, kind: Kind, absolute: bool = False) -> Laws:
    """Fit a law, with its threshold and direction, to each sample of runs.

    `counts` (samples, runs) says how often each run occurs in a sample. All fields are NaN for a
    sample without a value before the event or at the event.

    Raises ValueError for an absolute law of a predictor that is negative somewhere.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if absolute and (runs.x < 0).any():
        raise ValueError("an absolute power law of a predictor below zero")
    # samples of like numbers of points together, since `_fit` fills up each to the most
    order = np.argsort((counts > 0) @ np.bincount(runs.run, minlength=len(runs)), kind="stable")
    fitted = np.empty((6, len(counts)))
    size = max(1, BATCH // len(runs.x))
    for first in range(0, len(counts), size):
        some = order[first : first + size]
        fitted[:, some] = _fit(runs, counts[some], kind, absolute)
    return Laws(kind, *fitted)


def _fit(runs: Runs, counts: Floats, kind: Kind, absolute: bool) -> Floats:
    """Fields of `Laws` after `kind`, of shape (6, samples)."""
    weight = counts[:, runs.run]
    threshold, direction = _threshold(runs, counts, weight, absolute)
    drawn = _drawn(weight)
    weight = np.take_along_axis(weight, drawn, 1)
    gap = _gap(runs.x[drawn], threshold[:, None], direction[:, None])
    widest = np.where(weight > 0, gap, 0).max(1)
    # a gap of rounding errors counts as none; points outside a sample may exceed its widest gap
    scale = np.where(widest > ROUNDING * np.abs(threshold), widest, math.inf)
    gap = np.minimum(gap / scale[:, None], 1)
    line = _Line(runs.remaining[drawn], weight, intercept=kind == "power", signed=absolute)
    low, high = GAMMA if kind == "power" else DISTANCE
    with np.errstate(divide="ignore"):
        log = np.log(gap)  # −∞ where there is no gap: its power is zero
    values = np.empty_like(gap)  # written anew for each shape, which spares the memory's pages

    def basis(shape: Floats) -> Floats:
        if kind == "power":
            return np.exp(np.multiply(shape[:, None], log, out=values), out=values)
        return np.log1p(np.divide(gap, shape[:, None], out=values), out=values)

    shape = _least(lambda shape: line.fit(basis(shape))[2], low, high, len(counts))
    slope, constant, squares = line.fit(basis(shape))
    if kind == "power":
        slope = slope * scale**-shape
    else:
        shape = shape * scale
    shape = np.where(slope != 0, shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        r_squared = np.where(line.varies, 1 - squares / line.total, np.nan)
    fitted = np.array([threshold, direction, shape, slope, constant, r_squared])
    return np.where((weight.sum(1) > 0) & np.isfinite(threshold), fitted, np.nan)


def _threshold(runs: Runs, counts: Floats, weight: Floats, absolute: bool) -> tuple[Floats, Floats]:
    """Threshold x* and direction of each sample."""
    if absolute:
        return np.zeros(len(counts)), np.ones(len(counts))
    measured = counts * np.isfinite(runs.at_event)
    with np.errstate(invalid="ignore"):
        threshold = measured @ np.nan_to_num(runs.at_event) / measured.sum(1)
    rises = weight @ runs.x < threshold * weight.sum(1)
    return threshold, np.where(rises, -1.0, 1.0)


def _drawn(weight: Floats) -> NDArray[np.intp]:
    """Indices of the points in each sample, its own before the others, of shape (samples, most
    points in a sample): a bootstrap sample has two thirds of the runs."""
    absent = weight == 0
    most = int((~absent).sum(1).max())
    return np.argsort(absent, axis=1, kind="stable")[:, : max(most, 1)]


def _sums(first: Floats, second: Floats) -> Floats:
    """Sum over the points of the products of two arrays, (samples, points) → (samples,)."""
    return (first[:, None] @ second[:, :, None])[:, 0, 0]  # several times as fast as einsum


class _Line:
    """Weighted least squares of ΔT on one basis function, for each sample."""

    def __init__(self, remaining: Floats, weight: Floats, intercept: bool, signed: bool) -> None:
        self.weight, self.intercept, self.signed = weight, intercept, signed
        self.points = np.maximum(weight.sum(1), 1)
        self.mean = _sums(weight, remaining) / self.points
        centred = remaining - self.mean[:, None]
        self.total = _sums(weight, centred**2)
        self.varies = self.total > 1e-12 * self.points * self.mean**2
        self.target = weight * (centred if intercept else remaining)

    def fit(self, basis: Floats) -> tuple[Floats, Floats, Floats]:
        """Slope (≥ 0 unless signed), constant and residual sum of squares; overwrites the basis."""
        product = _sums(self.target, basis)
        mean = _sums(self.weight, basis) / self.points if self.intercept else np.zeros(len(basis))
        squares = _sums(self.weight, np.square(basis, out=basis))
        spread = squares - self.points * mean**2
        with np.errstate(invalid="ignore", divide="ignore"):  # a basis that does not vary
            slope = np.where(spread > 1e-10 * squares, product / spread, 0.0)
        slope = slope if self.signed else np.maximum(slope, 0)
        total = self.total if self.intercept else self.total + self.points * self.mean**2
        constant = self.mean - slope * mean if self.intercept else np.zeros(len(slope))
        return slope, constant, total - slope * (2 * product - slope * spread)


def _least(loss: Callable[[Floats], Floats], low: float, high: float, samples: int) -> Floats:
    """Shape of least loss between two bounds, for each sample.

    The best point of a logarithmic grid, refined by golden sections between its neighbours.
    """
    grid = np.linspace(math.log(low), math.log(high), GRID)
    losses = np.array([loss(np.full(samples, math.exp(point))) for point in grid])
    best = losses.argmin(0)
    left, right = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)]
    inner, outer = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
    at_inner, at_outer = loss(np.exp(inner)), loss(np.exp(outer))
    for _ in range(REFINEMENTS):
        is_left = at_inner <= at_outer
        left, right = np.where(is_left, left, inner), np.where(is_left, outer, right)
        new = np.where(is_left, right - GOLDEN * (right - left), left + GOLDEN * (right - left))
        at_new = loss(np.exp(new))
        inner, outer = np.where(is_left, new, outer), np.where(is_left, inner, new)
        at_inner, at_outer = (
            np.where(is_left, at_new, at_outer), np.where(is_left, at_inner, at_new)
        )  # fmt: skip
    return np.exp((left + right) / 2)


def _gap(x: Floats, threshold: Floats | float, direction: Floats | float) -> Floats:
    return np.maximum(direction * (x - threshold), 0)
