"""Nearest-neighbour estimates against loops, known mutual information, and the pairing fault."""

import math

import numpy as np
import pytest
from scipy.special import digamma, gamma

from benchmarks.information import TRUE, pair
from grokpipe.measures.information import compression
from grokpipe.measures.information.compression import FIFTH, IN_EIGHT, NEAREST, entropy, whitened

ONE = np.zeros(2500, dtype=np.int64)


@pytest.mark.parametrize("weights", [NEAREST, FIFTH, IN_EIGHT])
def test_entropy_agrees_with_loops(weights: tuple[float, ...]) -> None:
    points = np.random.default_rng(0).normal(size=(40, 3))
    n, d = points.shape
    expected = 0.0
    for k, weight in enumerate(weights, 1):
        rho = [sorted(math.dist(a, b) for b in points)[k] for a in points]
        volume = math.pi ** (d / 2) / gamma(d / 2 + 1)
        terms = [math.log(volume) + d * math.log(r) + digamma(n) - digamma(k) for r in rho]
        expected += weight * sum(terms) / n
    assert entropy(points, weights) == pytest.approx(expected, rel=1e-12)
    assert sum(weights) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("true", TRUE)
def test_gaussians_of_known_information(true: float) -> None:
    x, z = pair(4, true, 2500, np.random.default_rng(1))
    found = compression.five(x, z, ONE)
    assert found.x == pytest.approx(true, abs=0.12)
    assert found.y == 0  # one class: h(Z) less itself
    assert found.difference == found.x
    assert compression.released(x, z, ONE).x == pytest.approx(true, abs=1.0)


def test_other_coordinates_of_the_pair_change_nothing() -> None:
    draws = np.random.default_rng(2)
    x, z = pair(4, 3.32, 500, draws)
    turned = [v @ draws.normal(size=(4, 4)) + draws.normal(size=4) for v in (x, z)]
    labels = np.arange(500) % 3
    first, second = (compression.five(*both, labels) for both in ((x, z), turned))
    assert (second.x, second.y) == pytest.approx((first.x, first.y), abs=0.2)


def test_x_and_z_are_paired() -> None:
    """The released code traverses a shuffled loader twice: each estimate of I(Z; X) is then one of
    independent variables, about 0."""
    draws = np.random.default_rng(3)
    x, z = pair(4, 3.32, 2500, draws)
    for method in (compression.released, compression.five):
        paired, unpaired = (
            method(x[order], z, ONE).x for order in (np.arange(2500), draws.permutation(2500))
        )
        assert paired == pytest.approx(3.32, abs=0.8)
        assert unpaired == pytest.approx(0, abs=0.8)
        assert method(x, z, ONE).y == 0


def test_labels_of_separate_clusters_are_known_from_z() -> None:
    labels = np.arange(3000) % 3
    z = np.random.default_rng(4).normal(size=(3000, 4)) + 100 * np.eye(4)[labels]
    for method in (compression.released, compression.five):
        assert method(None, z, labels).y == pytest.approx(math.log(3), abs=0.1)
        assert math.isnan(method(None, z, labels).x)


def test_whitening() -> None:
    points = np.random.default_rng(5).normal(size=(300, 4)) @ np.diag([1e3, 1, 1e-3, 1]) + 7
    white, log_determinant = whitened(points)
    covariance = np.cov(points.T)
    assert np.cov(white.T) == pytest.approx(np.eye(4), abs=1e-9)
    assert log_determinant == pytest.approx(np.linalg.slogdet(covariance)[1] / 2)
    expected = np.linalg.solve(np.linalg.cholesky(covariance), (points - points.mean(0)).T).T
    assert white == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_principal_components_are_those_of_the_singular_values() -> None:
    features = np.random.default_rng(6).normal(size=(50, 9)) * np.arange(1, 10) + 3
    found = compression.principal_components(features)
    centred = features - features.mean(0)
    expected = centred @ np.linalg.svd(centred, full_matrices=False)[2][:4].T
    assert abs(found) == pytest.approx(abs(expected))


def test_degenerate_points() -> None:
    """NaN, without a warning: warnings are errors here."""
    points = np.random.default_rng(7).normal(size=(60, 4))
    labels = np.arange(60) % 2
    flat = points * [1, 1, 1, 0]
    repeated = np.concatenate([points[:10]] * 6)
    few = np.where(np.arange(60) < 57, 0, 1)  # three samples of a class
    for method in (compression.released, compression.five):
        assert math.isnan(method(points, flat, labels).x)
        assert math.isnan(method(points, flat, labels).y)
        assert math.isnan(method(flat, points, labels).x)
        assert math.isnan(method(points, repeated, labels).x)
        assert math.isnan(method(points, points, few).y)
    assert math.isnan(compression.five(points, points, labels).x)  # Z is X: a singular pair
    assert math.isnan(entropy(points[:5], FIFTH))
    assert whitened(points[:1]) is None
    assert whitened(np.full((9, 4), np.nan)) is None
    assert compression.principal_components(points) is not None  # four features are enough
    for features in (points[:4], points[:, :3], np.full((60, 9), np.inf)):
        assert compression.principal_components(features) is None
