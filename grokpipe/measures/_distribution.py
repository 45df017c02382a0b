"""The distribution that a loss reads from logits, with what is left beside its largest part."""

from dataclasses import dataclass

from torch import Tensor

from grokpipe.measures import Snapshot, largest


@dataclass(frozen=True)
class Distribution:
    """Distributions over the classes, a row for each sample, in float64."""

    log_p: Tensor
    """(n, classes)"""
    p: Tensor
    """(n, classes)"""
    top: Tensor
    """(n, 1): the class of each row's largest p"""
    others: Tensor
    """(n, classes): p with the largest replaced by 0"""
    rest: Tensor
    """(n,) 1 − the largest p, as the sum of the others: near 1 the largest p is mostly rounding"""

    @property
    def uncertainty(self) -> Tensor:
        """(n,) 1 − ‖p‖², as (1 − p_max)(1 + p_max) − Σ p² of the others, where nothing cancels"""
        largest_p = self.p.gather(1, self.top)[:, 0]
        return self.rest * (1 + largest_p) - self.others.square().sum(1)


def distribution(log_p: Tensor, predictions: Tensor | None = None) -> Distribution:
    """Compute probabilities and their sums from log p (n, classes), and the class of each row's
    largest (n,) where it is known."""
    p = log_p.exp()
    top = (largest(log_p) if predictions is None else predictions)[:, None]
    others = p.scatter(1, top, 0.0)
    return Distribution(log_p, p, top, others, others.sum(1))


def train_distribution(snapshot: Snapshot) -> Distribution:
    """Distributions of the training set, by the loss in use."""
    return distribution(snapshot.log_probabilities, snapshot.train.predictions)
