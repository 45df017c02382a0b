"""Lemmas 1 and 5 of Truong et al. (2026, Appendix E), tried on made-up matrices and points."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIMENSIONS = (2, 64)
"""from which to which"""
SMALLEST = -6.0  # log10 of the smallest eigenvalue over the largest, at the least
LARGEST_STEP = 0.5
"""of a perturbation's Frobenius norm, in units of the smallest eigenvalue: none can reach 0"""
ALPHAS = np.geomspace(1e-3, 3e-2, 7)
"""strengths over which the order of a loss is fitted"""


def entropy(eigenvalues: Floats) -> float:
    """H̃ = −Σ p log p / log d of positive eigenvalues, (d,)."""
    p = eigenvalues / eigenvalues.sum()
    return float(-(p * np.log(p)).sum() / math.log(len(p)))


def entropy_of(covariance: Floats) -> float:
    """H̃ of a positive definite matrix, (d, d)."""
    return entropy(np.asarray(np.linalg.eigvalsh(covariance), dtype=float))


def gradient(eigenvalues: Floats) -> Floats:
    """∂H̃/∂λ_k = −(log p_k + H) / (Tr Σ · log d), (d,): equation 7."""
    p = eigenvalues / eigenvalues.sum()
    raw = -(p * np.log(p)).sum()
    return -(np.log(p) + raw) / (eigenvalues.sum() * math.log(len(p)))


def lipschitz(eigenvalues: Floats, step: float) -> float:
    """L of Lemma 1: |ΔH̃| ≤ L ‖ΔΣ‖_F for each ΔΣ of Frobenius norm `step`, less than the smallest
    eigenvalue. The steps of the paper's proof, with the constant that it leaves open.

    By Weyl no eigenvalue moves by more than δ = `step`, and by Cauchy and Hoffman & Wielandt the
    trace moves by √d δ at most. So between the two spectra λ ≥ λ_min − δ and Tr is in Tr Σ ± √d δ.
    There −log p_k ≤ log(Tr/λ) and 0 ≤ H ≤ log d ≤ −log p_min, hence equation 7 gives
    |∂H̃/∂λ_k| ≤ C = log((Tr Σ + √d δ)/(λ_min − δ)) / ((Tr Σ − √d δ) log d), and the mean value
    theorem with Weyl for each of the d eigenvalues L = d C (√d C by Hoffman & Wielandt).
    """
    d, trace = len(eigenvalues), float(eigenvalues.sum())
    reach = math.sqrt(d) * step
    smallest_share = (float(eigenvalues.min()) - step) / (trace + reach)
    return d * -math.log(smallest_share) / ((trace - reach) * math.log(d))


@dataclass(frozen=True)
class Perturbation:
    """A perturbed covariance: what Lemma 1 bounds, and its bound."""

    change: float
    """|ΔH̃|"""
    bound: float
    """L ‖ΔΣ‖_F"""
    along_gradient: bool
    """it moves the eigenvalues along the gradient of H̃, as far as that goes; else at random"""


def perturbations(count: int, generator: np.random.Generator) -> Iterator[Perturbation]:
    """Random positive definite matrices, their eigenvalues log-uniform over up to six decades, each
    with a perturbation of up to LARGEST_STEP; every second one is along the gradient."""
    for number in range(count):
        d = int(generator.integers(DIMENSIONS[0], DIMENSIONS[1] + 1))
        eigenvalues = 10 ** (generator.uniform(SMALLEST, 0) * generator.random(d))
        vectors = np.linalg.qr(generator.standard_normal((d, d)))[0]
        along = number % 2 == 1
        if along:
            direction = (vectors * gradient(eigenvalues)) @ vectors.T
        else:
            direction = generator.standard_normal((d, d))
            direction = direction + direction.T
        size = float(np.linalg.norm(direction))
        step = LARGEST_STEP * float(eigenvalues.min()) * 10 ** generator.uniform(-3, 0)
        covariance = (vectors * eigenvalues) @ vectors.T
        change = entropy_of(covariance + direction * (step / size)) - entropy_of(covariance)
        yield Perturbation(abs(change), lipschitz(eigenvalues, step) * step, along)


def mixed(points: Floats, partner: NDArray[np.intp], alpha: float) -> Floats:
    """(1 − α) z_i + α z_π(i), of points (n, d): equation 3."""
    return (1 - alpha) * points + alpha * points[partner]


def losses(points: Floats, partner: NDArray[np.intp], alphas: Floats) -> Floats:
    """Fall of the points' H̃ by mixing with each strength, (alphas,); negative where H̃ rises."""
    before = entropy_of(np.cov(points.T))
    return np.array(
        [before - entropy_of(np.cov(mixed(points, partner, alpha).T)) for alpha in alphas]
    )


def order(alphas: Floats, lost: Floats) -> float:
    """k of a loss ∝ α^k, by least squares on logarithms; NaN unless H̃ falls at each strength."""
    if (lost <= 0).any():
        return math.nan
    return float(np.polyfit(np.log(alphas), np.log(lost), 1)[0])


def mirrored(count: int, generator: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
    """Points (x, y) and (x, −y) and the derangement that swaps each pair, (2 count, 2).

    Mixing leaves x alone and multiplies y by 1 − 2α. With less variance in y than in x, H̃ falls by
    4 r log r / (1 + r)² · α to first order, r their ratio, here drawn between 0.05 and 0.8.
    """
    ratio = generator.uniform(0.05, 0.8)
    x, y = generator.standard_normal((2, count))
    y *= math.sqrt(ratio / np.square(y).mean()) * x.std()
    points = np.stack([np.tile(x, 2), np.concatenate([y, -y])], 1)
    return points, np.roll(np.arange(2 * count), count)


def independent(count: int, dimension: int, generator: np.random.Generator) -> Floats:
    """Points without any order, (count, dimension), of variances k^(−1) along a random basis."""
    basis = np.linalg.qr(generator.standard_normal((dimension, dimension)))[0]
    scales = np.arange(1, dimension + 1) ** -0.5
    return (generator.standard_normal((count, dimension)) * scales) @ basis


def derangement(count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """A random permutation without a fixed point, each as likely as any other."""
    while True:
        found = generator.permutation(count)
        if (found != np.arange(count)).all():
            return found
