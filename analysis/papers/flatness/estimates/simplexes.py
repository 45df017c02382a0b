"""Proposition 5.3 of Han et al. (2025) on made-up networks that have collapsed exactly."""

import math

import numpy as np
from numpy.typing import NDArray

from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.output.formats import number
from analysis.stats import effects

DRAWS = 1_000
CLASSES = (2, 100)
LOG_SIZES = math.log(0.1), math.log(10)
"""logarithms of the corners' length M and of the head's scale λ, drawn uniformly"""


def bound_holds(runs: Runs) -> Estimate:
    """In how many of DRAWS random simplexes κ ≤ λ² k³ M⁴ e^{−t} / (1 + (k − 1) e^{−t})², with κ by
    its general form."""
    generator, shown, used = runs.generator(), 0, 0.0
    for _ in range(DRAWS):
        classes = int(generator.integers(CLASSES[0], CLASSES[1] + 1))
        corner, scale = np.exp(generator.uniform(*LOG_SIZES, size=2))
        found, bound = kappa(classes, corner, scale), stated(classes, corner, scale)
        shown += int(found <= bound * (1 + 1e-9))
        used = max(used, found / bound) if bound > 0 else used
    note = f"the largest κ is {number(100 * used)} % of its bound"
    return Estimate(effects.proportion(shown, DRAWS), DRAWS, None, shown, note)


def margin(classes: int, corner: float, scale: float) -> float:
    """t = λM² k/(k − 1)."""
    return scale * corner**2 * classes / (classes - 1)


def stated(classes: int, corner: float, scale: float) -> float:
    """The bound as it is stated."""
    small = math.exp(-margin(classes, corner, scale))
    return scale**2 * classes**3 * corner**4 * small / (1 + (classes - 1) * small) ** 2


def kappa(classes: int, corner: float, scale: float) -> float:
    """κ = E[‖φ‖² Σ_{c<c'} p_c p_c' ‖w_c − w_c'‖²] of features at the corners of a simplex and a
    head that is `scale` times these."""
    corners = corner * _simplex(classes)
    head = scale * corners
    logits = corners @ head.T
    weights = np.exp(logits - logits.max(1, keepdims=True))
    p = weights / weights.sum(1, keepdims=True)
    squares = (head**2).sum(1)
    distances = squares[:, None] + squares - 2 * head @ head.T
    np.fill_diagonal(distances, 0.0)  # rounding of it would outweigh the rest at a large margin
    curvature = ((p @ distances) * p).sum(1) / 2
    return float(((corners**2).sum(1) * curvature).mean())


def _simplex(classes: int) -> NDArray[np.float64]:
    """Corners of length 1 about the origin, (k, k)."""
    corners = np.eye(classes) - 1 / classes
    return np.asarray(corners / np.linalg.norm(corners[0]), dtype=float)
