"""Lemma 2 of Truong et al. (2026, Appendix E): a step of SGD changes the covariance of the
representations by −η times a derivative, and a remainder of order η². A small network in float64:
z = tanh(tanh(x A) B), logits z C, smooth as the lemma's Taylor expansion asks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

Floats = NDArray[np.float64]

RATES = np.geomspace(1e-4, 1e-2, 5)
"""rates over which the order is fitted: below, rounding shows; above, higher orders do"""
INPUTS, HIDDEN, WIDTH, CLASSES = 8, 32, 16, 5
SAMPLES, BATCH, PROBE = 256, 32, 128
TRAINING_RATE = 0.1
LOOKED_AT = (0, 50, 200)
"""steps of training at which the remainder is looked at"""


class Weights(NamedTuple):
    a: Floats
    """(INPUTS, HIDDEN)"""
    b: Floats
    """(HIDDEN, WIDTH)"""
    c: Floats
    """(WIDTH, CLASSES)"""

    def moved(self, by: "Weights", rate: float) -> "Weights":
        return Weights(*(one + rate * other for one, other in zip(self, by, strict=True)))


def remainder_orders(seed: int) -> list[float]:
    """k of a remainder ∝ η^k, at each of LOOKED_AT steps of a network that SGD trains on
    minibatches; the remainder is that of a step on the step's own batch."""
    draws = np.random.default_rng(seed)
    inputs = draws.standard_normal((SAMPLES, INPUTS))
    labels = (inputs @ draws.standard_normal((INPUTS, CLASSES))).argmax(1)
    shapes = ((INPUTS, HIDDEN), (HIDDEN, WIDTH), (WIDTH, CLASSES))
    weights = Weights(*(draws.standard_normal(shape) / shape[0] ** 0.5 for shape in shapes))
    orders = []
    for step in range(max(LOOKED_AT) + 1):
        batch = draws.integers(SAMPLES, size=BATCH)
        slope = gradient(weights, inputs[batch], labels[batch])
        if step in LOOKED_AT:
            left = remainders(weights, slope, inputs[:PROBE])
            orders.append(float(np.polyfit(np.log(RATES), np.log(left), 1)[0]))
        weights = weights.moved(slope, -TRAINING_RATE)
    return orders


def remainders(weights: Weights, slope: Weights, probe: Floats) -> Floats:
    """‖ΔΣ + η dΣ[slope]‖_F of a step against the slope, (RATES,)."""
    before, derivative = covariance(weights, probe), directional(weights, slope, probe)
    return np.array(
        [
            np.linalg.norm(
                covariance(weights.moved(slope, -rate), probe) - before + rate * derivative
            )
            for rate in RATES
        ]
    )


def covariance(weights: Weights, probe: Floats) -> Floats:
    """(WIDTH, WIDTH), of the representations of the probe, (n, INPUTS)."""
    z = np.tanh(np.tanh(probe @ weights.a) @ weights.b)
    z = z - z.mean(0)
    return z.T @ z / len(z)


def directional(weights: Weights, direction: Weights, probe: Floats) -> Floats:
    """The derivative of the covariance along a direction, (WIDTH, WIDTH): equation 9 without its
    remainder."""
    h = np.tanh(probe @ weights.a)
    z = np.tanh(h @ weights.b)
    dh = (1 - h**2) * (probe @ direction.a)
    dz = (1 - z**2) * (dh @ weights.b + h @ direction.b)
    half = (dz - dz.mean(0)).T @ (z - z.mean(0)) / len(z)
    return half + half.T


def gradient(weights: Weights, inputs: Floats, labels: NDArray[np.intp]) -> Weights:
    """Gradient of the mean cross-entropy of a batch."""
    h = np.tanh(inputs @ weights.a)
    z = np.tanh(h @ weights.b)
    excess = (softmax(z @ weights.c, axis=1) - np.eye(CLASSES)[labels]) / len(labels)
    of_b = (excess @ weights.c.T) * (1 - z**2)
    of_a = (of_b @ weights.b.T) * (1 - h**2)
    return Weights(inputs.T @ of_a, h.T @ of_b, z.T @ excess)
