"""Spectral entropy of the representation (Truong et al. 2026, section 3)."""

import math

import torch
from torch import Tensor

from grokpipe.measures import Snapshot

SMALLEST_EIGENVALUE = 1e-12  # the paper's clamp
CONSTANT = 1e-24  # variance per squared length below which features are constant up to rounding


def spectrum(features: Tensor) -> Tensor | None:
    """Shares p_k = λ_k / Σλ, (d,), of the eigenvalues of the covariance of features (n, d).

    Eigenvalues are clamped at 1e-12. None where the entropy is undefined: for no more samples than
    dimensions (the rank would cap the entropy), constant or non-finite features, or one dimension.
    """
    features = features.double()
    n, d = features.shape
    if n <= d or d < 2:
        return None
    covariance = torch.cov(features.T)
    variance = covariance.trace()
    if not variance.isfinite() or variance <= CONSTANT * features.square().sum(1).mean():
        return None
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=SMALLEST_EIGENVALUE)
    return eigenvalues / eigenvalues.sum()


def spectral_entropy(features: Tensor) -> float:
    """Spectral entropy H̃ = −Σ p_k log p_k / log d of features (n, d), in [0, 1].

    1 is isotropic, NaN undefined.
    """
    p = spectrum(features)
    if p is None:
        return float("nan")
    return torch.special.entr(p).sum().item() / math.log(len(p))


def effective_rank(features: Tensor) -> float:
    """Effective rank exp(−Σ p_k log p_k) of features (n, d), between 1 and d; NaN undefined."""
    p = spectrum(features)
    return float("nan") if p is None else torch.special.entr(p).sum().exp().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute the entropy on both probes, and the effective rank on the training probe."""
    entropy = spectral_entropy(snapshot.train_probe)
    return {
        "spectral/entropy_train": entropy,
        "spectral/entropy_test": spectral_entropy(snapshot.test_probe),
        # exp(H), from the entropy just computed: the eigenvalues are the costly part
        "spectral/effective_rank": snapshot.train_probe.shape[1] ** entropy,
    }
