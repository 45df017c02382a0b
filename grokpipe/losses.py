"""Losses per sample; training reduces them over the batch, evaluation always takes the mean."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error against one-hot targets, summed over the classes (Sakamoto & Sato, released
    code): (batch, classes), (batch,) → (batch,)."""
    targets = labels[:, None] == torch.arange(logits.shape[-1], device=logits.device)
    return (logits - targets.to(logits.dtype)).square().sum(-1)


def stablemax(logits: Tensor) -> Tensor:
    """Non-negative weights s(x) of logits, elementwise: x + 1 for x ≥ 0, 1/(1 − x) below (Prieto et
    al. 2025, section 4.1). They grow linearly, not exponentially."""
    # each branch sees only its own half, so that the other cannot divide by 0
    return torch.where(logits >= 0, logits.clamp(min=0) + 1, 1 / (1 - logits.clamp(max=0)))


def stablemax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of the labels in nats under p = s/Σs (Prieto et al. 2025):
    (batch, classes), (batch,) → (batch,)."""
    weights = stablemax(logits)
    return -(weights.gather(-1, labels[:, None])[:, 0] / weights.sum(-1)).log()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of the labels in nats: (batch, classes), (batch,) → (batch,)."""
    return functional.cross_entropy(logits, labels, reduction="none")


PER_SAMPLE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared_error": squared_error,
    "cross_entropy": cross_entropy,
    "stablemax": stablemax_cross_entropy,
}


def training_loss(loss: str, logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the scalar that training minimises.

    Squared error is summed over the batch, as published; the others are averaged.
    """
    per_sample = PER_SAMPLE[loss](logits, labels)
    return per_sample.sum() if loss == "squared_error" else per_sample.mean()


def log_probabilities(loss: str, logits: Tensor) -> Tensor:
    """Logarithm of the distribution that a loss reads from logits (n, classes): that of stablemax
    for its loss, else of softmax."""
    if loss == "stablemax":
        weights = stablemax(logits)
        return (weights / weights.sum(1, keepdim=True)).log()
    return logits.log_softmax(1)
