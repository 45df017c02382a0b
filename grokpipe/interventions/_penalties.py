"""Differentiable measures of one batch, which `regularise` adds to the loss.

Sources: Truong et al. (2026) for the entropy; Galanti, György & Hutter (2022) for CDNV; Han et al.
(2025) and their released code for the curvatures. Gradients flow into features, logits and head.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from grokpipe.interventions import Batch
from grokpipe.losses import PER_SAMPLE

LEAST_DISTANCE = 0.01
"""share of the squared distances of class means that CDNV leaves at least when it deducts what
sampling adds to them: the rest may be 0 or negative by chance"""


def entropy(features: Tensor) -> Tensor:
    """Normalised Rényi entropy of order 2 of the features' spectrum, in [0, 1]: log PR / log d.

    PR = (Tr C)² / Tr C² is the participation ratio of the covariance C of features (n, d). The
    value never exceeds the spectral entropy H̃ and needs no eigenvalues.
    """
    centred = features - features.mean(0)
    # use the smaller product: Tr (Z Zᵀ)² = Tr (Zᵀ Z)²
    gram = centred.T @ centred if len(features) >= features.shape[1] else centred @ centred.T
    gram = gram / gram.diagonal().sum()
    return -gram.square().sum().log() / features.new_tensor(features.shape[1]).log()


def cdnv(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Class-distance normalised variance as a ratio of sums over pairs of classes, each corrected
    for the batch's few samples a class: Σ (V_c + V_c')/2 / Σ ‖μ_c − μ_c'‖².

    V_c is the unbiased variance; V_c/n_c, by which sampling moves a class mean, is deducted from
    the squared distances. Classes with fewer than two samples are left out; 0 if fewer than two
    remain.

    Args:
        features: (n, d).
        labels: (n,).
        classes: number of classes.
    """
    own = (labels == torch.arange(classes, device=labels.device)[:, None]).to(features.dtype)
    counts = own.sum(1)
    used = (counts > 1).to(features.dtype)
    means = own @ features / counts.clamp(min=1)[:, None]
    deviations = (features - own.T @ means).square().sum(1)
    variances = used * (own @ deviations) / (counts - 1).clamp(min=1)
    number = used.sum()
    centre = used @ means / number.clamp(min=1)
    # over ordered pairs: Σ ‖μ_c − μ_c'‖² = 2k Σ ‖μ_c − μ‖², Σ (V_c + V_c')/2 = (k − 1) Σ V_c
    distances = 2 * number * (used * (means - centre).square().sum(1)).sum()
    noise = 2 * (number - 1) * (variances / counts.clamp(min=1)).sum()
    least = (LEAST_DISTANCE * distances).clamp(min=torch.finfo(features.dtype).tiny)
    return (number - 1) * variances.sum() / torch.maximum(distances - noise, least)


def uncertainty(logits: Tensor, temperature: Tensor) -> Tensor:
    """1 − ‖softmax(z/T)‖² of each sample: logits (n, classes) → (n,).

    Written as Σ_{c≠c'} p_c p_c', whose terms are positive, so that nothing cancels when p is nearly
    one-hot.
    """
    p = (logits / temperature).softmax(1)
    return ((p @ _others(p)) * p).sum(1)


def kappa(features: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    """Relative flatness κ of cross-entropy, mean ‖φ‖² Σ_{c<c'} p_c p_c' ‖w_c − w_c'‖².

    Args:
        features: φ, (n, d).
        logits: (n, classes).
        weight: w, (classes, d).
    """
    centred = weight - weight.mean(0)
    squares = centred.square().sum(1)
    distances = (squares[:, None] + squares - 2 * centred @ centred.T) * _others(logits)
    p = logits.softmax(1)
    return (features.square().sum(1) * ((p @ distances) * p).sum(1)).mean() / 2


def kappa_squared_error(features: Tensor, weight: Tensor) -> Tensor:
    """κ of squared error summed over the classes, 2‖W‖_F² mean ‖φ‖²; arguments as in `kappa`."""
    return 2 * _times_squared_norm(features.square().sum(1), weight).mean()


def kappa_surrogate(
    features: Tensor, logits: Tensor, weight: Tensor, temperature: Tensor, unit: Tensor
) -> Tensor:
    """The paper's surrogate as released: ‖W‖_F² mean[(1 − ‖softmax(z/T)‖²) ‖φ‖²].

    With `unit`, (), the features have length 1 in the last factor, but not in the logits.
    """
    lengths = torch.where(unit, 1.0, features.square().sum(1))
    return _times_squared_norm(uncertainty(logits, temperature) * lengths, weight).mean()


def _times_squared_norm(values: Tensor, weight: Tensor) -> Tensor:
    """‖W‖_F² times each value (n,). Summed over the rows within each value, since the compiler of
    PyTorch 2.13 fails on a product of two full sums in a stack."""
    return (values[:, None] * weight.square().sum(1)).sum(1)


def _others(rows: Tensor) -> Tensor:
    """(C, C) ones but for the diagonal, C the number of columns of `rows`."""
    size = rows.shape[1]
    return 1 - torch.eye(size, dtype=rows.dtype, device=rows.device)


class Settings(NamedTuple):
    """Settings of one cell that a measure takes besides the batch."""

    temperature: Tensor
    """()"""
    unit_features: Tensor
    """() truth value"""


Form = Callable[[Batch, Settings], Tensor]


@dataclass(frozen=True)
class Measure:
    """A measure that can be added to the loss."""

    forms: Mapping[str, Form]
    """the function of a batch, by the losses with which it has a meaning"""
    takes: tuple[str, ...] = ()
    """names of the settings that are of effect"""


MEASURES = {
    "entropy": Measure(dict.fromkeys(PER_SAMPLE, lambda batch, own: entropy(batch.features))),
    "cdnv": Measure(
        dict.fromkeys(
            PER_SAMPLE,
            lambda batch, own: cdnv(batch.features, batch.labels, batch.logits.shape[1]),
        )
    ),
    "kappa": Measure(
        {
            "cross_entropy": lambda batch, own: kappa(batch.features, batch.logits, batch.weight),
            "squared_error": lambda batch, own: kappa_squared_error(batch.features, batch.weight),
        }
    ),
    "kappa_surrogate": Measure(
        {
            "cross_entropy": lambda batch, own: kappa_surrogate(
                batch.features, batch.logits, batch.weight, own.temperature, own.unit_features
            )
        },
        takes=("temperature", "unit_features"),
    ),
    "uncertainty": Measure(
        {"cross_entropy": lambda batch, own: uncertainty(batch.logits, own.temperature).mean()},
        takes=("temperature",),
    ),
}
"""by name; to add a measure, add an entry"""
