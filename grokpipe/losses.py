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


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of the labels in nats: (batch, classes), (batch,) → (batch,)."""
    return functional.cross_entropy(logits, labels, reduction="none")


PER_SAMPLE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared_error": squared_error,
    "cross_entropy": cross_entropy,
}


def training_loss(loss: str, logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the scalar that training minimises.

    Squared error is summed over the batch, as published; cross-entropy is averaged.
    """
    per_sample = PER_SAMPLE[loss](logits, labels)
    return per_sample.sum() if loss == "squared_error" else per_sample.mean()
