"""Scale, margin and entropy of the outputs on the training set."""

from torch import Tensor

from grokpipe.measures import Snapshot


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
    """Mean entropy of p = softmax(logits), (n, classes), in nats."""
    # clamped: exp(−1000) · −1000 is zero, whereas exp(−inf) · −inf would be NaN
    return -(log_p.exp() * log_p.clamp(min=-1000.0)).sum(1).mean().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute scale, margin and entropy on the training set."""
    logits, labels = snapshot.train.logits.double(), snapshot.train.labels
    return {
        "logits/scale": logit_scale(logits),
        "logits/margin": logit_margin(logits, labels),
        "logits/entropy": output_entropy(snapshot.train.log_probabilities),
    }
