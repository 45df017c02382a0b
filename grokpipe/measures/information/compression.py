"""Mutual information from nearest neighbours, after compression to four dimensions.

X is an autoencoder's codes of the test images (codes.py), Z the four leading principal components
of the features. Entropies are Kozachenko–Leonenko's (1987), in nats: with ρ_k(i) the distance from
sample i to its k-th neighbour and V_d the volume of the unit ball,
h_k = ψ(n) − ψ(k) + log V_d + d · mean_i log ρ_k(i).

Two forms are kept apart. `released` is that of Sakamoto & Sato's code: each variable is whitened by
itself, and the weights over k = 1 … 5 are those of their library (Berrett, Samworth & Yuan 2019):
the nearest neighbour alone up to four dimensions, large weights of both signs in eight. `five` is
h_5 with the pair whitened jointly, which takes the Gaussian part of the dependence out exactly;
its bias and spread are a fraction of the other's (docs/information.md).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln

from grokpipe.measures.information.codes import DIMENSIONS

Array = NDArray[np.float64]

NEIGHBOURS = 5
NEAREST = (1.0, 0.0, 0.0, 0.0, 0.0)
IN_EIGHT = (9.854, -7.669, -7.230, -1.205, 7.250)
"""weights of k = 1 … 5 in the released code: up to four dimensions, and in eight"""
FIFTH = (0.0, 0.0, 0.0, 0.0, 1.0)
LEAF = 64  # points of a leaf: faster in eight dimensions than the usual 10
NAN = float("nan")


def entropy(points: Array, weights: tuple[float, ...]) -> float:
    """Weighted Kozachenko–Leonenko entropy of points (n, d), in nats.

    NaN with no more points than neighbours, and where neighbours coincide, which no density does.
    """
    n, d = points.shape
    if n <= NEIGHBOURS:
        return NAN
    distances = cKDTree(points, LEAF).query(points, NEIGHBOURS + 1)[0][:, 1:]
    total = 0.0
    for k, weight in enumerate(weights, 1):
        if weight:
            with np.errstate(divide="ignore"):
                logs = np.log(distances[:, k - 1]).mean()
            total += weight * (d * logs - digamma(k))
    volume = d / 2 * math.log(math.pi) - gammaln(d / 2 + 1)
    value = float(total + sum(weights) * (digamma(n) + volume))
    return value if math.isfinite(value) else NAN


def whitened(points: Array) -> tuple[Array, float] | None:
    """Whiten points (n, d) by the Cholesky factor of their covariance.

    Returns the points and log |det| of the factor, to be added to their entropy; None if the
    covariance is singular up to rounding.
    """
    if len(points) < 2:
        return None
    centred = points - points.mean(0)
    covariance = centred.T @ centred / (len(points) - 1)
    scales = np.sqrt(covariance.diagonal())
    if not np.isfinite(scales).all() or (scales == 0).any():
        return None
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    # of a dimension's spread, what the ones before leave unexplained
    if (factor.diagonal() <= 1e-7 * scales).any():
        return None
    return solve_triangular(factor, centred.T, lower=True).T, float(np.log(factor.diagonal()).sum())


@dataclass(frozen=True)
class Information:
    """Estimates in nats of I(Z; X) and I(Z; Y)."""

    x: float
    y: float

    @property
    def difference(self) -> float:
        """I(Z; X) − I(Z; Y), the redundant information"""
        return self.x - self.y


def released(codes: Array | None, components: Array, labels: NDArray[np.int64]) -> Information:
    """Estimate as the released code does, but with sample i of X paired with sample i of Z.

    Args:
        codes: (n, 4) X; None leaves I(Z; X) NaN.
        components: (n, 4) Z.
        labels: (n,) Y.
    """
    if (z := whitened(components)) is None:
        return Information(NAN, NAN)
    of_z, of_x = entropy(z[0], NEAREST), NAN
    if codes is not None and (x := whitened(codes)) is not None:
        pair = np.hstack([x[0], z[0]])
        both = entropy(pair, NEAREST if pair.shape[1] <= 4 else IN_EIGHT)
        of_x = entropy(x[0], NEAREST) + of_z - both
    return Information(of_x, of_z - _within(z[0], labels, NEAREST))


def five(codes: Array | None, components: Array, labels: NDArray[np.int64]) -> Information:
    """Estimate by the fifth neighbour, the pair whitened jointly. Arguments as of `released`."""
    if (z := whitened(components)) is None:
        return Information(NAN, NAN)
    of_z, of_x = entropy(z[0], FIFTH), NAN
    if codes is not None:
        x, pair = whitened(codes), whitened(np.hstack([codes, components]))
        if x is not None and pair is not None:
            of_x = entropy(x[0], FIFTH) + of_z - entropy(pair[0], FIFTH)
            of_x += x[1] + z[1] - pair[1]
    return Information(of_x, of_z - _within(z[0], labels, FIFTH))


def _within(points: Array, labels: NDArray[np.int64], weights: tuple[float, ...]) -> float:
    """Mean entropy within the classes, in the coordinates of the whole: where classes lie apart,
    all neighbours are the same as in the whole, and so is the bias."""
    return float(
        sum(
            np.mean(labels == label) * entropy(points[labels == label], weights)
            for label in np.unique(labels)
        )
    )


def principal_components(features: Array) -> Array | None:
    """The four leading principal components (n, 4) of features (n, d); None for d below four, and
    for too few samples to span them."""
    n, d = features.shape
    if n <= DIMENSIONS or d < DIMENSIONS or not np.isfinite(features).all():
        return None
    centred = features - features.mean(0)
    vectors = np.linalg.eigh(centred.T @ centred)[1]
    return np.asarray(centred @ vectors[:, : -DIMENSIONS - 1 : -1])
