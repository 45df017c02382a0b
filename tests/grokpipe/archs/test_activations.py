"""Activation functions against their definitions."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from grokpipe.archs._activations import ACTIVATIONS, SLOPE, SPREAD, smooth_leaky_relu

X = torch.linspace(-12, 12, 4801, dtype=torch.float64)


@pytest.mark.parametrize("x", [-9.0, -1.3, -0.2, 0.0, 0.7, 2.0, 11.0])
def test_the_smooth_leaky_relu_is_a_smoothed_leaky_relu(x: float) -> None:
    """By quadrature of max(γu, u) against N(x, s²), less its value for x = 0."""

    def smoothed(x: float) -> float:
        def integrand(u: float) -> float:
            density = math.exp(-(((u - x) / SPREAD) ** 2) / 2) / (SPREAD * math.sqrt(2 * math.pi))
            return max(SLOPE * u, u) * density

        return quad(integrand, x - 12 * SPREAD, x + 12 * SPREAD, points=[0.0], limit=200)[0]

    value = smooth_leaky_relu(torch.tensor(x, dtype=torch.float64)).item()
    assert value == pytest.approx(smoothed(x) - smoothed(0.0), abs=1e-10)


def test_the_smooth_leaky_relu_has_bounded_derivatives() -> None:
    """What Nguyen & Mondelli (2020) assume of an activation."""
    x = X.clone().requires_grad_()
    y = smooth_leaky_relu(x)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    beta = (1 - SLOPE) / (SPREAD * math.sqrt(2 * math.pi))
    assert slope.min() >= SLOPE - 1e-12 and slope.max() <= 1 + 1e-12
    assert curvature.abs().max().item() == pytest.approx(beta, rel=1e-9)
    assert (y.abs() <= x.abs() + 1e-15).all()


def definition(name: str, x: Tensor) -> Tensor:
    return {
        "relu": x * (x > 0),
        "gelu": x * torch.special.ndtr(x),
        "softplus": torch.logaddexp(x, torch.zeros_like(x)),
        "smooth_leaky_relu": smooth_leaky_relu(x),
    }[name]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_is_what_its_name_says(name: str) -> None:
    torch.testing.assert_close(ACTIVATIONS[name](X), definition(name, X), rtol=1e-9, atol=1e-8)
    in_single = ACTIVATIONS[name](X.float())
    torch.testing.assert_close(in_single.double(), ACTIVATIONS[name](X), rtol=1e-5, atol=1e-6)
