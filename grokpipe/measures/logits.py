"""Scale, margin and entropy of the outputs on the training set, and where their loss ends."""

from collections.abc import Callable

import torch
from torch import Tensor

from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, Snapshot
from grokpipe.measures._distribution import Distribution, distribution, train_distribution

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
    return (own[:, 0].double() - others.amax(1).double()).mean().item()


def output_entropy(log_p: Tensor) -> float:
    """Mean entropy of p, given log p (n, classes), in nats."""
    return _entropy(distribution(log_p))


def _entropy(of: Distribution) -> float:
    # clamped: exp(−1000) · −1000 is zero, whereas exp(−inf) · −inf would be NaN
    terms = (of.others * of.log_p.clamp(min=-1000.0)).scatter_(1, of.top, 0.0)
    # the largest p from the others: near 1 its own logarithm is mostly rounding
    own = -(1 - of.rest) * (-of.rest).log1p()
    return (own - terms.sum(1)).mean().item()


def zero_shares(loss: str, outputs: Outputs) -> tuple[float, float]:
    """Shares of samples whose loss, and whose gradient in the label's logit, is exactly 0.

    Both are computed as in training, by the same functions in the same precision, for each sample
    before the batch's mean. For cross-entropy the gradient is p_label − 1. NaN where a loss is not
    finite.
    """
    losses = PER_SAMPLE[loss](outputs.logits, outputs.labels)
    if not losses.isfinite().all():
        return float("nan"), float("nan")
    zero_gradient = ZERO_GRADIENTS[loss](outputs, losses)
    return (losses == 0).double().mean().item(), zero_gradient.double().mean().item()


def _cross_entropy_zeros(outputs: Outputs, losses: Tensor) -> Tensor:
    # p_label − 1, with p_label = exp(−loss) as in the derivative of a logarithm of softmax
    return (-losses).exp() == 1


def _squared_error_zeros(outputs: Outputs, losses: Tensor) -> Tensor:
    return outputs.logits.gather(1, outputs.labels[:, None]) == 1


def _stablemax_zeros(outputs: Outputs, losses: Tensor) -> Tensor:
    with torch.enable_grad():
        logits = outputs.logits.detach().requires_grad_()
        total = PER_SAMPLE["stablemax"](logits, outputs.labels).sum()
        (gradients,) = torch.autograd.grad(total, logits)
    return gradients.gather(1, outputs.labels[:, None]) == 0


ZERO_GRADIENTS: dict[str, Callable[[Outputs, Tensor], Tensor]] = {
    "cross_entropy": _cross_entropy_zeros,
    "squared_error": _squared_error_zeros,
    "stablemax": _stablemax_zeros,
}


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute scale, margin, entropy and shares of zeros on the training set."""
    zero_loss, zero_gradient = zero_shares(snapshot.loss, snapshot.train)
    train = snapshot.train
    return {
        "logits/scale": logit_scale(train.logits.double()),
        "logits/margin": logit_margin(train.logits, train.labels),
        "logits/entropy": _entropy(snapshot.once(train_distribution)),
        "logits/zero_loss": zero_loss,
        "logits/zero_gradient": zero_gradient,
    }
