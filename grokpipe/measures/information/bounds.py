"""Theorem 3.4 of Sakamoto & Sato: bounds of I(Z; X | Y), and what they bound.

Z = g + B_g E with E ~ N(0, σ² I) is the noisy representation of features g, of largest norm B_g.
I(Z; X | Y) ≤ ½ E_y log det(Cov(g | y)/(B_g² σ²) + I) ≤ E ‖g̃ − E[g̃ | Y]‖²/(2 σ²), g̃ = g/B_g: what a
Gaussian of the same covariance would have, and its first-order form. All values in nats.

For the samples taken as the distribution of X, I(Z; X | Y) itself is that of a mixture of n_c
Gaussians in each class c. `Mixtures` estimates it without the bounds: by Monte Carlo, without bias,
and between the pairwise bounds of Kolchinsky & Tracey (2017), by Bhattacharyya distances from below
and by Kullback–Leibler divergences from above. As an estimate for the population it is too small on
average, since mutual information is concave in the distribution of X, and it cannot exceed
E_y log n_y.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NAN = float("nan")
REACH = 0.01
"""nats: a sample whose own term is as close to log n_c has no other within reach of its noise"""


def classes(features: Tensor, labels: Tensor) -> list[Tensor]:
    """Centred features (n_c, d) of each class that occurs, in the precision of `features`."""
    rows = [features[labels == label] for label in labels.unique()]
    return [(part.double() - part.double().mean(0)).to(features.dtype) for part in rows]


def spectra(centred: list[Tensor]) -> list[Tensor]:
    """Eigenvalues of Cov(g | y) for each class, float64; those that are zero may be missing."""
    values = []
    for part in centred:
        part = part.double()
        product = part.T @ part if len(part) > part.shape[1] else part @ part.T
        values.append(torch.linalg.eigvalsh(product).clamp(min=0) / len(part))
    return values


def gaussian_bound(values: list[Tensor], shares: Tensor, scale: float) -> float:
    """½ E_y log det(Cov(g | y)/scale² + I) from `spectra`, with scale = B_g σ."""
    if not scale > 0:
        return NAN
    terms = torch.stack([(part / scale**2).log1p().sum() / 2 for part in values])
    return (shares @ terms).item()


def trace_bound(values: list[Tensor], shares: Tensor, scale: float) -> float:
    """E ‖g − E[g | Y]‖²/(2 scale²) from `spectra`, with scale = B_g σ."""
    if not scale > 0:
        return NAN
    return (shares @ torch.stack([part.sum() for part in values])).item() / (2 * scale**2)


@dataclass(frozen=True)
class Mixture:
    """I(Z; X | Y) of the samples taken as the distribution of X, in nats."""

    lower: float
    """pairwise bound by Bhattacharyya distances"""
    estimate: float
    """Monte Carlo"""
    upper: float
    """pairwise bound by Kullback–Leibler divergences"""
    error: float
    """standard error of `estimate` by the noise, or more: differences between samples count too"""
    saturated: float
    """share of samples whose term in `estimate` is within 0.01 nats of log n_c"""


class Mixtures:
    """Mixtures of Gaussians about the features of each class.

    Each sample is moved by its noise and by the opposite, so that what is linear in the noise
    cancels. The same noise serves every σ and every call: values of one run differ by the features
    only.
    """

    def __init__(self, centred: list[Tensor]):
        """`centred` are the features by class, as `classes` returns them."""
        self.distances: list[Tensor] = []
        self.noises: list[Tensor] = []
        draws = torch.Generator().manual_seed(0)
        for part in centred:
            noise = torch.randn(part.shape, generator=draws).to(part.dtype)
            lengths = part.square().sum(1)
            distances = torch.addmm(lengths, part, part.T, alpha=-2).add_(lengths[:, None])
            self.distances.append(distances.clamp_(min=0).fill_diagonal_(0))
            products = noise @ part.T
            self.noises.append(products.diagonal()[:, None] - products)  # ε_i · (g_i − g_j)

    def at(self, scale: float) -> Mixture:
        """The mixtures with noise of standard deviation `scale` in each dimension."""
        if not scale > 0:
            return Mixture(*[NAN] * 5)
        sums = torch.zeros(5, dtype=torch.float64)
        for distances, noise in zip(self.distances, self.noises, strict=True):
            limit = math.log(len(distances))
            far = distances / (-2 * scale**2)
            # log N(z_i; g_i) − log mean_j N(z_i; g_j) at z_i = g_i ± scale ε_i
            terms = (_log_mean(far - noise / scale) + _log_mean(far + noise / scale)) / -2
            values = [-_log_mean(far / 4), terms, -_log_mean(far)]
            values += [(terms - terms.mean()).square(), (terms > limit - REACH).double()]
            sums += torch.stack([value.sum() for value in values])
        n = sum(map(len, self.distances))
        lower, estimate, upper, variance, saturated = (sums / n).tolist()
        return Mixture(lower, estimate, upper, math.sqrt(variance / n), saturated)


def _log_mean(exponents: Tensor) -> Tensor:
    """Log of the mean of exp of each row of exponents (n, n), as (n,) float64."""
    if exponents.max() < 20:  # precise also where all are near 0, as in collapsed classes
        return exponents.expm1().mean(1, dtype=torch.float64).log1p()
    return exponents.logsumexp(1).double() - math.log(exponents.shape[1])
