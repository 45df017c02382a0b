"""Spectral entropy of the representation (Truong et al. 2026, section 3)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.measures import Snapshot

SMALLEST_EIGENVALUE = 1e-12  # the paper's clamp
CONSTANT = 1e-24  # variance per squared length below which features are constant up to rounding


@dataclass(frozen=True)
class Decomposition:
    """Eigendecomposition of the covariance of features (n, d)."""

    centred: Tensor
    """(n, d) features less their mean"""
    eigenvalues: Tensor
    """(d,) ascending"""
    vectors: Tensor | None
    """(d, d) eigenvectors in columns, if asked for"""


def decomposition(features: Tensor, vectors: bool = False) -> Decomposition | None:
    """Decompose the covariance of features (n, d), with its eigenvectors if `vectors`.

    Returns None for constant or non-finite features, or fewer than two samples.
    """
    if len(features) < 2:
        return None
    features = features.double()
    centred = features - features.mean(0)
    covariance = centred.T @ centred / (len(centred) - 1)
    variance = covariance.trace()
    if not variance.isfinite() or variance <= CONSTANT * features.square().sum(1).mean():
        return None
    if vectors:
        return Decomposition(centred, *torch.linalg.eigh(covariance))
    return Decomposition(centred, torch.linalg.eigvalsh(covariance), None)


def train_decomposition(snapshot: Snapshot) -> Decomposition | None:
    """Decompose the covariance of the training probe.

    The eigenvectors are included where the labels form a group: Fourier measures, which read them,
    then share the decomposition with the spectral ones.
    """
    return decomposition(snapshot.train_probe, vectors=snapshot.exponents is not None)


def spectrum(features: Tensor) -> Tensor | None:
    """Shares p_k = λ_k / Σλ, (d,), of the eigenvalues of the covariance of features (n, d).

    Eigenvalues are clamped at 1e-12. None where the entropy is undefined: for no more samples than
    dimensions (the rank would cap the entropy), constant or non-finite features, or one dimension.
    """
    return _shares(decomposition(features)) if _enough(features) else None


def spectral_entropy(features: Tensor) -> float:
    """Spectral entropy H̃ = −Σ p_k log p_k / log d of features (n, d), in [0, 1].

    1 is isotropic, NaN undefined.
    """
    return _entropy(spectrum(features))


def effective_rank(features: Tensor) -> float:
    """Effective rank exp(−Σ p_k log p_k) of features (n, d), between 1 and d; NaN undefined."""
    p = spectrum(features)
    return float("nan") if p is None else torch.special.entr(p).sum().exp().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute the entropy on both probes, and the effective rank on the training probe."""
    probe = snapshot.train_probe
    entropy = _entropy(_shares(snapshot.once(train_decomposition)) if _enough(probe) else None)
    return {
        "spectral/entropy_train": entropy,
        "spectral/entropy_test": spectral_entropy(snapshot.test_probe),
        # exp(H), from the entropy just computed: the eigenvalues are the costly part
        "spectral/effective_rank": probe.shape[1] ** entropy,
    }


def _enough(features: Tensor) -> bool:
    """Return whether there are more samples than dimensions, and more than one dimension."""
    n, d = features.shape
    return n > d >= 2


def _shares(decomposed: Decomposition | None) -> Tensor | None:
    if decomposed is None:
        return None
    eigenvalues = decomposed.eigenvalues.clamp(min=SMALLEST_EIGENVALUE)
    return eigenvalues / eigenvalues.sum()


def _entropy(p: Tensor | None) -> float:
    if p is None:
        return float("nan")
    return torch.special.entr(p).sum().item() / math.log(len(p))
