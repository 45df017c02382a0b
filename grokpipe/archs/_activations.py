"""Activation functions by name."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

SLOPE = 0.1  # γ: the derivative far below 0
SPREAD = 1.0  # s: standard deviation of the Gaussian


def smooth_leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU max(γx, x) smoothed by a Gaussian N(0, s²), less its value at 0, elementwise:
    γx + (1 − γ)(x Φ(x/s) + s φ(x/s) − s φ(0)), with γ = 0.1 and s = 1.

    Its derivative γ + (1 − γ) Φ(x/s) lies in (γ, 1) and has the Lipschitz constant
    β = (1 − γ)/(s √(2π)) ≈ 0.36, and |σ(x)| ≤ |x|: the assumptions of Nguyen & Mondelli (2020,
    "Global convergence of deep networks with one wide layer followed by pyramidal topology"), whose
    example it is.
    """
    scaled = x / SPREAD
    below = 0.5 * torch.erfc(scaled * -math.sqrt(0.5))  # Φ
    density = torch.expm1(-0.5 * scaled.square()) * (SPREAD / math.sqrt(2 * math.pi))
    return SLOPE * x + (1 - SLOPE) * (x * below + density)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "softplus": functional.softplus,
    "smooth_leaky_relu": smooth_leaky_relu,
}
"""by name; GELU is the exact form, softplus is log(1 + exp x)"""
