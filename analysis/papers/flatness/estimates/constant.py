"""The κ that Han et al. (2025, section 6) report for networks regularised away from flatness, from
the regulariser alone.

They minimise CE − λ‖W‖_F² mean[1 − ‖softmax(z/T)‖²], with T = 2 and features of length 1, so that W
grows until the cap B holds it: what is left is a confidence penalty of weight λB². A sample whose
label has a logit t above all others, which are equal, costs

    log(1 + (C − 1) e^{−t}) − λB² U(t/T),    U(t) = 1 − ‖softmax(t, 0, …, 0)‖².

If training reaches the minimum t* on every sample, the surrogate of κ is B² U(t*/T), whatever the
network, the data and the solution's flatness.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.stats import effects

MARGINS = np.linspace(0, 100, 20_001)
"""where the minimum is bracketed; beyond, e^{−t} is nothing beside 1"""


@dataclass(frozen=True)
class Setting:
    """A regularised network of the paper, and the surrogate that it reports before the
    regulariser is taken away."""

    network: str
    weight: float
    """λ"""
    cap: float
    """B"""
    classes: int
    published: str
    at_least: float
    """which values agree with the published one: those from here"""
    at_most: float = math.inf
    """to here"""

    @property
    def agrees(self) -> bool:
        """Whether the regulariser alone gives the published value."""
        found = surrogate(self.weight, self.cap, self.classes)
        return self.at_least <= found <= self.at_most


def digits(value: float) -> tuple[float, float]:
    """The range within a thousandth of a value that is published as a number."""
    return 0.999 * value, 1.001 * value


SETTINGS = (
    Setting("ResNet-18 on CIFAR-10", 1e-2, 50, 10, "2,209.94", *digits(2209.94)),
    Setting("ViT on ImageNet-100", 1e-2, 150, 100, "22,212.75", *digits(22212.75)),
    Setting("TinyBERT on SST-5", 0.3, 30, 5, "> 700", 700),
    Setting("DistilGPT-2 on SST-5", 0.03, 30, 5, "> 600", 600),
    # in words, of the first: so within a tenth of four times the first
    Setting("ResNet-18, cap 100", 1e-2, 100, 10, "nearly four times the first",
            3.6 * 2209.94, 4.4 * 2209.94),
)  # fmt: skip


def uncertainty(margin: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """U(t) of margins t, with no difference of numbers near 1."""
    small = np.exp(-margin)
    return small * (classes - 1) * (2 + (classes - 2) * small) / (1 + (classes - 1) * small) ** 2


def best_margin(weight: float, classes: int, temperature: float = 2.0) -> float:
    """The margin t* that minimises a sample's cost under a confidence penalty of this weight, λB²:
    the lowest point of a grid, made exact by SciPy's bounded search around it."""

    def cost(margin: NDArray[np.float64]) -> NDArray[np.float64]:
        loss = np.log1p((classes - 1) * np.exp(-margin))
        return loss - weight * uncertainty(margin / temperature, classes)

    lowest, step = float(MARGINS[cost(MARGINS).argmin()]), float(MARGINS[1])
    bounds = (max(lowest - step, 0.0), lowest + step)
    found = optimize.minimize_scalar(
        cost, bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return float(found.x)


def surrogate(weight: float, cap: float, classes: int, temperature: float = 2.0) -> float:
    """B² U(t*/T): the surrogate of κ on unit features, from λ, B, C and T."""
    margin = best_margin(weight * cap**2, classes, temperature)
    return float(cap**2 * uncertainty(np.asarray(margin / temperature), classes))


def agreement(runs: Runs) -> Estimate:
    """In how many of the paper's settings the regulariser alone gives the published value: within a
    thousandth of a number, on the right side of a bound."""
    found = [setting.agrees for setting in SETTINGS]
    k, n = sum(found), len(found)
    return Estimate(
        effects.proportion(k, n), n, None, k, "computed from λ, B, C and T, without a run"
    )
