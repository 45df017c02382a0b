"""Scale, margin and entropy of the outputs on the training set, and where their loss ends."""

import torch
from torch import Tensor

from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, Snapshot

ADDED = {"logits/zero_loss": "0.2", "logits/zero_gradient": "0.2"}


def logit_scale(logits: Tensor) -> float:
    """Root mean square of logits (n, classes) about their mean over the classes."""
    return (logits - logits.mean(1, keepdim=True)).square().mean().sqrt().item()


def logit_margin(logits: Tensor, labels: Tensor) -> float:
    """Mean margin of logits (n, classes): the label's logit less the largest other; NaN for one
    class."""
    if logits.shape[1] < 2:
        return float("nan")
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return (own[:, 0] - others.amax(1)).mean().item()


def output_entropy(log_p: Tensor) -> float:
    """Mean entropy of p, given log p (n, classes), in nats."""
    p = log_p.exp()
    # clamped: exp(−1000) · −1000 is zero, whereas exp(−inf) · −inf would be NaN
    terms = -p * log_p.clamp(min=-1000.0)
    # the largest p from the others: near 1 its own logarithm is mostly rounding
    top = log_p.argmax(1, keepdim=True)
    rest = p.scatter(1, top, 0.0).sum(1)
    own = -(1 - rest) * (-rest).log1p()
    return (terms.scatter(1, top, 0.0).sum(1) + own).mean().item()


def zero_shares(loss: str, outputs: Outputs) -> tuple[float, float]:
    """Shares of samples whose loss, and whose gradient in the label's logit, is exactly 0.

    Both are computed as in training, by the same functions in the same precision, for each sample
    before the batch's mean. For cross-entropy the gradient is p_label − 1. NaN where a loss is not
    finite.
    """
    labels = outputs.labels
    with torch.enable_grad():
        logits = outputs.logits.detach().requires_grad_()
        losses = PER_SAMPLE[loss](logits, labels)
        (gradients,) = torch.autograd.grad(losses.sum(), logits)
    if not losses.isfinite().all():
        return float("nan"), float("nan")
    own = gradients.gather(1, labels[:, None])
    return (losses == 0).double().mean().item(), (own == 0).double().mean().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute scale, margin, entropy and shares of zeros on the training set."""
    zero_loss, zero_gradient = zero_shares(snapshot.loss, snapshot.train)
    logits, labels = snapshot.train.logits.double(), snapshot.train.labels
    return {
        "logits/scale": logit_scale(logits),
        "logits/margin": logit_margin(logits, labels),
        "logits/entropy": output_entropy(snapshot.log_probabilities),
        "logits/zero_loss": zero_loss,
        "logits/zero_gradient": zero_gradient,
    }
