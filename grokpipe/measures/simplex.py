"""Relative flatness under exact neural collapse (Han et al. 2025, Proposition 5.3).

Collapsed features are the means of their classes, the means less their own mean μ form a simplex of
k corners of length M, and the rows of the head are λ times the corners. All samples then have one
margin t = λM² k/(k − 1), and for cross-entropy

    κ = (‖φ‖²/M²) ((k − 1)/k) t² U(t),    U = 1 − ‖p‖² with p = softmax(t, 0, …, 0)
      ≤ λ² k³ M⁴ e^{−t} / (1 + (k − 1) e^{−t})²    where μ = 0, as in the proposition.

A network that has not collapsed has no such λ, M and t; those taken here are means over its classes
and samples, and how far both values are from κ tells how far the proposition reaches.
"""

import math

from grokpipe.measures import Snapshot
from grokpipe.measures.collapse import class_statistics, coincide
from grokpipe.measures.logits import logit_margin

NAN = float("nan")


def uncertainty(margin: float, classes: int) -> float:
    """U = 1 − ‖p‖² of p = softmax(t, 0, …, 0), with no difference of numbers near 1."""
    small = math.exp(-margin)
    return small * (classes - 1) * (2 + (classes - 2) * small) / (1 + (classes - 1) * small) ** 2


def kappa(margin: float, classes: int, lengths: float) -> float:
    """κ under exact collapse, from the margin t, k classes, and ‖φ‖²/M²."""
    return lengths * (classes - 1) / classes * margin**2 * uncertainty(margin, classes)


def bound(margin: float, classes: int, scale: float, corner: float) -> float:
    """The bound of Proposition 5.3, from the margin t, k classes, λ and M."""
    small = math.exp(-margin)
    return scale**2 * classes**3 * corner**4 * small / (1 + (classes - 1) * small) ** 2


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute both from the means of the training set's classes, its mean margin, and the head
    without the mean of its rows. NaN where the margin is negative or the class means coincide, and
    for other losses than cross-entropy."""
    train, head = snapshot.train, snapshot.head
    statistics = class_statistics(train.features, train.labels)
    classes, margin = snapshot.classes, logit_margin(train.logits, train.labels)
    known = statistics.finite and not coincide(statistics) and margin >= 0
    if snapshot.loss != "cross_entropy" or not known:
        return {"simplex/kappa": NAN, "simplex/bound": NAN}
    corners = statistics.centred_means.square().sum(1).mean().item()
    rows = (head - head.mean(0)).square().sum(1).mean().item()
    lengths = train.squared_lengths.mean().item() / corners
    return {
        "simplex/kappa": kappa(margin, classes, lengths),
        "simplex/bound": bound(margin, classes, math.sqrt(rows / corners), math.sqrt(corners)),
    }
